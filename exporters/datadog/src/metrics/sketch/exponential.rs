//! Exponential histograms in Datadog's bins.
//!
//! Each of their buckets is shared out among the bins that it overlaps, as `pkg/util/quantile/ddsketch.go` and DataDog/sketches-go `ChangeMapping` do. The
//! bins taken here begin half a bin below those of [`super::scheme`], where values are rounded to a key and not cut down to it.
//!
//! Bucket bounds that are zero in a double, which upstream cannot cope with, belong to the bin of zero.

use super::scheme::{BIAS, GAMMA, KEY_MAX, lower};
use super::{Sketch, Summary};

/// Half a bin down: one over the root of [`GAMMA`].
const HALF_DOWN: f64 = 0.992_277_876_713_667_7;

/// The buckets of an exponential histogram, and what else it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exponential<'a> {
    /// The buckets' base is 2^(2^-scale).
    pub(crate) scale: i32,
    /// Values that count as zero.
    pub(crate) zero_count: u64,
    /// Values above zero.
    pub(crate) positive: Side<'a>,
    /// Values below zero, by their distance from it.
    pub(crate) negative: Side<'a>,
}

/// Buckets to one side of zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Side<'a> {
    /// The index of the first.
    pub(crate) offset: i32,
    /// Their counts.
    pub(crate) counts: &'a [u64],
}

/// A bucket reaches further than Datadog's bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Parts of values by key, ascending in their distance from zero.
type Parts = Vec<(i32, f64)>;

impl Sketch {
    /// Takes in a histogram, in the place of what was in the sketch.
    ///
    /// # Errors
    /// When a bucket with values in it lies too far from zero.
    pub(crate) fn take(&mut self, histogram: &Exponential<'_>) -> Result<(), OutOfRange> {
        self.clear();
        let Exponential { scale, zero_count, positive, negative } = histogram;
        let counts = positive.counts.iter().chain(negative.counts);
        if counts.fold(*zero_count, |sum, count| sum.saturating_add(*count)) == 1 {
            // The one value is not shared out.
            let below = || negative.only(*scale).map(|value| -value);
            let value = positive.only(*scale).or_else(below).unwrap_or_default();
            return self.take_one(value);
        }
        let mut zero = histogram.zero_count as f64;
        let mut parts: Parts = histogram.negative.parts(histogram.scale, &mut zero)?;
        parts.reverse();
        parts.iter_mut().for_each(|(key, _)| *key = -*key);
        let positive = histogram.positive.parts(histogram.scale, &mut zero)?;
        if zero > 0.0 {
            parts.push((0, zero));
        }
        parts.extend(positive);
        self.round(&parts);
        Ok(())
    }

    fn take_one(&mut self, value: f64) -> Result<(), OutOfRange> {
        let distance = value.abs();
        let key = if distance < start(1) { 0 } else { index(distance) };
        // Not a number, too.
        if key > KEY_MAX || !distance.is_finite() {
            return Err(OutOfRange);
        }
        let key = if value < 0.0 { -key } else { key };
        self.round(&[(key, 1.0)]);
        Ok(())
    }

    /// Makes whole counts of parts, so that no sum of them from the lowest on is off by more than a half.
    fn round(&mut self, parts: &[(i32, f64)]) {
        let (mut exact, mut whole) = (0.0_f64, 0_u64);
        for (key, part) in parts {
            exact += part;
            let n = (exact.round() as u64).saturating_sub(whole);
            whole += n;
            if n > 0 {
                self.bins.push((*key, n));
            }
        }
        let sum = parts.iter().map(|(key, part)| middle(*key) * part).sum();
        let end = |part: Option<&(i32, f64)>| part.map_or(0.0, |(key, _)| middle(*key));
        let (min, max) = (end(parts.first()), end(parts.last()));
        self.summary = Summary { count: whole, sum, min, max };
    }
}

impl Side<'_> {
    /// Shares the buckets out. What is too close to zero goes there.
    fn parts(&self, scale: i32, zero: &mut f64) -> Result<Parts, OutOfRange> {
        let mut parts = Parts::with_capacity(self.counts.len());
        let mut low = bound(i64::from(self.offset), scale);
        for (index, &count) in (i64::from(self.offset) + 1..).zip(self.counts) {
            let high = bound(index, scale);
            if count > 0 {
                share_out(low, high, count as f64, zero, &mut parts)?;
            }
            low = high;
        }
        Ok(parts)
    }

    /// The only value there is, as far as its bucket says.
    fn only(&self, scale: i32) -> Option<f64> {
        let at = self.counts.iter().position(|count| *count > 0)?;
        let index = i64::from(self.offset) + i64::try_from(at).ok()?;
        let base = bound(1, scale);
        Some(bound(index, scale) * (2.0 - 2.0 / (1.0 + base)))
    }
}

/// The lower bound of a bucket.
pub(crate) fn bound(index: i64, scale: i32) -> f64 {
    (index as f64 * f64::from(scale).exp2().recip()).exp2()
}

/// Shares a bucket's values out among the bins it overlaps.
fn share_out(
    low: f64,
    high: f64,
    count: f64,
    zero: &mut f64,
    parts: &mut Parts,
) -> Result<(), OutOfRange> {
    let first = start(1);
    if high <= first {
        *zero += count;
        return Ok(());
    }
    // Not a number, too, as the width of a scale below -1023.
    if !high.is_finite() {
        return Err(OutOfRange);
    }
    let (floor, each) = (low.max(first), count / (high - low));
    if low < first {
        *zero += (first - low) * each;
    }
    // Buckets come in ascending order: it is the bin where the one before ended, or else one is looked up.
    let last = parts.last().map(|(key, _)| *key);
    let first = last.filter(|key| start(*key) <= floor && floor <= start(*key + 1));
    for key in first.unwrap_or_else(|| index(floor)).. {
        let (from, to) = (start(key), start(key + 1));
        if from >= high {
            break;
        }
        if key > KEY_MAX {
            return Err(OutOfRange);
        }
        // A bucket narrower than doubles can tell has no width to be shared out by.
        let part = match high > low {
            true => (to.min(high) - from.max(floor)) * each,
            false => count,
        };
        match parts.last_mut() {
            Some((last, sum)) if *last == key => *sum += part,
            _ if part > 0.0 => parts.push((key, part)),
            _ => {}
        }
    }
    Ok(())
}

/// The bin of a value of at least the first bin's start.
fn index(value: f64) -> i32 {
    let index = value.ln() / GAMMA.ln() + f64::from(BIAS) + 0.5;
    (index as i32).clamp(1, KEY_MAX + 1)
}

/// Where a bin starts, half a bin below where rounding has it. The one behind the highest does, too.
fn start(key: i32) -> f64 {
    let lower = if key > KEY_MAX { lower(KEY_MAX) * GAMMA } else { lower(key) };
    lower * HALF_DOWN
}

/// The value that stands for those of a bin.
fn middle(key: i32) -> f64 {
    let accuracy = 1.0 - 2.0 / (1.0 + GAMMA);
    let value = start(key.abs()) * (1.0 + accuracy);
    if key < 0 { -value } else { value }
}

#[cfg(test)]
mod tests;
