//! Decisions out of drawn bytes. When the bytes run out every decision is the smallest one, so shorter input means smaller requests
//! and proptest shrinks by shortening.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// Bytes for [`Entropy`].
pub(crate) fn entropy(bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..bytes_max)
}

/// A source of decisions.
#[derive(Debug)]
pub(crate) struct Entropy<'a>(pub(crate) &'a [u8]);

impl Entropy<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A number below `n`, which is at most 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) * n / 256
    }

    /// True in about one of `n` cases, never once the bytes have run out.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1 && n > 1
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() > 127
    }

    pub(crate) fn list<T>(&mut self, max: usize, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(max + 1)).map(|_| item(self)).collect()
    }

    pub(crate) fn maybe<T>(&mut self, item: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| item(self))
    }

    pub(crate) fn u64(&mut self) -> u64 {
        match self.below(10) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => i64::MAX as u64,
            4 => 1 << 63,
            5 => 1 << (7 * self.below(10)),
            6 => u64::from(u32::MAX) + u64::from(self.byte()),
            7 => 1_700_000_000_000_000_000 + u64::from(self.byte()),
            8 => u64::from(self.byte()),
            _ => u64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    pub(crate) fn u32(&mut self) -> u32 {
        match self.below(6) {
            0 => 0,
            1 => 1,
            2 => u32::MAX,
            3 => 1 << self.below(32),
            4 => u32::from(self.byte()),
            _ => u32::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    pub(crate) fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    pub(crate) fn i32(&mut self) -> i32 {
        self.u32() as i32
    }

    /// An enum's number: mostly one that the enum has, now and then any other.
    pub(crate) fn enumeration(&mut self, last: usize) -> i32 {
        if self.one_in(8) { self.i32() } else { self.below(last + 1) as i32 }
    }

    pub(crate) fn f64(&mut self) -> f64 {
        match self.below(10) {
            0 => 0.0,
            1 => -0.0,
            2 => f64::NAN,
            3 => f64::INFINITY,
            4 => f64::NEG_INFINITY,
            5 => f64::MAX,
            6 => f64::from_bits(1),
            7 => f64::from(self.byte()) / 8.0,
            8 => self.i64() as f64,
            _ => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
        }
    }

    pub(crate) fn text(&mut self) -> String {
        match self.below(10) {
            0 => String::new(),
            1 => "service.name".to_owned(),
            2 => "飛脚 🏃".to_owned(),
            3 => "\"\\/\u{0}\u{1f}\n\r\t\u{7f}\u{2028}".to_owned(),
            4 => "x".repeat(120 + self.below(20)),
            5 => "é".repeat(self.below(200)),
            6 => "k".to_owned(),
            _ => self.list(12, |e| char::from(32 + e.byte() % 95)).into_iter().collect(),
        }
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => Vec::new(),
            1 => vec![self.byte(); 120 + self.below(20)],
            _ => self.list(12, Self::byte),
        }
    }

    /// An id that should have `len` bytes, and mostly does.
    pub(crate) fn id(&mut self, len: usize) -> Vec<u8> {
        match self.below(6) {
            0 => Vec::new(),
            1 => vec![0; len],
            2 => self.bytes(),
            _ => (0..len).map(|_| self.byte()).collect(),
        }
    }
}
