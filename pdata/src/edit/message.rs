//! Messages under edit, by type.

use std::marker::PhantomData;

use super::body::Body;
use super::rewriter::fields;
use crate::view::{Message, Str};
use crate::wire::{Field, FieldValue, Reader, put_fixed32, put_fixed64, put_len, put_uint};

/// A message under edit. What it is says `T`; see the aliases of [`crate::edit`].
#[derive(Debug)]
pub struct MessageMut<'s, T> {
    pub(super) body: Body<'s>,
    of: PhantomData<T>,
}

/// What a message under edit is.
pub trait Editable {
    /// The view that reads it.
    type View<'v>: Message<'v>;
}

impl<'s, T: Editable> MessageMut<'s, T> {
    pub(super) fn new(body: Body<'s>) -> Self {
        Self { body, of: PhantomData }
    }

    /// The message as it stands now.
    pub fn view(&self) -> T::View<'_> {
        T::View::read(self.body.bytes())
    }

    /// Takes the message out of what holds it, once the function that got it returns.
    pub fn remove(&mut self) {
        self.body.removed = true;
    }

    /// Whether [`remove`](Self::remove) was called.
    pub fn is_removed(&self) -> bool {
        self.body.removed
    }

    /// Has a function edit the message behind a body.
    pub(super) fn with<R>(body: Body<'s>, edit: impl FnOnce(&mut Self) -> R) -> (Body<'s>, R) {
        let mut message = Self::new(body);
        let result = edit(&mut message);
        (message.body, result)
    }
}

impl<T: Editable> MessageMut<'_, T> {
    /// Edits, or removes, each message under a number with the message that holds them at hand, which does not show them meanwhile. They come
    /// to stand behind its other fields.
    pub(super) fn with_children<C: Editable>(
        &mut self,
        number: u32,
        edit: &mut dyn FnMut(&mut MessageMut<'_, T>, &mut MessageMut<'_, C>),
    ) {
        let body = &self.body;
        if !fields(body.bytes()).any(|(_, field)| field.number == number) {
            return;
        }
        let own = only(body.bytes(), |field| field.number != number);
        let mut parent = MessageMut::new(Body::new(&own, body.depth, Vec::new()));
        let children = edit_apart(body.bytes(), number, body.depth.saturating_sub(1), |child| {
            MessageMut::with(child, |child| edit(&mut parent, child)).0
        });
        let removed = parent.is_removed();
        if children.is_some() || parent.body.is_edited() {
            let children =
                children.unwrap_or_else(|| only(body.bytes(), |field| field.number == number));
            let all = [parent.body.bytes(), &children].concat();
            self.body.replace_all(all);
        }
        self.body.removed |= removed;
    }
}

