//! A set of keys that answers "certainly not seen" quickly.

/// A 256-bit Bloom filter with one bit a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFilter([u64; 4]);

impl KeyFilter {
    /// Adds a key; whether an equal one may have been added before.
    #[inline]
    pub fn add(&mut self, key: &[u8]) -> bool {
        let hash = hash(key);
        let bit = 1u64 << (hash & 63);
        let [a, b, c, d] = &mut self.0;
        let word = match hash >> 6 & 3 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        let seen = *word & bit != 0;
        *word |= bit;
        seen
    }

    /// Adds the keys of another filter.
    pub fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
    }

    /// Whether a key that was added here may have been added there, too.
    #[inline]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether an equal key may have been added.
    #[inline]
    pub fn may_contain(&self, key: &[u8]) -> bool {
        let mut one = Self::default();
        let _first = one.add(key);
        self.overlaps(&one)
    }
}

/// Eight well-mixed bits of a key's length, first and last bytes, in which attribute keys differ.
#[inline]
fn hash(key: &[u8]) -> u64 {
    let ends = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23)
        }
        _ => key.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    (ends ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56
}
