//! A point of a cumulative series, and what two of them are apart.

use std::sync::Arc;

use super::undo::Amount;
use crate::metrics::sketch::bound;

/// A point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// Its time, in nanoseconds since 1970.
    pub(crate) time: u64,
    /// When its series began to count; 0 when that is not known.
    pub(crate) start: u64,
    /// When it was taken in, by the clock.
    pub(super) seen: u64,
    /// What it says.
    pub(crate) value: Value,
}

/// What a point says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A sum.
    Number(f64),
    /// Count and sum of a summary.
    Summary {
        /// Values.
        count: f64,
        /// Their sum.
        sum: f64,
    },
    /// A histogram with explicit bounds.
    Histogram(Box<Histogram>),
    /// An exponential histogram.
    Exponential(Box<Exponential>),
}

/// A histogram with explicit bounds. A difference of two has the same form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Histogram {
    /// Values.
    pub(crate) count: u64,
    /// Their sum; not a number when it is not known.
    pub(crate) sum: f64,
    /// The lowest.
    pub(crate) min: Option<f64>,
    /// The highest.
    pub(crate) max: Option<f64>,
    /// The bounds between the buckets. Series of one metric mostly share them.
    pub(crate) bounds: Arc<[f64]>,
    /// Values by bucket; none, or one more than there are bounds.
    pub(crate) counts: Box<[u64]>,
}

/// An exponential histogram. A difference of two has the same form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exponential {
    /// Values.
    pub(crate) count: u64,
    /// Their sum; not a number when it is not known.
    pub(crate) sum: f64,
    /// The lowest.
    pub(crate) min: Option<f64>,
    /// The highest.
    pub(crate) max: Option<f64>,
    /// The buckets' base is 2^(2^-scale).
    pub(crate) scale: i32,
    /// Values that count as zero.
    pub(crate) zero_count: u64,
    /// Which these are.
    pub(crate) zero_threshold: f64,
    /// Values above zero.
    pub(crate) positive: Buckets,
    /// Values below zero.
    pub(crate) negative: Buckets,
}

/// Buckets to one side of zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buckets {
    /// The index of the first.
    pub(crate) offset: i32,
    /// Values by bucket.
    pub(crate) counts: Vec<u64>,
}

impl Point {
    /// A point with a start and a time in nanoseconds since 1970.
    pub(crate) fn new(start: u64, time: u64, value: Value) -> Self {
        Self { time, start, seen: 0, value }
    }
}

impl Value {
    /// Bytes that it holds beside itself. Shared bounds are left out.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Number(_) | Self::Summary { .. } => 0,
            Self::Histogram(histogram) => size_of::<Histogram>() + size_of_val(&*histogram.counts),
            Self::Exponential(histogram) => {
                let counts =
                    histogram.positive.counts.capacity() + histogram.negative.counts.capacity();
                size_of::<Exponential>() + counts * size_of::<u64>()
            }
        }
    }

    /// Takes off what has been sent of it and did not arrive.
    pub(super) fn subtract(&mut self, amount: &Amount) {
        match (self, amount) {
            (Self::Number(value), Amount::Number(sent)) => *value -= sent,
            (Self::Summary { count, sum }, Amount::Summary { count: sent, sum: sent_sum }) => {
                *count -= sent;
                *sum -= sent_sum;
            }
            (Self::Histogram(value), Amount::Histogram(sent)) => {
                value.count = value.count.saturating_sub(sent.count);
                value.sum -= sent.sum;
                if value.bounds == sent.bounds {
                    for (count, sent) in value.counts.iter_mut().zip(&sent.counts) {
                        *count = count.saturating_sub(*sent);
                    }
                }
            }
            (Self::Exponential(value), Amount::Exponential(sent)) => {
                value.count = value.count.saturating_sub(sent.count);
                value.sum -= sent.sum;
                value.zero_count = value.zero_count.saturating_sub(sent.zero_count);
                let by = sent.scale.saturating_sub(value.scale);
                for (ours, sent) in
                    [(&mut value.positive, &sent.positive), (&mut value.negative, &sent.negative)]
                {
                    // What was sent in coarser buckets than are kept now cannot be told apart.
                    if by >= 0 {
                        let _more_than_there_is = ours.subtract(&sent.coarser(by));
                    }
                }
            }
            _ => {}
        }
    }
}

