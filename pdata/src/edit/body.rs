//! The body of a message that is being edited: its own bytes until the first change, a copy with the changes from then on.

use std::ops::Range;

use super::rewriter::{Rewriter, fields};
use crate::wire::{FieldValue, put_len};

/// A message body under edit. Reading it is reading its bytes, so views serve for that; an edit finds a field and puts other bytes in its
/// place. Fields that no edit names keep theirs, whatever they are.
#[derive(Debug)]
pub(super) struct Body<'s> {
    source: &'s [u8],
    /// The edited bytes, once there are any.
    edited: Vec<u8>,
    is_edited: bool,
    /// Whether whoever holds the message shall drop it.
    pub(super) removed: bool,
    /// How many messages may nest below this one.
    pub(super) depth: u32,
}

impl<'s> Body<'s> {
    /// A body as it came. `spare` is any buffer: edits reuse its capacity.
    pub(super) fn new(source: &'s [u8], depth: u32, spare: Vec<u8>) -> Self {
        Self { source, edited: spare, is_edited: false, removed: false, depth }
    }

    /// The body as it stands now.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        if self.is_edited { &self.edited } else { self.source }
    }

    /// Whether it is other than it came.
    pub(super) fn is_edited(&self) -> bool {
        self.is_edited
    }

    /// The buffer, for the next body.
    pub(super) fn into_spare(self) -> Vec<u8> {
        self.edited
    }

    /// The edited bytes, when there are any.
    pub(super) fn into_edited(self) -> Option<Vec<u8>> {
        self.is_edited.then_some(self.edited)
    }

    /// Puts other bytes in the place of all.
    pub(super) fn replace_all(&mut self, bytes: Vec<u8>) {
        self.edited = bytes;
        self.is_edited = true;
    }

    /// Puts what `write` appends in the place of a range. Writing what is there already is no edit.
    pub(super) fn replace(&mut self, range: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_edited {
            let end = self.edited.len();
            write(&mut self.edited);
            if range.start < end {
                self.move_back(range, end);
            }
        } else {
            self.edited.clear();
            self.edited.reserve(self.source.len() + 64);
            self.edited.extend_from_slice(self.source.get(..range.start).unwrap_or_default());
            write(&mut self.edited);
            if self.edited.get(range.start..) == self.source.get(range.clone()) {
                return;
            }
            self.edited.extend_from_slice(self.source.get(range.end..).unwrap_or_default());
            self.is_edited = true;
        }
    }

    /// Puts what stands from `from` on, which is behind all else, in the place of a range.
    fn move_back(&mut self, range: Range<usize>, from: usize) {
        let len = self.edited.len() - from;
        if let Some(tail) = self.edited.get_mut(range.start..) {
            tail.rotate_right(len);
        }
        self.edited.drain(range.start + len..range.end + len);
    }

    /// Appends fields.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let end = self.bytes().len();
        self.replace(end..end, write);
    }

    /// Has `write` append the field that stands for all fields in the set `numbers` (by bit) from now on; nothing, to delete them.
    pub(super) fn put(&mut self, numbers: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let mut found = fields(self.bytes()).filter(|(_, field)| is_in(numbers, field.number));
        let (first, second) = (found.next().map(|f| f.0), found.next());
        let more = second.is_some();
        drop(found);
        if more {
            self.rewrite(|field, _| is_in(numbers, field.number));
        }
        match first {
            Some(range) if !more => self.replace(range, write),
            _ => self.append(write),
        }
    }

    /// Passes over all fields: where `visit` says yes, what it appended stands in the field's place.
    pub(super) fn rewrite(
        &mut self,
        mut visit: impl FnMut(&crate::wire::Field<'_>, &mut Vec<u8>) -> bool,
    ) {
        let mut rewriter = Rewriter::new(self.bytes());
        let mut scratch = Vec::new();
        for (range, field) in fields(rewriter.source()) {
            scratch.clear();
            if visit(&field, &mut scratch) {
                rewriter.replace(range, |out| out.extend_from_slice(&scratch));
            }
        }
        if let Some(bytes) = rewriter.finish() {
            self.replace_all(bytes);
        }
    }

    /// Has `edit` edit the message that stands once under a number, or nowhere yet: then it is written when the edit puts something in it.
    pub(super) fn edit_child<R>(
        &mut self,
        number: u32,
        edit: impl FnOnce(Body<'_>) -> (Body<'_>, R),
    ) -> R {
        let place = fields(self.bytes()).find_map(|(range, field)| match field.value {
            FieldValue::Len(body) if field.number == number => Some((range, body.len())),
            _ => None,
        });
        match place {
            Some((range, len)) => self.edit_at(number, range, len, edit),
            None => self.append_child_unless_empty(number, edit),
        }
    }

    fn append_child_unless_empty<R>(
        &mut self,
        number: u32,
        edit: impl FnOnce(Body<'_>) -> (Body<'_>, R),
    ) -> R {
        let end = self.bytes().len();
        self.insert_child(number, end, |body| {
            let (mut child, result) = edit(body);
            child.removed |= !child.is_edited;
            (child, result)
        })
    }

    /// Has `edit` edit the message whose field is in `range` and whose body is the last `len` bytes of it.
    pub(super) fn edit_at<R>(
        &mut self,
        number: u32,
        range: Range<usize>,
        len: usize,
        edit: impl FnOnce(Body<'_>) -> (Body<'_>, R),
    ) -> R {
        let source = self.bytes().get(range.end - len..range.end).unwrap_or_default();
        let (child, result) = edit(Body::new(source, self.depth.saturating_sub(1), Vec::new()));
        if child.removed {
            self.replace(range, |_| {});
        } else if let Some(bytes) = child.into_edited() {
            self.replace(range, |out| put_len(out, number, &bytes));
        }
        result
    }

    /// Has `edit` edit, or remove, each message under a number in turn.
    pub(super) fn edit_children(
        &mut self,
        number: u32,
        mut edit: impl FnMut(Body<'_>) -> Body<'_>,
    ) {
        let mut rewriter = Rewriter::new(self.bytes());
        let (depth, mut spare) = (self.depth.saturating_sub(1), Vec::new());
        for (range, field) in fields(rewriter.source()) {
            let FieldValue::Len(source) = field.value else { continue };
            if field.number == number {
                let child = edit(Body::new(source, depth, spare));
                child.write(number, range, &mut rewriter);
                spare = child.into_spare();
            }
        }
        if let Some(bytes) = rewriter.finish() {
            self.replace_all(bytes);
        }
    }

    /// Appends a message that `edit` makes.
    pub(super) fn append_child<R>(
        &mut self,
        number: u32,
        edit: impl FnOnce(Body<'_>) -> (Body<'_>, R),
    ) -> R {
        let end = self.bytes().len();
        self.insert_child(number, end, edit)
    }

    /// Puts a message that `edit` makes at a place between fields, unless the edit removes it or messages nest as deep as they may.
    pub(super) fn insert_child<R>(
        &mut self,
        number: u32,
        at: usize,
        edit: impl FnOnce(Body<'_>) -> (Body<'_>, R),
    ) -> R {
        let (child, result) = edit(Body::new(&[], self.depth.saturating_sub(1), Vec::new()));
        if !child.removed && self.depth > 0 {
            self.replace(at..at, |out| put_len(out, number, child.bytes()));
        }
        result
    }

    /// Brings what became of the body to where its field stands.
    pub(super) fn write(&self, number: u32, range: Range<usize>, rewriter: &mut Rewriter<'_>) {
        if self.removed {
            rewriter.replace(range, |_| {});
        } else if self.is_edited {
            rewriter.replace(range, |out| put_len(out, number, &self.edited));
        }
    }
}

/// Whether a field number is in a set by bit. Unknown fields above 31 are in none.
#[inline(always)]
pub(super) fn is_in(numbers: u32, number: u32) -> bool {
    numbers.checked_shr(number).is_some_and(|bits| bits & 1 == 1)
}
