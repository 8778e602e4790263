//! Latency sketches: how many spans took how long, with a bounded relative error (DDSketch, VLDB 2019).
//!
//! A bin holds the durations between two powers of gamma. Gamma and offset are those of Datadog's own bins, so that its intake has
//! nothing to convert: 1.015625, which is 0.78 % to either side. Durations lose all but nine bits of their mantissa first, as in
//! Datadog's agent, which is 0.19 % more on the low side; with the agent's own gamma of 1.0202 the two together would pass 1 %.
//!
//! A duration's bin depends on its exponent and these nine bits only: a table of 512 entries takes the place of the logarithm. That, and bins
//! that are kept one by one while they are few, is why this is not one of the crates: 6 ns to add to a full sketch and 64 bytes for one of
//! five spans, against 23 ns and 2 KiB with libdd-ddsketch 1.1, 26 ns and 2 KiB with sketches-ddsketch 0.4. Tests compare it with the former.

use pdata::wire;

/// The ratio between a bin's bounds.
const GAMMA: f64 = 1.015625;
/// The bin that 1 ns stands in, and a half.
const INDEX_OFFSET: f64 = 1338.5;
/// Bins of a sketch on the wire; lower ones are added to the lowest of these.
const BINS_MAX: usize = 2048;
/// Distinct bins that are kept one by one.
const SPARSE_MAX: usize = 32;
/// Bins that a dense sketch grows by at least.
const GROWTH: usize = 16;
/// Bits that a duration's mantissa keeps.
const MANTISSA_BITS: u32 = 9;

/// Finds a duration's bin.
pub(crate) struct Bins {
    /// By the mantissa: its logarithm in base gamma, and the offset.
    of_mantissa: Box<[f64]>,
    /// Bins of one power of two.
    octave: f64,
}

/// Counts of durations by bin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketch {
    /// Spans that took no time at all.
    zeros: u32,
    counts: Counts,
}

/// Counts by bin. Few distinct bins are kept one by one, since most groups have few spans.
#[derive(Clone, Debug)]
enum Counts {
    /// Bins in ascending order, with their counts.
    Sparse(Vec<(u16, u32)>),
    /// The counts of every bin from the first one on.
    Dense(u16, Vec<u32>),
}

impl Default for Counts {
    fn default() -> Self {
        Counts::Sparse(Vec::new())
    }
}

impl Bins {
    pub(crate) fn new() -> Self {
        let entries = 1_u32 << MANTISSA_BITS;
        let logarithm = |mantissa: u32| (1.0 + f64::from(mantissa) / f64::from(entries)).ln();
        let of_mantissa = (0..entries).map(|m| logarithm(m) / GAMMA.ln() + INDEX_OFFSET);
        Self { of_mantissa: of_mantissa.collect(), octave: 2_f64.ln() / GAMMA.ln() }
    }

    /// The bin of a duration in nanoseconds; none for zero.
    #[inline]
    fn of(&self, duration: u64) -> Option<u16> {
        if duration == 0 {
            return None;
        }
        let bits = (duration as f64).to_bits();
        let exponent = (bits >> 52) as i32 - 1023;
        let mantissa = (bits >> (52 - MANTISSA_BITS)) as usize & ((1 << MANTISSA_BITS) - 1);
        let of_mantissa = self.of_mantissa.get(mantissa)?;
        // At most 64 octaves: 1338 to 4200.
        Some((f64::from(exponent) * self.octave + of_mantissa) as u16)
    }
}

impl Sketch {
    /// Counts a duration in nanoseconds. Returns the bytes that the sketch grew by.
    #[inline]
    pub(crate) fn add(&mut self, bins: &Bins, duration: u64) -> isize {
        let Some(bin) = bins.of(duration) else {
            self.zeros = self.zeros.saturating_add(1);
            return 0;
        };
        if let Counts::Dense(first, counts) = &mut self.counts
            && let Some(count) = counts.get_mut(usize::from(bin.wrapping_sub(*first)))
        {
            *count = count.saturating_add(1);
            return 0;
        }
        self.add_new(bin)
    }

