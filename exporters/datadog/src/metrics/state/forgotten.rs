//! Which series were known once, so that a point of theirs is not taken for the first of a new series and sent with all that was sent before.

use super::Key;

/// Words of the filter: 64 KiB.
const WORDS: usize = 8192;
/// Bits that stand for a series.
const BITS: u32 = 4;
/// So many series leave one in a hundred others looking forgotten.
const SERIES_MAX: usize = 50_000;

/// A Bloom filter of series. When it is full it begins anew, and a time stands for all it held.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    words: Box<[u64]>,
    series: usize,
    since: u64,
}

impl Forgotten {
    /// Adds a series that is forgotten at a time.
    pub(super) fn add(&mut self, key: Key, now: u64) {
        if self.series >= SERIES_MAX {
            (self.words, self.series, self.since) = (Box::default(), 0, now);
        }
        if self.words.is_empty() {
            self.words = vec![0; WORDS].into();
        }
        for (at, bit) in places(key) {
            if let Some(word) = self.words.get_mut(at) {
                *word |= bit;
            }
        }
        self.series += 1;
    }

    /// Whether a series may have been added.
    pub(super) fn may_contain(&self, key: Key) -> bool {
        let mut places = places(key);
        !self.words.is_empty()
            && places.all(|(at, bit)| self.words.get(at).is_some_and(|word| word & bit != 0))
    }

    /// When those were added that it does not hold any more. Series that began later were not among them.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

/// The bits of a series, which is a hash already.
fn places(key: Key) -> impl Iterator<Item = (usize, u64)> {
    (0..BITS).map(move |nth| {
        let hash = (key >> (32 * nth)) as u32;
        ((hash >> 6) as usize % WORDS, 1 << (hash & 63))
    })
}
