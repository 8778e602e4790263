//! The two numbers that a decision compares, and how they are written: 56 bits each, in hexadecimal.
//!
//! An item is taken when its randomness is not below the threshold, which says how many of the 2^56 random values are rejected
//! (OpenTelemetry specification, `trace/tracestate-probability-sampling`). Rounding is that of open-telemetry/opentelemetry-collector-contrib
//! `pkg/sampling`.

/// How many random values there are.
const VALUES: u64 = 1 << 56;
/// Digits of a value in full.
pub(crate) const DIGITS: usize = 14;
/// The smallest probability there is.
pub(crate) const PROBABILITY_MIN: f64 = 1.0 / VALUES as f64;

/// A random value; never `VALUES` or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Randomness(u64);

/// How many random values are rejected: 0 to `VALUES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Threshold(u64);

/// A value's digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digits {
    all: [u8; DIGITS],
    len: usize,
}

impl Randomness {
    /// What every threshold takes but the one that takes nothing.
    pub(crate) const MAX: Self = Self(VALUES - 1);

    /// The lowest 56 bits.
    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits & (VALUES - 1))
    }

    /// That of a trace id: its last seven bytes (W3C Trace Context level 2).
    pub(crate) fn of_trace_id(id: &[u8; 16]) -> Self {
        Self::of_bits(u128::from_be_bytes(*id) as u64)
    }

    /// Reads an `rv`: 14 digits.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        (text.len() == DIGITS).then(|| parse_hex(text)).flatten().map(Self)
    }

    /// All 14 digits.
    pub(crate) fn digits(self) -> Digits {
        Digits::of(self.0)
    }
}

impl Threshold {
    /// Takes everything.
    pub(crate) const ALWAYS: Self = Self(0);
    /// Takes nothing. It has no text: what it was asked about is gone.
    pub(crate) const NEVER: Self = Self(VALUES);

    /// The threshold that rejects so many of 2^14 values.
    pub(crate) const fn of_buckets(rejected: u64) -> Self {
        Self(rejected << 42)
    }

    /// Reads a `th`: up to 14 digits, those that are missing being zeros.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let missing = DIGITS.checked_sub(text.len())?;
        parse_hex(text).map(|value| Self(value << (4 * missing)))
    }

    /// That of a probability, rounded to so many digits behind leading `0`s or `f`s. `None` when the probability is not one, or too small.
    pub(crate) fn of_probability(probability: f64, precision: usize) -> Option<Self> {
        if !(PROBABILITY_MIN..=1.0).contains(&probability) {
            return None;
        }
        if probability == 1.0 {
            return Some(Self::ALWAYS);
        }
        let leading = leading_digits(probability).max(leading_digits(1.0 - probability));
        let cut = DIGITS.saturating_sub(precision.saturating_add(leading));
        let rejected = VALUES - (probability * VALUES as f64).round() as u64;
        if cut == 0 {
            return Some(Self(rejected));
        }
        let (shift, half) = (4 * cut, 1 << (4 * cut - 1));
        Some(Self((rejected + half) >> shift << shift))
    }

    /// The probability that it leaves to an item.
    pub(crate) fn probability(self) -> f64 {
        (VALUES - self.0) as f64 / VALUES as f64
    }

    /// Whether an item of this randomness is taken.
    pub(crate) fn takes(self, randomness: Randomness) -> bool {
        self.0 <= randomness.0
    }

    /// Its digits without the zeros at their end; a single one for zero.
    pub(crate) fn digits(self) -> Digits {
        let mut digits = Digits::of(self.0);
        let zeros = (self.0.trailing_zeros() / 4) as usize;
        digits.len = DIGITS.saturating_sub(zeros).max(1);
        digits
    }
}

impl Digits {
    fn of(value: u64) -> Self {
        let mut all = [b'0'; DIGITS];
        for (place, digit) in all.iter_mut().rev().enumerate() {
            let nibble = (value >> (4 * place)) as u8 & 0xf;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
        }
        Self { all, len: DIGITS }
    }

    /// In ASCII.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.all.get(..self.len).unwrap_or_default()
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// A number of hexadecimal digits only, few enough to fit.
fn parse_hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}

/// How many `0`s a fraction below one begins with, in hexadecimal.
fn leading_digits(fraction: f64) -> usize {
    // The exponent of a normal number as `frexp` has it: 0 from one half up to one, -1 from a quarter.
    let exponent = ((fraction.to_bits() >> 52) & 0x7ff) as i32 - 1022;
    usize::try_from(-exponent / 4).unwrap_or_default()
}

#[cfg(test)]
mod tests;