    #[inline(never)]
    fn add_new(&mut self, bin: u16) -> isize {
        let before = self.counts.bytes() as isize;
        match &mut self.counts {
            Counts::Sparse(sparse) => match sparse.binary_search_by_key(&bin, |(bin, _)| *bin) {
                Ok(at) => {
                    if let Some((_, count)) = sparse.get_mut(at) {
                        *count = count.saturating_add(1);
                    }
                }
                Err(at) if sparse.len() < SPARSE_MAX => sparse.insert(at, (bin, 1)),
                Err(_) => {
                    self.counts = dense(sparse);
                    self.add_new(bin);
                }
            },
            Counts::Dense(first, counts) => {
                let missing = usize::from(first.saturating_sub(bin));
                if missing > 0 {
                    let missing = missing.max(GROWTH).min(usize::from(*first));
                    counts.splice(..0, std::iter::repeat_n(0, missing));
                    *first -= missing as u16;
                }
                let at = usize::from(bin - *first);
                if at >= counts.len() {
                    counts.resize((at + 1).max(counts.len() + GROWTH), 0);
                }
                if let Some(count) = counts.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
        }
        self.counts.bytes() as isize - before
    }

    /// Bytes that it takes beside itself.
    pub(crate) fn bytes(&self) -> usize {
        self.counts.bytes()
    }

    /// The sketch as a protobuf `DDSketch`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + 8 * self.counts.extent().len());
        wire::put_message(&mut out, 1, |mapping| {
            wire::put_fixed64(mapping, 1, GAMMA.to_bits());
            wire::put_fixed64(mapping, 2, INDEX_OFFSET.to_bits());
        });
        wire::put_message(&mut out, 2, |store| self.counts.encode(store));
        wire::put_len(&mut out, 3, &[]);
        if self.zeros > 0 {
            wire::put_fixed64(&mut out, 4, f64::from(self.zeros).to_bits());
        }
        out
    }
}

impl Counts {
    fn bytes(&self) -> usize {
        match self {
            Counts::Sparse(sparse) => sparse.capacity() * size_of::<(u16, u32)>(),
            Counts::Dense(_, counts) => counts.capacity() * size_of::<u32>(),
        }
    }

    /// From the lowest bin that has a count to behind the highest.
    fn extent(&self) -> std::ops::Range<usize> {
        match self {
            Counts::Sparse(sparse) => match (sparse.first(), sparse.last()) {
                (Some((low, _)), Some((high, _))) => usize::from(*low)..usize::from(*high) + 1,
                _ => 0..0,
            },
            Counts::Dense(first, counts) => {
                let first = usize::from(*first);
                let low = counts.iter().position(|count| *count > 0);
                let high = counts.iter().rposition(|count| *count > 0);
                low.zip(high).map_or(0..0, |(low, high)| first + low..first + high + 1)
            }
        }
    }

    /// A protobuf `Store` with contiguous counts.
    fn encode(&self, out: &mut Vec<u8>) {
        let extent = self.extent();
        if extent.is_empty() {
            return;
        }
        let first = extent.start.max(extent.end.saturating_sub(BINS_MAX));
        let mut counts = vec![0_f64; extent.end - first];
        let mut add = |bin: usize, count: u32| {
            if let Some(sum) = counts.get_mut(bin.saturating_sub(first)) {
                *sum += f64::from(count);
            }
        };
        match self {
            Counts::Sparse(sparse) => {
                sparse.iter().for_each(|(bin, count)| add(usize::from(*bin), *count));
            }
            Counts::Dense(first, counts) => {
                (usize::from(*first)..).zip(counts).for_each(|(bin, count)| add(bin, *count));
            }
        }
        wire::put_message(out, 2, |packed| {
            counts.iter().for_each(|count| packed.extend_from_slice(&count.to_le_bytes()));
        });
        wire::put_uint(out, 3, wire::to_zigzag(first as i64));
    }
}

/// The same counts, kept for every bin between the lowest and the highest.
fn dense(sparse: &[(u16, u32)]) -> Counts {
    let low = sparse.first().map_or(0, |(bin, _)| *bin);
    let high = sparse.last().map_or(0, |(bin, _)| *bin);
    let mut counts = vec![0; usize::from(high - low) + 1];
    for (bin, count) in sparse {
        if let Some(slot) = counts.get_mut(usize::from(bin - low)) {
            *slot = *count;
        }
    }
    Counts::Dense(low, counts)
}

#[cfg(test)]
mod tests;
