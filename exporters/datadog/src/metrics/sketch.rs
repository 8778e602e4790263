//! Distributions in the bins of Datadog's backend.
//!
//! A value's bin is its logarithm to the base 1 + 1/64, rounded: a bin is off by at most 1/128 of its values. The scheme is that of
//! DataDog/datadog-agent `pkg/util/quantile` 0.85 (`config.go`, `agent.go`, `sparse.go`), and so is the way in which the counts of a histogram are spread
//! over it.

mod exponential;
mod scheme;

pub(crate) use exponential::{Exponential, OutOfRange, Side, bound};

use pdata::wire::{put_fixed64, put_key, put_message, put_varint, to_zigzag, varint_len};

use scheme::lower;

/// The most bins with keys of their own; then the lowest are joined.
const BINS_MAX: usize = 4096;
/// The highest count of a bin on the wire. What is more stands in further bins of the same key.
const BIN_COUNT_MAX: u64 = u16::MAX as u64;

/// Bins and what is known exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sketch {
    /// Keys, ascending, and their counts; none is zero.
    bins: Vec<(i32, u64)>,
    /// Count, sum, minimum and maximum.
    pub(crate) summary: Summary,
}

/// What a sketch says of its values beside the bins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// How many there are.
    pub(crate) count: u64,
    /// Their sum.
    pub(crate) sum: f64,
    /// The lowest.
    pub(crate) min: f64,
    /// The highest.
    pub(crate) max: f64,
}

/// The bounds of a histogram's buckets do not ascend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAscending;

impl Sketch {
    /// Makes it empty; its memory is kept.
    pub(crate) fn clear(&mut self) {
        self.bins.clear();
        self.summary = Summary::default();
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// Spreads `count` values over the bins from `from` to `to`, both finite, as if they were spread evenly between them. Buckets are added in
    /// ascending order.
    ///
    /// # Errors
    /// When `to` is below `from`.
    pub(crate) fn spread(&mut self, from: f64, to: f64, count: u64) -> Result<(), NotAscending> {
        let (first, last) = (scheme::finite_key(from), scheme::finite_key(to));
        if last < first {
            return Err(NotAscending);
        }
        let each = count as f64 / (to - from);
        let (mut left, mut remainder) = (count, 0.0);
        let (mut key, mut low) = (first, lower(first));
        for next in first + 1..=last {
            if left == 0 {
                break;
            }
            let next_low = lower(next);
            let share = (next_low - low) * each;
            // Shares of less than one are left to grow, or there would be many bins of nothing.
            if share > 1.0 {
                remainder += share.fract();
            }
            let mut n = share as u64;
            if remainder > 1.0 {
                n += 1;
                remainder -= 1.0;
            }
            if n > 0 {
                let n = n.min(left);
                self.add(key, n);
                left -= n;
                (key, low) = (next, next_low);
            }
        }
        if left > 0 {
            self.add(key, left);
        }
        Ok(())
    }

    /// Adds values to a bin, and to the summary as if they were the bin's lowest.
    fn add(&mut self, key: i32, n: u64) {
        self.summary.add(lower(key), n);
        match self.bins.last_mut() {
            Some((last, count)) if *last == key => *count = count.saturating_add(n),
            _ => self.bins.push((key, n)),
        }
    }

    /// Brings the bins into order: ascending, each key once, and at most [`BINS_MAX`] of them.
    pub(crate) fn finish(&mut self) {
        if !self.bins.is_sorted_by_key(|(key, _)| key) {
            self.bins.sort_by_key(|(key, _)| *key);
        }
        self.bins.dedup_by(|(key, n), (kept, count)| {
            let same = key == kept;
            if same {
                *count = count.saturating_add(*n);
            }
            same
        });
        let too_many = self.bins.len().saturating_sub(BINS_MAX);
        let lowest: u64 = self.bins.drain(..too_many).map(|(_, n)| n).sum();
        if let Some((_, n)) = self.bins.first_mut() {
            *n = n.saturating_add(lowest);
        }
    }

    /// Bytes that [`Sketch::put`] takes at most.
    pub(crate) fn encoded_len_max(&self) -> usize {
        let bins = self.bins.iter().map(|(key, n)| {
            let key_len = varint_len(to_zigzag(i64::from(*key)));
            let bins = usize::try_from(n.div_ceil(BIN_COUNT_MAX)).unwrap_or(usize::MAX);
            bins.saturating_mul(key_len + 3)
        });
        bins.fold(80, usize::saturating_add)
    }

    /// Appends a `Dogsketch` of `agent_payload.proto` for a time in seconds.
    pub(crate) fn put(&self, out: &mut Vec<u8>, seconds: i64) {
        let Summary { count, sum, min, max } = self.summary;
        put_int(out, 1, seconds);
        put_int(out, 2, count as i64);
        put_double(out, 3, min);
        put_double(out, 4, max);
        put_double(out, 5, if count == 0 { 0.0 } else { sum / count as f64 });
        put_double(out, 6, sum);
        put_message(out, 7, |out| {
            for (key, _) in self.chunks() {
                put_varint(out, to_zigzag(i64::from(key)));
            }
        });
        put_message(out, 8, |out| {
            for (_, n) in self.chunks() {
                put_varint(out, n);
            }
        });
    }

    /// The bins of the wire: of a count that needs several, the rest comes first.
    fn chunks(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.bins.iter().flat_map(|&(key, n)| {
            let rest = Some((key, n % BIN_COUNT_MAX)).filter(|(_, rest)| *rest > 0);
            let full = (0..n / BIN_COUNT_MAX).map(move |_| (key, BIN_COUNT_MAX));
            rest.into_iter().chain(full)
        })
    }
}

impl Summary {
    /// Puts in what is known better: how many values there are; their sum, if it is a number; the extremes of their time, or of a longer time that
    /// bounds theirs.
    pub(crate) fn refine(
        &mut self,
        count: u64,
        sum: f64,
        min: Option<f64>,
        max: Option<f64>,
        min_is_exact: bool,
        max_is_exact: bool,
    ) {
        self.count = count;
        if sum.is_finite() {
            self.sum = sum;
        }
        if let Some(min) = min {
            self.min = if min_is_exact { min } else { self.min.max(min) };
        }
        if let Some(max) = max {
            self.max = if max_is_exact { max } else { self.max.min(max) };
        }
    }

    fn add(&mut self, value: f64, n: u64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.count = self.count.saturating_add(n);
        self.sum += value * n as f64;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

/// Appends an int64 field unless it is zero.
pub(crate) fn put_int(out: &mut Vec<u8>, number: u32, value: i64) {
    if value != 0 {
        put_key(out, number, 0);
        put_varint(out, value as u64);
    }
}

/// Appends a double field unless it is zero.
pub(crate) fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    if value.to_bits() != 0 {
        put_fixed64(out, number, value.to_bits());
    }
}

#[cfg(test)]
mod tests;
