//! Which values are in which bin.

use std::sync::OnceLock;

/// A bin's upper end is this many times its lower one.
pub(super) const GAMMA: f64 = 1.0 + 1.0 / 64.0;
/// The key of 1, which makes the key of the lowest value that is told from zero 1.
pub(super) const BIAS: i32 = 1338;
/// The highest key of a finite value.
pub(super) const KEY_MAX: i32 = i16::MAX as i32 - 1;

/// The bin of a value. Infinite ones, and those too far from zero, have the key behind the highest.
pub(crate) fn key(value: f64) -> i32 {
    if value < 0.0 {
        return -key(-value);
    }
    if value < lower(1) {
        return 0;
    }
    let index = (value.ln() / (1.0_f64 / 64.0).ln_1p()).round_ties_even();
    // Within the range of an i32 by the bounds of what a double can be.
    (index as i32).saturating_add(BIAS).clamp(1, KEY_MAX + 1)
}

/// The bin of a value that is neither infinite nor too far from zero; those have the outermost.
pub(super) fn finite_key(value: f64) -> i32 {
    key(value).clamp(-KEY_MAX, KEY_MAX)
}

/// The lower end of a bin: the one nearer to zero.
pub(super) fn lower(key: i32) -> f64 {
    static LOWER: OnceLock<Box<[f64]>> = OnceLock::new();
    let lower = LOWER.get_or_init(|| {
        let positive = (1..=KEY_MAX).map(|key| GAMMA.powi(key - BIAS));
        std::iter::once(0.0).chain(positive).collect()
    });
    let end = usize::try_from(key.unsigned_abs()).ok().and_then(|at| lower.get(at));
    let end = end.copied().unwrap_or(f64::INFINITY);
    if key < 0 { -end } else { end }
}