impl Histogram {
    /// What was added since `earlier`; `None` when this one counts less, so that it must have been reset.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Self> {
        let is_alike = self.bounds == earlier.bounds && self.counts.len() == earlier.counts.len();
        let counts: Option<Box<[u64]>> = match is_alike {
            true => {
                let pairs = self.counts.iter().zip(&earlier.counts);
                pairs.map(|(now, then)| now.checked_sub(*then)).collect()
            }
            false => self.buckets_since(earlier),
        };
        Some(Self {
            count: self.count.checked_sub(earlier.count)?,
            sum: self.sum - earlier.sum,
            min: self.min,
            max: self.max,
            bounds: self.bounds.clone(),
            counts: counts?,
        })
    }

    /// The same where the bounds have changed: only of buckets that both have is known how many values came to them.
    fn buckets_since(&self, earlier: &Self) -> Option<Box<[u64]>> {
        let mut earlier = earlier.buckets().peekable();
        let since = self.buckets().map(|(low, high, count)| {
            while earlier.next_if(|(then, _, _)| *then < low).is_some() {}
            match earlier.peek() {
                Some((then, end, counted)) if *then == low && *end == high => {
                    count.checked_sub(*counted)
                }
                _ => Some(0),
            }
        });
        since.collect()
    }

    /// Lower bounds, upper bounds and counts of the buckets.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        let bounds = self.bounds.iter().copied();
        let lower = std::iter::once(f64::NEG_INFINITY).chain(bounds.clone());
        let upper = bounds.chain(std::iter::once(f64::INFINITY));
        lower.zip(upper).zip(&self.counts).map(|((lower, upper), count)| (lower, upper, *count))
    }
}

impl Exponential {
    /// What was added since `earlier`; `None` when this one counts less, so that it must have been reset.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Self> {
        let scale = self.scale.min(earlier.scale);
        let (mut now, mut then) = (self.at(scale)?, earlier.at(scale)?);
        if now.zero_threshold > then.zero_threshold {
            let zero = |buckets: &mut Buckets| buckets.take_below(scale, now.zero_threshold);
            let zeros = zero(&mut then.positive) + zero(&mut then.negative);
            then.zero_count = then.zero_count.saturating_add(zeros);
        }
        now.count = now.count.checked_sub(then.count)?;
        now.zero_count = now.zero_count.checked_sub(then.zero_count)?;
        now.sum -= then.sum;
        let is_sum = now.positive.subtract(&then.positive) && now.negative.subtract(&then.negative);
        is_sum.then_some(now)
    }

    /// The same in buckets of a scale that is no finer; `None` when the scales are too far apart to be of one series.
    fn at(&self, scale: i32) -> Option<Self> {
        let by = self.scale.checked_sub(scale)?;
        let (positive, negative) = (self.positive.coarser(by), self.negative.coarser(by));
        Some(Self { scale, positive, negative, ..self.clone() })
    }
}

impl Buckets {
    /// The same in buckets that are 2^`by` times as wide on the logarithmic scale.
    fn coarser(&self, by: i32) -> Self {
        let by = by.clamp(0, 31);
        let mut coarser = Self { offset: self.offset >> by, counts: Vec::new() };
        for (index, count) in (i64::from(self.offset)..).zip(&self.counts) {
            let at = (index >> by) - i64::from(coarser.offset);
            let at = usize::try_from(at).unwrap_or_default();
            if coarser.counts.len() <= at {
                coarser.counts.resize(at + 1, 0);
            }
            if let Some(sum) = coarser.counts.get_mut(at) {
                *sum = sum.saturating_add(*count);
            }
        }
        coarser
    }

    /// Takes off other counts, as far as there are some. Whether there were always enough.
    fn subtract(&mut self, other: &Self) -> bool {
        let mut enough = true;
        for (index, taken) in (i64::from(other.offset)..).zip(&other.counts) {
            let at = usize::try_from(index - i64::from(self.offset)).ok();
            match at.and_then(|at| self.counts.get_mut(at)) {
                Some(count) => {
                    enough &= *count >= *taken;
                    *count = count.saturating_sub(*taken);
                }
                None => enough &= *taken == 0,
            }
        }
        enough
    }

    /// Empties the buckets that lie below a threshold, and returns what was in them.
    fn take_below(&mut self, scale: i32, threshold: f64) -> u64 {
        let mut taken = 0_u64;
        for (index, count) in (i64::from(self.offset) + 1..).zip(&mut self.counts) {
            if bound(index, scale) > threshold {
                break;
            }
            taken = taken.saturating_add(std::mem::take(count));
        }
        taken
    }
}
