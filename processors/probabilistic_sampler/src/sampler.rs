//! The decision on one item, whatever its signal: what says how random it is, which threshold it has to reach, and what is written into it.
//!
//! The order of the steps is that of open-telemetry/opentelemetry-collector-contrib
//! `processor/probabilisticsamplerprocessor/sampler_mode.go`.

use crate::hash::{self, Seeded};
use crate::trace_state::Malformed;
use crate::value::{Randomness, Threshold};

/// How items are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sampler {
    /// Takes nothing.
    Never,
    /// By a hash of the trace id or of an attribute; an item must not say yet how it was sampled.
    HashSeed { hash: Seeded, threshold: Threshold },
    /// Raises an item's threshold up to a fixed one.
    Equalizing { threshold: Threshold },
    /// Multiplies an item's probability.
    Proportional { ratio: f64, precision: usize },
}

/// What is to be known of an item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// What it says of its sampling so far.
    pub(crate) arriving: Result<Arriving, Malformed>,
    /// Its trace's id, if it has one.
    pub(crate) trace_id: Option<[u8; 16]>,
    /// The randomness of an attribute, for want of a trace id.
    pub(crate) attribute: Option<Randomness>,
    /// The threshold that its priority stands for, whatever the mode says.
    pub(crate) priority: Option<Threshold>,
}

/// How an item was sampled before it came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arriving {
    pub(crate) randomness: Option<Randomness>,
    pub(crate) threshold: Option<Threshold>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) sampled: bool,
    pub(crate) policy: Policy,
    /// What stood in the way of a decision by the mode.
    pub(crate) fault: Option<Fault>,
    /// Whether the item is dropped for that.
    pub(crate) failed: bool,
    /// What to write into an item that is kept.
    pub(crate) mark: Option<Mark>,
}

/// What an item has to say from now on; `None` leaves what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) randomness: Option<Randomness>,
    pub(crate) threshold: Option<Threshold>,
}

/// What a decision was taken by, as the metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    SamplingPriority,
    MissingRandomness,
    TraceIdHash,
    TraceIdW3c,
    SamplingRandomness,
    /// Goes by the name of the attribute.
    Attribute,
}

/// Why the mode could not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("inconsistent arriving threshold: item should not have been sampled")]
    Inconsistent,
    #[error("missing randomness")]
    MissingRandomness,
    #[error("item has sampling randomness, equalizing or proportional mode recommended")]
    RandomnessInUse,
    #[error("item has sampling threshold, equalizing or proportional mode recommended")]
    ThresholdInUse,
    #[error(transparent)]
    Malformed(Malformed),
}

/// Randomness, and where it is from.
type Drawn = Option<(Randomness, Policy)>;

impl Sampler {
    /// The sampler of `hash_seed` mode for a percentage up to 100.
    pub(crate) fn hash_seed(percentage: f32, seed: u32) -> Self {
        let hash = Seeded::new(seed);
        hash::threshold(percentage)
            .map_or(Self::Never, |threshold| Self::HashSeed { hash, threshold })
    }

    /// Decides on an item. `fail_closed` drops what the mode cannot decide.
    pub(crate) fn decide(&self, item: &Item, fail_closed: bool) -> Decision {
        let (drawn, mut fault) = self.draw(item);
        // What cannot be read is not written either.
        let mut arriving = item.arriving.ok().filter(|_| fault.is_none());
        if let (None, Some(known)) = (fault, &mut arriving) {
            fault = check(drawn, known);
        }
        let (randomness, policy) = drawn.unwrap_or((Randomness::MAX, Policy::MissingRandomness));
        let threshold = match (fault, &arriving) {
            (None, Some(arriving)) => self.threshold(arriving),
            _ if fail_closed => Threshold::NEVER,
            _ => Threshold::ALWAYS,
        };
        let (threshold, policy) = match item.priority {
            Some(threshold) => (threshold, Policy::SamplingPriority),
            None => (threshold, policy),
        };
        let sampled = threshold.takes(randomness);
        let mark = arriving.filter(|_| sampled).map(|arriving| Mark {
            randomness: matches!(self, Self::HashSeed { .. }).then_some(randomness),
            // A probability never rises: what was rejected before is gone.
            threshold: Some(threshold)
                .filter(|new| arriving.threshold.is_none_or(|old| old <= *new)),
        });
        let failed = fault.is_some() && fail_closed && item.priority.is_none();
        Decision { sampled, policy, fault, failed, mark }
    }

    /// Where the randomness is from, and what forbids this mode to decide by it.
    fn draw(&self, item: &Item) -> (Drawn, Option<Fault>) {
        let malformed = item.arriving.err().map(Fault::Malformed);
        let arriving = item.arriving.unwrap_or_default();
        match self {
            // Any will do, and the name is upstream's.
            Self::Never => (Some((Randomness::MAX, Policy::SamplingPriority)), malformed),
            Self::HashSeed { hash, .. } => {
                let in_use = match arriving {
                    Arriving { randomness: Some(_), .. } => Some(Fault::RandomnessInUse),
                    Arriving { threshold: Some(_), .. } => Some(Fault::ThresholdInUse),
                    _ => None,
                };
                let of_trace = item.trace_id.map(|id| (hash.randomness(&id), Policy::TraceIdHash));
                let of_attribute = item.attribute.map(|randomness| (randomness, Policy::Attribute));
                (of_trace.or(of_attribute), malformed.or(in_use))
            }
            Self::Equalizing { .. } | Self::Proportional { .. } => {
                let of_trace =
                    item.trace_id.map(|id| (Randomness::of_trace_id(&id), Policy::TraceIdW3c));
                let explicit = arriving.randomness.map(|own| (own, Policy::SamplingRandomness));
                (explicit.or(of_trace).filter(|_| malformed.is_none()), malformed)
            }
        }
    }

    /// The threshold that an item has to reach.
    fn threshold(&self, arriving: &Arriving) -> Threshold {
        match *self {
            Self::Never => Threshold::NEVER,
            Self::HashSeed { threshold, .. } => threshold,
            Self::Equalizing { threshold } => {
                arriving.threshold.map_or(threshold, |before| before.max(threshold))
            }
            Self::Proportional { ratio, precision } => {
                let before = arriving.threshold.map_or(1.0, Threshold::probability);
                // A product below the smallest probability takes nothing.
                Threshold::of_probability(before * ratio, precision).unwrap_or(Threshold::NEVER)
            }
        }
    }
}

/// Whether the randomness bears out the threshold that the item came with. Where it does not, the threshold is forgotten.
fn check(drawn: Drawn, arriving: &mut Arriving) -> Option<Fault> {
    let Some((randomness, _)) = drawn else { return Some(Fault::MissingRandomness) };
    arriving.threshold.take_if(|threshold| !threshold.takes(randomness))?;
    Some(Fault::Inconsistent)
}

impl Policy {
    /// The name in metrics. That of an attribute is its own.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SamplingPriority => "sampling_priority",
            Self::MissingRandomness => "missing_randomness",
            Self::TraceIdHash => "trace_id_hash",
            Self::TraceIdW3c => "trace_id_w3c",
            Self::SamplingRandomness => "sampling_randomness",
            Self::Attribute => "attribute",
        }
    }
}
