//! Randomness by hashing, as the processor has always done it: 32-bit FNV-1a over the seed and the bytes, of which 14 bits decide.

use crate::value::{Randomness, Threshold};

/// How many outcomes a decision tells apart.
const BUCKETS: u64 = 1 << 14;

/// A hash that has taken in the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeded(u32);

impl Seeded {
    /// The seed comes first, its lowest byte in front.
    pub(crate) fn new(seed: u32) -> Self {
        Self(fnv_1a(0x811c_9dc5, &seed.to_le_bytes()))
    }

    /// The randomness of bytes.
    ///
    /// The old rule takes an item when the lowest 14 bits of the hash are below the share of the buckets. They stand on top here,
    /// complemented, so that the rule of thresholds decides the same. The bits below them, which no decision of this mode depends
    /// on, are upstream's: what is written into an item has to be the same.
    pub(crate) fn randomness(self, bytes: &[u8]) -> Randomness {
        let hash = u64::from(fnv_1a(self.0, bytes));
        let (bucket, unused) = (hash % BUCKETS, hash >> 18);
        let mixed = unused ^ (unused << 10);
        Randomness::of_bits((BUCKETS - 1 - bucket) << 42 | mixed << 14 | bucket)
    }
}

/// The threshold of a percentage up to 100; `None` when it comes to less than one bucket.
pub(crate) fn threshold(percentage: f32) -> Option<Threshold> {
    // In single precision and cut off, as it has always been: another rounding would decide otherwise.
    let taken = (percentage * (BUCKETS as f32 / 100.0)) as u64;
    (taken > 0).then(|| Threshold::of_buckets(BUCKETS.saturating_sub(taken)))
}

fn fnv_1a(state: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
