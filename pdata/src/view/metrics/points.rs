//! Data points.

use super::super::{Attributes, Extent, Message, Repeated};
use crate::wire::{FieldValue, Reader, zigzag};

/// A value of a gauge, a sum or an exemplar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberValue {
    /// A double.
    Double(f64),
    /// An integer.
    Int(i64),
}

/// Numbers that repeat, packed or not: `fixed64`, `double` and `uint64` fields.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    body: &'a [u8],
    number: u32,
}

impl<'a> Packed<'a> {
    /// The numbers as they stand on the wire.
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<'a> {
        let number = self.number;
        Reader::new(self.body).filter(move |f| f.number == number).flat_map(|f| match f.value {
            FieldValue::Fixed64(bits) | FieldValue::Varint(bits) => Numbers::One(Some(bits)),
            FieldValue::Len(packed) => Numbers::Fixed(packed),
            _ => Numbers::One(None),
        })
    }

    /// The numbers as doubles.
    pub fn doubles(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.iter().map(f64::from_bits)
    }

    /// The numbers of a `uint64` field, whose packed form is varints.
    fn varints(self) -> impl Iterator<Item = u64> + use<'a> {
        Reader::new(self.body).filter(move |f| f.number == self.number).flat_map(|f| {
            match f.value {
                FieldValue::Len(packed) => Numbers::Varints(Reader::new(packed)),
                FieldValue::Varint(value) => Numbers::One(Some(value)),
                _ => Numbers::One(None),
            }
        })
    }
}

/// The numbers of one occurrence.
enum Numbers<'a> {
    One(Option<u64>),
    Fixed(&'a [u8]),
    Varints(Reader<'a>),
}

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Numbers::One(value) => value.take(),
            Numbers::Fixed(rest) => {
                let (head, tail) = rest.split_first_chunk::<8>()?;
                *rest = tail;
                Some(u64::from_le_bytes(*head))
            }
            Numbers::Varints(reader) => reader.varint(),
        }
    }
}

/// A point of a gauge or a sum.
#[derive(Clone, Copy, Debug)]
pub struct NumberDataPoint<'a> {
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Start of its time range, in nanoseconds since 1970; 0 when unknown.
    pub start_time_unix_nano: u64,
    /// Its time, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Value.
    pub value: Option<NumberValue>,
    /// Exemplars.
    pub exemplars: Repeated<'a, Exemplar<'a>>,
    /// `DataPointFlags`.
    pub flags: u32,
}

impl<'a> Message<'a> for NumberDataPoint<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            attributes: Repeated::all_of(&[], 7),
            start_time_unix_nano: 0,
            time_unix_nano: 0,
            value: None,
            exemplars: Repeated::all_of(&[], 5),
            flags: 0,
        };
        let (mut attributes, mut exemplars) = (Extent::NONE, Extent::NONE);
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (2, FieldValue::Fixed64(time)) => this.start_time_unix_nano = time,
                (3, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (4, FieldValue::Fixed64(bits)) => this.value = Some(double(bits)),
                (5, _) => exemplars.add(body, &field),
                (6, FieldValue::Fixed64(bits)) => this.value = Some(NumberValue::Int(bits as i64)),
                (7, _) => attributes.add(body, &field),
                (8, FieldValue::Varint(flags)) => this.flags = flags as u32,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(7);
        this.exemplars = exemplars.repeated(5);
        this
    }
}

/// A point of a histogram with explicit bounds.
#[derive(Clone, Copy, Debug)]
pub struct HistogramDataPoint<'a> {
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Start of its time range, in nanoseconds since 1970; 0 when unknown.
    pub start_time_unix_nano: u64,
    /// Its time, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Values counted.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// Count by bucket, one more than there are bounds: read with [`Packed::iter`].
    pub bucket_counts: Packed<'a>,
    /// Upper bounds, read with [`Packed::doubles`].
    pub explicit_bounds: Packed<'a>,
    /// Exemplars.
    pub exemplars: Repeated<'a, Exemplar<'a>>,
    /// `DataPointFlags`.
    pub flags: u32,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