/// Has `edit` edit, or remove, each message under a number. What they come to, when any changed.
pub(super) fn edit_apart(
    bytes: &[u8],
    number: u32,
    depth: u32,
    mut edit: impl FnMut(Body<'_>) -> Body<'_>,
) -> Option<Vec<u8>> {
    let (mut all, mut spare) = (None, Vec::new());
    for (range, field) in fields(bytes) {
        let FieldValue::Len(body) = field.value else { continue };
        if field.number != number {
            continue;
        }
        let child = edit(Body::new(body, depth, spare));
        if (child.removed || child.is_edited()) && all.is_none() {
            let before = bytes.get(..range.start).unwrap_or_default();
            all = Some(only(before, |field| field.number == number));
        }
        match &mut all {
            Some(all) if !child.removed => put_len(all, number, child.bytes()),
            _ => {}
        }
        spare = child.into_spare();
    }
    all
}

/// The fields of a body that `keep` says yes to.
pub(super) fn only(body: &[u8], keep: impl Fn(&Field<'_>) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for field in Reader::new(body).filter(|field| keep(field)) {
        out.extend_from_slice(field.raw);
    }
    out
}

/// A repeated message field under edit.
#[derive(Debug)]
pub struct ListMut<'b, 's, T> {
    body: &'b mut Body<'s>,
    number: u32,
    of: PhantomData<T>,
}

impl<'b, 's, T: Editable> ListMut<'b, 's, T> {
    pub(super) fn new(body: &'b mut Body<'s>, number: u32) -> Self {
        Self { body, number, of: PhantomData }
    }

    /// How many messages there are. Counts them.
    pub fn len(&self) -> usize {
        fields(self.body.bytes()).filter(|(_, field)| field.number == self.number).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Edits, or removes, each message in order.
    pub fn for_each(&mut self, mut edit: impl FnMut(&mut MessageMut<'_, T>)) {
        self.body.edit_children(self.number, |body| MessageMut::with(body, &mut edit).0);
    }

    /// Edits, or removes, the message at an index. `None` when there is none.
    pub fn edit<R>(
        &mut self,
        index: usize,
        edit: impl FnOnce(&mut MessageMut<'_, T>) -> R,
    ) -> Option<R> {
        let mut messages =
            fields(self.body.bytes()).filter_map(|(range, field)| match field.value {
                FieldValue::Len(body) if field.number == self.number => Some((range, body.len())),
                _ => None,
            });
        let (range, len) = messages.nth(index)?;
        drop(messages);
        Some(self.body.edit_at(self.number, range, len, |body| MessageMut::with(body, edit)))
    }

    /// Appends a message that is empty before `edit`.
    pub fn push<R>(&mut self, edit: impl FnOnce(&mut MessageMut<'_, T>) -> R) -> R {
        self.body.append_child(self.number, |body| MessageMut::with(body, edit))
    }

    /// Puts in a message that is empty before `edit`, in front of the one at `index`; behind all when there are fewer.
    pub fn insert<R>(&mut self, index: usize, edit: impl FnOnce(&mut MessageMut<'_, T>) -> R) -> R {
        let mut messages = fields(self.body.bytes()).filter(|(_, f)| f.number == self.number);
        let at = messages.nth(index).map(|(range, _)| range.start);
        drop(messages);
        let at = at.unwrap_or(self.body.bytes().len());
        self.body.insert_child(self.number, at, |body| MessageMut::with(body, edit))
    }

    /// Removes all messages.
    pub fn clear(&mut self) {
        let number = self.number;
        self.body.rewrite(|field, _| field.number == number);
    }
}

/// Fields that stand once. A default value is not written: it is what a missing field means.
impl Body<'_> {
    pub(super) fn put_text(&mut self, number: u32, text: Str<'_>) {
        self.put_bytes(number, text.as_bytes());
    }

    pub(super) fn put_bytes(&mut self, number: u32, bytes: &[u8]) {
        self.put_unless(bytes.is_empty(), number, |out| put_len(out, number, bytes));
    }

    pub(super) fn put_uint(&mut self, number: u32, value: u64) {
        self.put_unless(value == 0, number, |out| put_uint(out, number, value));
    }

    pub(super) fn put_fixed64(&mut self, number: u32, bits: u64) {
        self.put_unless(bits == 0, number, |out| put_fixed64(out, number, bits));
    }

    pub(super) fn put_fixed32(&mut self, number: u32, bits: u32) {
        self.put_unless(bits == 0, number, |out| put_fixed32(out, number, bits));
    }

    /// A double of `optional` presence.
    pub(super) fn put_optional(&mut self, number: u32, value: Option<f64>) {
        let bits = value.map(f64::to_bits);
        self.put_unless(bits.is_none(), number, |out| {
            put_fixed64(out, number, bits.unwrap_or_default());
        });
    }

    fn put_unless(&mut self, missing: bool, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
        self.put(1 << number, |out| {
            if !missing {
                write(out);
            }
        });
    }
}

/// Makes the methods of a message's fields, one each: `name: kind = number`. A kind that is a type is that of a repeated message.
macro_rules! setters {
    ($of:ty { $($(#[$meta:meta])+ $name:ident: $kind:ident = $number:literal;)+ }) => {
        impl<'s> $crate::edit::MessageMut<'s, $of> {
            $($crate::edit::message::setters!(@ $kind $(#[$meta])+ $name $number);)+
        }
    };
    (@ text $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name<'v>(&mut self, text: impl Into<$crate::view::Str<'v>>) {
            self.body.put_text($number, text.into());
        }
    };
    (@ bytes $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, bytes: &[u8]) {
            self.body.put_bytes($number, bytes);
        }
    };
    (@ varint32 $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: u32) {
            self.body.put_uint($number, u64::from(value));
        }
    };
    (@ fixed32 $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: u32) {
            self.body.put_fixed32($number, value);
        }
    };
    (@ fixed64 $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: u64) {
            self.body.put_fixed64($number, value);
        }
    };
    (@ sint32 $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: i32) {
            self.body.put_uint($number, $crate::wire::to_zigzag(i64::from(value)));
        }
    };
    (@ double $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: f64) {
            self.body.put_fixed64($number, value.to_bits());
        }
    };
    (@ optional $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self, value: Option<f64>) {
            self.body.put_optional($number, value);
        }
    };
    (@ attributes $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self) -> $crate::edit::AttributesMut<'_, 's> {
            $crate::edit::AttributesMut::new(&mut self.body, $number)
        }
    };
    (@ $list:ident $(#[$meta:meta])+ $name:ident $number:literal) => {
        $(#[$meta])+
        pub fn $name(&mut self) -> $crate::edit::ListMut<'_, 's, $list> {
            $crate::edit::ListMut::new(&mut self.body, $number)
        }
    };
}

pub(super) use setters;
