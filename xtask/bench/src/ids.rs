//! Span ids that carry a number, so that sets of millions can be compared as bit fields.
//!
//! Every span of a run has its own number. Its id is the number (with the run's in the upper bits) put through a bijection
//! that makes it look random: a compressor finds no order in it, and the sink gets the number back exactly.

/// Bits of an id that hold the span's number; the run's number has the rest.
const NUMBER_BITS: u32 = 40;

/// The span id of one number in one run. `run` starts at 1, so that no id is all zeros.
pub(crate) fn span_id(run: u16, number: u64) -> [u8; 8] {
    mix((u64::from(run) << NUMBER_BITS) | (number & ((1 << NUMBER_BITS) - 1))).to_be_bytes()
}

/// The number behind a span id of this run, or none for an id that the run never sent.
pub(crate) fn number(run: u16, id: [u8; 8]) -> Option<u64> {
    let plain = unmix(u64::from_be_bytes(id));
    (plain >> NUMBER_BITS == u64::from(run)).then_some(plain & ((1 << NUMBER_BITS) - 1))
}

/// The finishing step of the SplitMix64 generator (Steele, Lea, Flood 2014): a bijection on 64 bits.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Undoes [`mix`]: the multipliers are the inverses of its own modulo 2^64.
fn unmix(mut z: u64) -> u64 {
    z = (z ^ (z >> 31) ^ (z >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    z = (z ^ (z >> 27) ^ (z >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    z ^ (z >> 30) ^ (z >> 60)
}

/// A set of numbers that also knows which were put in more than once.
#[derive(Debug, Default)]
pub(crate) struct NumberSet {
    once: Vec<u64>,
    again: Vec<u64>,
}

impl NumberSet {
    pub(crate) fn insert(&mut self, number: u64) {
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if word >= self.once.len() {
            self.once.resize(word + 1, 0);
            self.again.resize(word + 1, 0);
        }
        if let (Some(once), Some(again)) = (self.once.get_mut(word), self.again.get_mut(word)) {
            *again |= *once & bit;
            *once |= bit;
        }
    }

    pub(crate) fn insert_range(&mut self, first: u64, count: u64) {
        (first..first + count).for_each(|number| self.insert(number));
    }

    /// Puts in everything that `other` holds, whatever is there already.
    pub(crate) fn append(&mut self, other: &Self) {
        for (word, bits) in other.once.iter().enumerate() {
            let first = word as u64 * 64;
            (0..64).filter(|bit| bits >> bit & 1 == 1).for_each(|bit| self.insert(first + bit));
        }
    }

    /// How many different numbers were put in.
    pub(crate) fn len(&self) -> u64 {
        ones(self.once.iter().copied())
    }

    /// How many different numbers of a kind were put in.
    pub(crate) fn count(&self, is_counted: impl Fn(u64) -> bool) -> u64 {
        let words = self.once.iter().enumerate();
        let counted = |(word, bits): (usize, &u64)| {
            let first = word as u64 * 64;
            (0..64).filter(|bit| bits >> bit & 1 == 1 && is_counted(first + bit)).count() as u64
        };
        words.map(counted).sum()
    }

    /// How many numbers were put in more than once.
    pub(crate) fn doubled(&self) -> u64 {
        ones(self.again.iter().copied())
    }

    /// How many numbers of `self` are not in `other`.
    pub(crate) fn missing_from(&self, other: &Self) -> u64 {
        let theirs = other.once.iter().copied().chain(std::iter::repeat(0));
        ones(self.once.iter().zip(theirs).map(|(ours, theirs)| ours & !theirs))
    }
}

fn ones(words: impl Iterator<Item = u64>) -> u64 {
    words.map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_its_number_back_in_its_own_run_only() {
        for number_in in [0, 1, 63, 64, 99_999_999, (1 << NUMBER_BITS) - 1] {
            let id = span_id(7, number_in);
            assert_ne!(id, [0; 8]);
            assert_eq!(number(7, id), Some(number_in));
            assert_eq!(number(8, id), None);
        }
    }

    #[test]
    fn sets_tell_missing_from_doubled() {
        let (mut sent, mut seen) = (NumberSet::default(), NumberSet::default());
        sent.insert_range(0, 200);
        seen.insert_range(0, 150);
        seen.insert(149);
        seen.insert(500);
        assert_eq!(sent.missing_from(&seen), 50);
        assert_eq!(seen.missing_from(&sent), 1);
        assert_eq!((seen.len(), seen.doubled()), (151, 1));
        assert_eq!(seen.count(|number| number % 100 == 0), 3);
    }
}
