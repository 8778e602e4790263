//! How much a call may hold.

use crate::answer::Answer;

use super::{Call, Content};

/// The most that a call may hold, as Datadog documents it or, lower, as a test wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Bytes of the body as it comes.
    pub wire_bytes: usize,
    /// Bytes of the body after decompression.
    pub plain_bytes: usize,
    /// Spans, grouped entries of stats, points, sketches or logs.
    pub items: usize,
    /// Bytes of the largest item, where Datadog limits those.
    pub item_bytes: usize,
}

/// What a call holds, in the terms of a [`Limit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the body as it came.
    pub wire_bytes: usize,
    /// Bytes of the body after decompression.
    pub plain_bytes: usize,
    /// Spans, grouped entries of stats, points, sketches or logs.
    pub items: usize,
    /// Bytes of the largest item; zero where Datadog does not limit those.
    pub item_bytes: usize,
}

impl Limit {
    /// No limit at all.
    pub const NONE: Self = Self {
        wire_bytes: usize::MAX,
        plain_bytes: usize::MAX,
        items: usize::MAX,
        item_bytes: usize::MAX,
    };

    /// What a call holds too much of.
    pub fn exceeded_by(&self, size: &Size) -> Option<String> {
        [
            ("bytes as they came", size.wire_bytes, self.wire_bytes),
            ("bytes after decompression", size.plain_bytes, self.plain_bytes),
            ("items", size.items, self.items),
            ("bytes in one item", size.item_bytes, self.item_bytes),
        ]
        .into_iter()
        .find(|(_, found, most)| found > most)
        .map(|(what, found, most)| format!("{found} {what}, at most {most}"))
    }

    /// A judge for [`crate::desk::Desk::answer_when`]: 413 for a call that holds more. That is a test's own limit, so it is no violation.
    pub fn enforced<C: Content>(self) -> impl Fn(&Call<C>) -> Option<Answer> + Send + 'static {
        move |call| self.exceeded_by(&call.size).map(|_| Answer::status(413))
    }
}