impl<'a> Message<'a> for HistogramDataPoint<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            attributes: Repeated::all_of(&[], 9),
            start_time_unix_nano: 0,
            time_unix_nano: 0,
            count: 0,
            sum: None,
            bucket_counts: Packed { body, number: 6 },
            explicit_bounds: Packed { body, number: 7 },
            exemplars: Repeated::all_of(&[], 8),
            flags: 0,
            min: None,
            max: None,
        };
        let (mut attributes, mut exemplars) = (Extent::NONE, Extent::NONE);
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (2, FieldValue::Fixed64(time)) => this.start_time_unix_nano = time,
                (3, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (4, FieldValue::Fixed64(count)) => this.count = count,
                (5, FieldValue::Fixed64(bits)) => this.sum = Some(f64::from_bits(bits)),
                (8, _) => exemplars.add(body, &field),
                (9, _) => attributes.add(body, &field),
                (10, FieldValue::Varint(flags)) => this.flags = flags as u32,
                (11, FieldValue::Fixed64(bits)) => this.min = Some(f64::from_bits(bits)),
                (12, FieldValue::Fixed64(bits)) => this.max = Some(f64::from_bits(bits)),
                _ => {}
            }
        }
        this.attributes = attributes.repeated(9);
        this.exemplars = exemplars.repeated(8);
        this
    }
}

/// A point of an exponential histogram.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialHistogramDataPoint<'a> {
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Start of its time range, in nanoseconds since 1970; 0 when unknown.
    pub start_time_unix_nano: u64,
    /// Its time, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Values counted.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// The base is 2 to the power of 2 to the power of minus `scale`.
    pub scale: i32,
    /// Values counted as zero.
    pub zero_count: u64,
    /// Buckets of positive values.
    pub positive: Buckets<'a>,
    /// Buckets of negative values.
    pub negative: Buckets<'a>,
    /// `DataPointFlags`.
    pub flags: u32,
    /// Exemplars.
    pub exemplars: Repeated<'a, Exemplar<'a>>,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// Values up to this one, either sign, count as zero.
    pub zero_threshold: f64,
}

impl<'a> Message<'a> for ExponentialHistogramDataPoint<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            attributes: Repeated::all_of(&[], 1),
            start_time_unix_nano: 0,
            time_unix_nano: 0,
            count: 0,
            sum: None,
            scale: 0,
            zero_count: 0,
            positive: Buckets::read(&[]),
            negative: Buckets::read(&[]),
            flags: 0,
            exemplars: Repeated::all_of(&[], 11),
            min: None,
            max: None,
            zero_threshold: 0.0,
        };
        let (mut attributes, mut exemplars) = (Extent::NONE, Extent::NONE);
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, _) => attributes.add(body, &field),
                (2, FieldValue::Fixed64(time)) => this.start_time_unix_nano = time,
                (3, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (4, FieldValue::Fixed64(count)) => this.count = count,
                (5, FieldValue::Fixed64(bits)) => this.sum = Some(f64::from_bits(bits)),
                (6, FieldValue::Varint(scale)) => this.scale = sint32(scale),
                (7, FieldValue::Fixed64(count)) => this.zero_count = count,
                (8, FieldValue::Len(buckets)) => this.positive = Buckets::read(buckets),
                (9, FieldValue::Len(buckets)) => this.negative = Buckets::read(buckets),
                (10, FieldValue::Varint(flags)) => this.flags = flags as u32,
                (11, _) => exemplars.add(body, &field),
                (12, FieldValue::Fixed64(bits)) => this.min = Some(f64::from_bits(bits)),
                (13, FieldValue::Fixed64(bits)) => this.max = Some(f64::from_bits(bits)),
                (14, FieldValue::Fixed64(bits)) => this.zero_threshold = f64::from_bits(bits),
                _ => {}
            }
        }
        this.attributes = attributes.repeated(1);
        this.exemplars = exemplars.repeated(11);
        this
    }
}

