//! Data points.

use crate::edit::message::{Editable, MessageMut, setters};
use crate::view::{self, NumberValue};
use crate::wire::{put_fixed64, put_message, put_varint};

/// Makes the marker, the alias and the view of a message each.
macro_rules! messages {
    ($($(#[$meta:meta])+ $mut:ident $of:ident => $view:ty;)+) => {
        $(
            #[doc = concat!("Marks [`", stringify!($mut), "`].")]
            #[derive(Debug)]
            pub enum $of {}

            $(#[$meta])+
            pub type $mut<'s> = MessageMut<'s, $of>;

            impl Editable for $of {
                type View<'v> = $view;
            }
        )+
    };
}

messages! {
    /// A point of a gauge or a sum under edit.
    NumberDataPointMut NumberDataPoint => view::NumberDataPoint<'v>;
    /// A point of a histogram with explicit bounds under edit.
    HistogramDataPointMut HistogramDataPoint => view::HistogramDataPoint<'v>;
    /// A point of an exponential histogram under edit.
    ExponentialHistogramDataPointMut ExponentialHistogramDataPoint => view::ExponentialHistogramDataPoint<'v>;
    /// Buckets of one sign of an exponential histogram under edit.
    BucketsMut Buckets => view::Buckets<'v>;
    /// A point of a summary under edit.
    SummaryDataPointMut SummaryDataPoint => view::SummaryDataPoint<'v>;
    /// A summary's value at a quantile under edit.
    ValueAtQuantileMut ValueAtQuantile => view::ValueAtQuantile;
    /// An exemplar under edit.
    ExemplarMut Exemplar => view::Exemplar<'v>;
}

setters! { NumberDataPoint {
    /// The attributes.
    attributes: attributes = 7;
    /// Sets the start of its time range, in nanoseconds since 1970.
    set_start_time_unix_nano: fixed64 = 2;
    /// Sets its time, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 3;
    /// The exemplars.
    exemplars: Exemplar = 5;
    /// Sets the flags.
    set_flags: varint32 = 8;
}}

impl NumberDataPointMut<'_> {
    /// Sets the value.
    pub fn set_value(&mut self, value: Option<NumberValue>) {
        put_number(self, 4, value);
    }
}

setters! { HistogramDataPoint {
    /// The attributes.
    attributes: attributes = 9;
    /// Sets the start of its time range, in nanoseconds since 1970.
    set_start_time_unix_nano: fixed64 = 2;
    /// Sets its time, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 3;
    /// Sets how many values were counted.
    set_count: fixed64 = 4;
    /// Sets the values' sum.
    set_sum: optional = 5;
    /// The exemplars.
    exemplars: Exemplar = 8;
    /// Sets the flags.
    set_flags: varint32 = 10;
    /// Sets the smallest value.
    set_min: optional = 11;
    /// Sets the largest value.
    set_max: optional = 12;
}}

impl HistogramDataPointMut<'_> {
    /// Sets the count of each bucket, one more than there are bounds.
    pub fn set_bucket_counts(&mut self, counts: &[u64]) {
        put_fixed(self, 6, counts.iter().copied());
    }

    /// Sets the buckets' upper bounds.
    pub fn set_explicit_bounds(&mut self, bounds: &[f64]) {
        put_fixed(self, 7, bounds.iter().map(|bound| bound.to_bits()));
    }
}

setters! { ExponentialHistogramDataPoint {
    /// The attributes.
    attributes: attributes = 1;
    /// Sets the start of its time range, in nanoseconds since 1970.
    set_start_time_unix_nano: fixed64 = 2;
    /// Sets its time, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 3;
    /// Sets how many values were counted.
    set_count: fixed64 = 4;
    /// Sets the values' sum.
    set_sum: optional = 5;
    /// Sets the scale.
    set_scale: sint32 = 6;
    /// Sets how many values were counted as zero.
    set_zero_count: fixed64 = 7;
    /// Sets the flags.
    set_flags: varint32 = 10;
    /// The exemplars.
    exemplars: Exemplar = 11;
    /// Sets the smallest value.
    set_min: optional = 12;
    /// Sets the largest value.
    set_max: optional = 13;
    /// Sets up to which value, of either sign, values count as zero.
    set_zero_threshold: double = 14;
}}

impl ExponentialHistogramDataPointMut<'_> {
    /// Edits the buckets of positive values.
    pub fn positive<R>(&mut self, edit: impl FnOnce(&mut BucketsMut<'_>) -> R) -> R {
        self.body.edit_child(8, |body| MessageMut::with(body, edit))
    }

    /// Edits the buckets of negative values.
    pub fn negative<R>(&mut self, edit: impl FnOnce(&mut BucketsMut<'_>) -> R) -> R {
        self.body.edit_child(9, |body| MessageMut::with(body, edit))
    }
}

setters! { Buckets {
    /// Sets the index of the first bucket.
    set_offset: sint32 = 1;
}}

impl BucketsMut<'_> {
    /// Sets the count of each bucket, from the offset on.
    pub fn set_bucket_counts(&mut self, counts: &[u64]) {
        self.body.put(1 << 2, |out| {
            if !counts.is_empty() {
                put_message(out, 2, |out| counts.iter().for_each(|count| put_varint(out, *count)));
            }
        });
    }
}

setters! { SummaryDataPoint {
    /// The attributes.
    attributes: attributes = 7;
    /// Sets the start of its time range, in nanoseconds since 1970.
    set_start_time_unix_nano: fixed64 = 2;
    /// Sets its time, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 3;
    /// Sets how many values were counted.
    set_count: fixed64 = 4;
    /// Sets the values' sum.
    set_sum: double = 5;
    /// The values at quantiles.
    quantile_values: ValueAtQuantile = 6;
    /// Sets the flags.
    set_flags: varint32 = 8;
}}

setters! { ValueAtQuantile {
    /// Sets the quantile, from 0 to 1.
    set_quantile: double = 1;
    /// Sets the value there.
    set_value: double = 2;
}}

setters! { Exemplar {
    /// The attributes that the metric's view left out.
    filtered_attributes: attributes = 7;
    /// Sets when it was recorded, in nanoseconds since 1970.
    set_time_unix_nano: fixed64 = 2;
    /// Sets the id of the span that it was recorded in: 8 bytes or none.
    set_span_id: bytes = 4;
    /// Sets the id of the trace that it was recorded in: 16 bytes or none.
    set_trace_id: bytes = 5;
}}

impl ExemplarMut<'_> {
    /// Sets the value.
    pub fn set_value(&mut self, value: Option<NumberValue>) {
        put_number(self, 3, value);
    }
}

/// A value: a double under `double`, an integer under 6.
fn put_number<T>(message: &mut MessageMut<'_, T>, double: u32, value: Option<NumberValue>) {
    message.body.put(1 << double | 1 << 6, |out| match value {
        None => {}
        Some(NumberValue::Double(value)) => put_fixed64(out, double, value.to_bits()),
        Some(NumberValue::Int(value)) => put_fixed64(out, 6, value as u64),
    });
}

/// Packed numbers of eight bytes each.
fn put_fixed<T>(
    message: &mut MessageMut<'_, T>,
    number: u32,
    bits: impl ExactSizeIterator<Item = u64>,
) {
    message.body.put(1 << number, |out| {
        if bits.len() > 0 {
            put_message(out, number, |out| bits.for_each(|bits| out.extend(bits.to_le_bytes())));
        }
    });
}
