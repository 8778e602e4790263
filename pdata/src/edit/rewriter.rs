//! Copies encoded bytes through with changes on the way.

use std::ops::Range;

use crate::wire::{Field, Reader, put_varint};

/// Bytes that are being rewritten from front to back. Nothing is copied before the first change, and what lies between two changes
/// is copied at once.
#[derive(Debug)]
pub(super) struct Rewriter<'s> {
    source: &'s [u8],
    /// What of the source has been copied, or replaced, or left out.
    passed: usize,
    out: Vec<u8>,
}

/// Where a rewriter stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    passed: usize,
    out: usize,
}

impl<'s> Rewriter<'s> {
    pub(super) fn new(source: &'s [u8]) -> Self {
        Self { source, passed: 0, out: Vec::new() }
    }

    pub(super) fn source(&self) -> &'s [u8] {
        self.source
    }

    /// Puts what `write` appends in the place of a range that lies behind all earlier ones.
    pub(super) fn replace(&mut self, range: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(self.passed <= range.start, "the range lies behind the last");
        if self.out.capacity() == 0 {
            self.out.reserve(self.source.len() + self.source.len() / 8 + 64);
        }
        self.copy_to(range.start);
        write(&mut self.out);
        self.passed = range.end;
    }

    fn copy_to(&mut self, end: usize) {
        self.out.extend_from_slice(self.source.get(self.passed..end).unwrap_or_default());
        self.passed = self.passed.max(end);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { passed: self.passed, out: self.out.len() }
    }

    /// Whether anything has changed since the mark.
    pub(super) fn changed_since(&self, mark: Mark) -> bool {
        self.passed != mark.passed
    }

    /// Where a place of the source stands in the output: one behind the mark, and before the first change after it.
    fn place(mark: Mark, at: usize) -> usize {
        mark.out + (at - mark.passed)
    }

    /// Replaces bytes that have been copied since the mark, before its first change.
    pub(super) fn replace_passed(&mut self, mark: Mark, range: Range<usize>, with: &[u8]) {
        let range = Self::place(mark, range.start)..Self::place(mark, range.end);
        self.replace_written(range, with);
    }

    /// Replaces a range of the output.
    fn replace_written(&mut self, range: Range<usize>, with: &[u8]) {
        match self.out.get_mut(range.clone()) {
            Some(old) if old.len() == with.len() => old.copy_from_slice(with),
            _ => drop(self.out.splice(range, with.iter().copied())),
        }
    }

    /// Takes everything from `range.start` on back out of the output, and passes over the range. It starts behind the mark and before
    /// the first change after it.
    pub(super) fn drop_from(&mut self, mark: Mark, range: Range<usize>) {
        if self.changed_since(mark) {
            self.out.truncate(Self::place(mark, range.start));
            self.passed = range.end;
        } else {
            self.replace(range, |_| {});
        }
    }

    /// Copies up to the end of a message's body and, when something in it changed since the mark, puts its length right. The message's
    /// field starts at `field` and ends with the body.
    pub(super) fn close(&mut self, mark: Mark, field: usize, body: Range<usize>) {
        if !self.changed_since(mark) {
            return;
        }
        self.copy_to(body.end);
        let mut key_and_len = Reader::new(self.source.get(field..body.start).unwrap_or_default());
        key_and_len.varint();
        let start = Self::place(mark, body.start);
        let old = start - key_and_len.rest().len()..start;
        let mut len = Vec::with_capacity(10);
        put_varint(&mut len, (self.out.len() - start) as u64);
        self.replace_written(old, &len);
    }

    /// The new bytes, or `None` when nothing changed. Where much was removed they do not keep hold of the room for it.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        let untouched = Mark { passed: 0, out: 0 };
        if !self.changed_since(untouched) && self.out.is_empty() {
            return None;
        }
        self.copy_to(self.source.len());
        if self.out.len() < self.out.capacity() / 2 {
            self.out.shrink_to_fit();
        }
        Some(self.out)
    }
}

/// The fields of a body with where they stand in it.
pub(super) fn fields(body: &[u8]) -> Fields<'_> {
    Fields { len: body.len(), reader: Reader::new(body) }
}

/// Iterator of [`fields`].
#[derive(Debug)]
pub(super) struct Fields<'s> {
    len: usize,
    reader: Reader<'s>,
}

impl<'s> Iterator for Fields<'s> {
    type Item = (Range<usize>, Field<'s>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.len - self.reader.rest().len();
        let field = self.reader.field()?;
        Some((start..self.len - self.reader.rest().len(), field))
    }
}
