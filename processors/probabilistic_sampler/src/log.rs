//! Log records: what they say of their sampling stands in two attributes.

use std::borrow::Cow;

use pdata::edit::LogRecordMut;
use pdata::text::to_text;
use pdata::view::{AnyValue, LogRecord};

use crate::config::Config;
use crate::sampler::{Arriving, Decision, Fault, Item, Sampler};
use crate::span::trace_id;
use crate::trace_state::Malformed;
use crate::value::{Randomness, Threshold};

const THRESHOLD: &str = "sampling.threshold";
const RANDOMNESS: &str = "sampling.randomness";

/// The attributes of a record that a decision depends on.
#[derive(Default)]
struct Attributes<'a> {
    threshold: Option<AnyValue<'a>>,
    randomness: Option<AnyValue<'a>>,
    source: Option<AnyValue<'a>>,
    priority: Option<AnyValue<'a>>,
}

/// Decides on a log record, and carries it out.
pub(crate) fn sample(config: &Config, record: &mut LogRecordMut<'_>) -> Decision {
    let view = record.view();
    let attributes = Attributes::of(&view, config);
    let before = text_of(attributes.threshold);
    let item = item(config, &view, &attributes);
    let decision = config.sampler.decide(&item, config.fail_closed);
    if !decision.sampled {
        record.remove();
        return decision;
    }
    let Some(mark) = decision.mark else { return decision };
    let threshold = mark.threshold.map(Threshold::digits);
    let threshold = threshold.filter(|threshold| before != Some(threshold.as_bytes()));
    // A record that has nothing random about it says nothing of it.
    let drawn = mark.randomness.filter(|_| decision.fault != Some(Fault::MissingRandomness));
    if let Some(randomness) = drawn {
        put(record, RANDOMNESS, randomness.digits().as_str());
    }
    if let Some(threshold) = threshold {
        put(record, THRESHOLD, threshold.as_str());
    }
    decision
}

impl<'a> Attributes<'a> {
    /// Found in one walk; of a repeated key the first counts.
    fn of(record: &LogRecord<'a>, config: &Config) -> Self {
        let mut found = Self::default();
        for attribute in record.attributes {
            let key = attribute.key;
            let is = |name: &Option<String>| name.as_ref().is_some_and(|name| key == name.as_str());
            let wanted = [
                (&mut found.threshold, key == THRESHOLD),
                (&mut found.randomness, key == RANDOMNESS),
                (&mut found.source, is(&config.from_attribute)),
                (&mut found.priority, is(&config.sampling_priority)),
            ];
            for (place, is_it) in wanted {
                if is_it && place.is_none() {
                    *place = Some(attribute.value);
                }
            }
        }
        found
    }
}

fn item(config: &Config, record: &LogRecord<'_>, attributes: &Attributes<'_>) -> Item {
    let mut item = Item {
        arriving: arriving(attributes),
        trace_id: trace_id(record.trace_id),
        attribute: None,
        priority: attributes.priority.and_then(|value| priority(&value, config.precision)),
    };
    if let Sampler::HashSeed { hash, .. } = &config.sampler {
        item.trace_id = item.trace_id.filter(|_| config.by_trace_id);
        if let (None, Some(source)) = (item.trace_id, &attributes.source) {
            let bytes = bytes_of(source);
            item.attribute = (!bytes.is_empty()).then(|| hash.randomness(&bytes));
        }
    }
    item
}

fn arriving(attributes: &Attributes<'_>) -> Result<Arriving, Malformed> {
    let threshold = text_of(attributes.threshold).map(Threshold::parse);
    let randomness = text_of(attributes.randomness).map(Randomness::parse);
    match (threshold, randomness) {
        (Some(None), _) => Err(Malformed::Threshold),
        (_, Some(None)) => Err(Malformed::Randomness),
        (threshold, randomness) => {
            Ok(Arriving { threshold: threshold.flatten(), randomness: randomness.flatten() })
        }
    }
}

/// The text of a value; what is no text, or is empty, is not there.
fn text_of(value: Option<AnyValue<'_>>) -> Option<&[u8]> {
    match value {
        Some(AnyValue::Str(text)) if !text.is_empty() => Some(text.as_bytes()),
        _ => None,
    }
}

/// The threshold of a priority, which is a percentage above 0 and up to 100. Anything else is as if it were not there.
fn priority(value: &AnyValue<'_>, precision: usize) -> Option<Threshold> {
    let percentage = match value {
        AnyValue::Int(int) => *int as f64,
        AnyValue::Double(double) => *double,
        _ => return None,
    };
    Threshold::of_probability(percentage / 100.0, precision)
}

/// What is hashed of a value: bytes as they are, everything else as text.
fn bytes_of<'a>(value: &AnyValue<'a>) -> Cow<'a, [u8]> {
    match value {
        AnyValue::Bytes(bytes) => Cow::Borrowed(bytes),
        AnyValue::Str(text) => Cow::Borrowed(text.as_bytes()),
        value => Cow::Owned(to_text(value).into_bytes()),
    }
}

fn put(record: &mut LogRecordMut<'_>, key: &str, text: &str) {
    // Text nests nothing, so it fits wherever an attribute does.
    let _fits = record.attributes().set(key, text);
}