/// Buckets of one sign of an exponential histogram.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// Index of the first bucket.
    pub offset: i32,
    counts: Packed<'a>,
}

impl<'a> Buckets<'a> {
    /// Count by bucket, from `offset` on.
    pub fn bucket_counts(&self) -> impl Iterator<Item = u64> + use<'a> {
        self.counts.varints()
    }
}

impl<'a> Message<'a> for Buckets<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut offset = 0;
        for field in Reader::new(body) {
            if let (1, FieldValue::Varint(value)) = (field.number, field.value) {
                offset = sint32(value);
            }
        }
        Self { offset, counts: Packed { body, number: 2 } }
    }
}

/// A point of a summary.
#[derive(Clone, Copy, Debug)]
pub struct SummaryDataPoint<'a> {
    /// Attributes.
    pub attributes: Attributes<'a>,
    /// Start of its time range, in nanoseconds since 1970; 0 when unknown.
    pub start_time_unix_nano: u64,
    /// Its time, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Values counted.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Values at quantiles.
    pub quantile_values: Repeated<'a, ValueAtQuantile>,
    /// `DataPointFlags`.
    pub flags: u32,
}

impl<'a> Message<'a> for SummaryDataPoint<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            attributes: Repeated::all_of(&[], 7),
            start_time_unix_nano: 0,
            time_unix_nano: 0,
            count: 0,
            sum: 0.0,
            quantile_values: Repeated::all_of(body, 6),
            flags: 0,
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (2, FieldValue::Fixed64(time)) => this.start_time_unix_nano = time,
                (3, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (4, FieldValue::Fixed64(count)) => this.count = count,
                (5, FieldValue::Fixed64(bits)) => this.sum = f64::from_bits(bits),
                (7, _) => attributes.add(body, &field),
                (8, FieldValue::Varint(flags)) => this.flags = flags as u32,
                _ => {}
            }
        }
        this.attributes = attributes.repeated(7);
        this
    }
}

/// A summary's value at a quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueAtQuantile {
    /// From 0 to 1.
    pub quantile: f64,
    /// The value there.
    pub value: f64,
}

impl<'a> Message<'a> for ValueAtQuantile {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self { quantile: 0.0, value: 0.0 };
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (1, FieldValue::Fixed64(bits)) => this.quantile = f64::from_bits(bits),
                (2, FieldValue::Fixed64(bits)) => this.value = f64::from_bits(bits),
                _ => {}
            }
        }
        this
    }
}

/// A value that stands for those a point summarises, with its trace.
#[derive(Clone, Copy, Debug)]
pub struct Exemplar<'a> {
    /// Attributes that the metric's view left out.
    pub filtered_attributes: Attributes<'a>,
    /// When, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Value.
    pub value: Option<NumberValue>,
    /// The span it was recorded in; 8 bytes or empty.
    pub span_id: &'a [u8],
    /// The trace it was recorded in; 16 bytes or empty.
    pub trace_id: &'a [u8],
}

impl<'a> Message<'a> for Exemplar<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            filtered_attributes: Repeated::all_of(&[], 7),
            time_unix_nano: 0,
            value: None,
            span_id: &[],
            trace_id: &[],
        };
        let mut attributes = Extent::NONE;
        for field in Reader::new(body) {
            match (field.number, field.value) {
                (2, FieldValue::Fixed64(time)) => this.time_unix_nano = time,
                (3, FieldValue::Fixed64(bits)) => this.value = Some(double(bits)),
                (4, FieldValue::Len(id)) => this.span_id = id,
                (5, FieldValue::Len(id)) => this.trace_id = id,
                (6, FieldValue::Fixed64(bits)) => this.value = Some(NumberValue::Int(bits as i64)),
                (7, _) => attributes.add(body, &field),
                _ => {}
            }
        }
        this.filtered_attributes = attributes.repeated(7);
        this
    }
}

fn double(bits: u64) -> NumberValue {
    NumberValue::Double(f64::from_bits(bits))
}

fn sint32(value: u64) -> i32 {
    zigzag(value & 0xffff_ffff) as i32
}
