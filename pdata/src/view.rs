//! Read-only views over a payload's bytes.
//!
//! A view borrows; it never allocates and never fails, since the bytes were validated. Scalars are read when the view is made, in one walk
//! over the message; repeated fields are walked again by their iterators, from the first occurrence to the last.
//! Missing fields read as protobuf's defaults. Metrics' single values that carry presence are `Option`.

/// Declares the two messages that group a signal's items, by resource and by scope: they are alike but for names.
macro_rules! groups {
    (
        #[doc = $resource_doc:literal] $resource:ident { $scopes:ident }
        #[doc = $scope_doc:literal] $scope:ident { $items:ident: $item:ident }
        of $signal:ident
    ) => {
        #[doc = $resource_doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $resource<'a> {
            /// The resource.
            pub resource: Resource<'a>,
            /// Its items by scope.
            pub $scopes: Repeated<'a, $scope<'a>>,
        }

        impl<'a> $resource<'a> {
            /// Schema of the resource's attributes. Walks over the items.
            pub fn schema_url(&self) -> Str<'a> {
                self.$scopes.text_beside(3)
            }
        }

        impl<'a> Message<'a> for $resource<'a> {
            fn read(body: &'a [u8]) -> Self {
                // Validation has made the resource one, and it nearly always stands in front of the items, which are not walked over then.
                let resource =
                    super::first_message(body, 1).map(Resource::read).unwrap_or_default();
                Self { resource, $scopes: Repeated::all_of(body, 2) }
            }
        }

        impl<'a> TopLevel<'a> for $resource<'a> {
            const SIGNAL: Signal = Signal::$signal;
        }

        #[doc = $scope_doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $scope<'a> {
            /// The scope.
            pub scope: Scope<'a>,
            /// The items.
            pub $items: Repeated<'a, $item<'a>>,
        }

        impl<'a> $scope<'a> {
            /// Schema of the items' attributes. Walks over the items.
            pub fn schema_url(&self) -> Str<'a> {
                self.$items.text_beside(3)
            }
        }

        impl<'a> Message<'a> for $scope<'a> {
            fn read(body: &'a [u8]) -> Self {
                let scope = super::first_message(body, 1).map(Scope::read).unwrap_or_default();
                Self { scope, $items: Repeated::all_of(body, 2) }
            }
        }
    };
}

mod common;
mod logs;
mod metrics;
mod trace;

pub use common::{
    AnyValue, ArrayValue, Attributes, EntityRef, KeyValue, KeyValueList, Resource, Scope, Str,
    Strings,
};
pub use logs::{LogRecord, ResourceLogs, ScopeLogs};
pub use metrics::{
    Buckets, Data, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, NumberValue, Packed, ResourceMetrics, ScopeMetrics, SummaryDataPoint,
    Temporality, ValueAtQuantile,
};
pub use trace::{Event, Link, ResourceSpans, ScopeSpans, Span, SpanKind, Status, StatusCode};

use std::marker::PhantomData;

use crate::payload::Payload;
use crate::wire::{Field, FieldValue, Reader};

impl Payload {
    /// The resource spans, when it is of traces; nothing otherwise.
    pub fn resource_spans(&self) -> impl Iterator<Item = ResourceSpans<'_>> {
        self.top_level()
    }

    /// The resource metrics, when it is of metrics; nothing otherwise.
    pub fn resource_metrics(&self) -> impl Iterator<Item = ResourceMetrics<'_>> {
        self.top_level()
    }

    /// The resource logs, when it is of logs; nothing otherwise.
    pub fn resource_logs(&self) -> impl Iterator<Item = ResourceLogs<'_>> {
        self.top_level()
    }

    fn top_level<'a, T: TopLevel<'a>>(&'a self) -> impl Iterator<Item = T> {
        let chunks = if self.signal() == T::SIGNAL { self.chunks() } else { &[] };
        chunks.iter().flat_map(|chunk| Repeated::<T>::all_of(chunk, 1))
    }
}

/// A message that stands at the top of a request.
trait TopLevel<'a>: Message<'a> {
    const SIGNAL: crate::Signal;
}

/// The first field of this number that is a message.
fn first_message(body: &[u8], number: u32) -> Option<&[u8]> {
    Reader::new(body).find_map(|field| match field.value {
        FieldValue::Len(message) if field.number == number => Some(message),
        _ => None,
    })
}

/// A view of a message.
pub trait Message<'a>: Sized {
    /// Reads a validated body.
    fn read(body: &'a [u8]) -> Self;
}

/// A repeated message field.
#[derive(Debug)]
pub struct Repeated<'a, T> {
    span: &'a [u8],
    number: u32,
    of: PhantomData<T>,
}

impl<T> Clone for Repeated<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Repeated<'_, T> {}

impl<'a, T> Repeated<'a, T> {
    pub(crate) fn all_of(body: &'a [u8], number: u32) -> Self {
        Self { span: body, number, of: PhantomData }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bodies().next().is_none()
    }

    /// The text of another field of the message that the repeated field stands in.
    fn text_beside(&self, number: u32) -> Str<'a> {
        let text = Reader::new(self.span).filter_map(|field| match field.value {
            FieldValue::Len(text) if field.number == number => Some(Str::from_field(text)),
            _ => None,
        });
        text.last().unwrap_or_default()
    }

    fn bodies(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, T> {
        let number = self.number;
        Reader::new(self.span).filter_map(move |field| match field.value {
            FieldValue::Len(body) if field.number == number => Some(body),
            _ => None,
        })
    }
}

impl<'a, T: Message<'a>> Repeated<'a, T> {
    /// The messages in order.
    pub fn iter(&self) -> Iter<'a, T> {
        Iter { reader: Reader::new(self.span), number: self.number, of: PhantomData }
    }
}

/// Iterator over a repeated message field.
#[derive(Clone, Debug)]
pub struct Iter<'a, T> {
    reader: Reader<'a>,
    number: u32,
    of: PhantomData<T>,
}

impl<'a, T: Message<'a>> Iterator for Iter<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        loop {
            let field = self.reader.field()?;
            if let FieldValue::Len(body) = field.value
                && field.number == self.number
            {
                return Some(T::read(body));
            }
        }
    }
}

impl<'a, T: Message<'a>> IntoIterator for Repeated<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Where a repeated field's first and last occurrence stand, found while the other fields are read.
#[derive(Clone, Copy, Debug)]
struct Extent<'a> {
    span: &'a [u8],
}

impl<'a> Extent<'a> {
    const NONE: Extent<'static> = Extent { span: &[] };

    /// Takes in another occurrence. `body` is the message that holds it.
    #[inline]
    fn add(&mut self, body: &'a [u8], field: &Field<'a>) {
        let base = body.as_ptr() as usize;
        let end = field.raw.as_ptr() as usize - base + field.raw.len();
        let start = if self.span.is_empty() {
            end - field.raw.len()
        } else {
            self.span.as_ptr() as usize - base
        };
        self.span = body.get(start..end).unwrap_or_default();
    }

    fn repeated<T>(self, number: u32) -> Repeated<'a, T> {
        Repeated::all_of(self.span, number)
    }
}

#[cfg(test)]
mod tests;
