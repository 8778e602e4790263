//! Metrics and their data points.

mod points;

pub use points::{
    Buckets, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint,
    NumberValue, Packed, SummaryDataPoint, ValueAtQuantile,
};

use super::{Attributes, Extent, Message, Repeated, Resource, Scope, Str, TopLevel};
use crate::Signal;
use crate::wire::{FieldValue, Reader};

groups! {
    /// Metrics of one resource.
    ResourceMetrics { scope_metrics }
    /// Metrics of one scope.
    ScopeMetrics { metrics: Metric }
    of Metrics
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// Name.
    pub name: Str<'a>,
    /// Description.
    pub description: Str<'a>,
    /// Unit, in UCUM.
    pub unit: Str<'a>,
    /// Its data points, by kind.
    pub data: Data<'a>,
    /// Metadata.
    pub metadata: Attributes<'a>,
}

/// A metric's data points, by kind.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// None, or of a kind that is not known here.
    Empty,
    /// Sampled values.
    Gauge(Repeated<'a, NumberDataPoint<'a>>),
    /// Sums.
    Sum {
        /// The points.
        points: Repeated<'a, NumberDataPoint<'a>>,
        /// What a point's time range is.
        temporality: Temporality,
        /// Whether the sum only grows.
        monotonic: bool,
    },
    /// Histograms with explicit bounds.
    Histogram {
        /// The points.
        points: Repeated<'a, HistogramDataPoint<'a>>,
        /// What a point's time range is.
        temporality: Temporality,
    },
    /// Exponential histograms.
    ExponentialHistogram {
        /// The points.
        points: Repeated<'a, ExponentialHistogramDataPoint<'a>>,
        /// What a point's time range is.
        temporality: Temporality,
    },
    /// Summaries.
    Summary(Repeated<'a, SummaryDataPoint<'a>>),
}

impl<'a> Message<'a> for Metric<'a> {
    fn read(body: &'a [u8]) -> Self {
        let mut this = Self {
            name: Str::default(),
            description: Str::default(),
            unit: Str::default(),
            data: Data::Empty,
            metadata: Repeated::all_of(&[], 12),
        };
        let mut metadata = Extent::NONE;
        for field in Reader::new(body) {
            let FieldValue::Len(value) = field.value else { continue };
            match field.number {
                1 => this.name = Str::from_field(value),
                2 => this.description = Str::from_field(value),
                3 => this.unit = Str::from_field(value),
                5 => this.data = Data::Gauge(Repeated::all_of(value, 1)),
                7 => {
                    this.data = Data::Sum {
                        points: Repeated::all_of(value, 1),
                        temporality: Temporality::read(value),
                        monotonic: last_varint(value, 3) != 0,
                    }
                }
                9 => {
                    this.data = Data::Histogram {
                        points: Repeated::all_of(value, 1),
                        temporality: Temporality::read(value),
                    }
                }
                10 => {
                    this.data = Data::ExponentialHistogram {
                        points: Repeated::all_of(value, 1),
                        temporality: Temporality::read(value),
                    }
                }
                11 => this.data = Data::Summary(Repeated::all_of(value, 1)),
                12 => metadata.add(body, &field),
                _ => {}
            }
        }
        this.metadata = metadata.repeated(12);
        this
    }
}

/// What a data point's time range is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// Not stated.
    #[default]
    Unspecified,
    /// Since the last point.
    Delta,
    /// Since a fixed start.
    Cumulative,
}

impl Temporality {
    fn read(body: &[u8]) -> Self {
        match last_varint(body, 2) as u32 {
            1 => Temporality::Delta,
            2 => Temporality::Cumulative,
            _ => Temporality::Unspecified,
        }
    }
}

fn last_varint(body: &[u8], number: u32) -> u64 {
    let mut last = 0;
    for field in Reader::new(body) {
        if let FieldValue::Varint(value) = field.value
            && field.number == number
        {
            last = value;
        }
    }
    last
}
