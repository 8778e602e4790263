//! Spans: what they say of their sampling stands in their trace state.

use attributes::number::parse_double;
use pdata::edit::SpanMut;
use pdata::view::{AnyValue, Span};

use crate::config::Config;
use crate::sampler::{Arriving, Decision, Item};
use crate::trace_state::{Malformed, TraceState};
use crate::value::{Digits, Threshold};

const PRIORITY: &str = "sampling.priority";

/// Decides on a span, and carries it out. `text` is any buffer.
pub(crate) fn sample(config: &Config, span: &mut SpanMut<'_>, text: &mut Vec<u8>) -> Decision {
    let view = span.view();
    let state = TraceState::parse(view.trace_state.as_bytes());
    let decision = config.sampler.decide(&item(&view, &state), config.fail_closed);
    if !decision.sampled {
        span.remove();
        return decision;
    }
    if let (Some(mark), Ok(state)) = (decision.mark, state) {
        let randomness = mark.randomness.map(|randomness| randomness.digits());
        let threshold = mark.threshold.map(Threshold::digits);
        let (rv, th) = (randomness.as_ref(), threshold.as_ref());
        if state.write_changed(rv.map(Digits::as_bytes), th.map(Digits::as_bytes), text) {
            // All of it is ASCII, or it would not have been understood.
            span.set_trace_state(std::str::from_utf8(text).unwrap_or_default());
        }
    }
    decision
}

fn item(span: &Span<'_>, state: &Result<TraceState<'_>, Malformed>) -> Item {
    Item {
        arriving: state
            .map(|state| Arriving { randomness: state.randomness, threshold: state.threshold }),
        trace_id: trace_id(span.trace_id),
        attribute: None,
        priority: span.attribute(PRIORITY).and_then(|value| priority(&value)),
    }
}

/// A trace id to decide by. Zeros are none.
pub(crate) fn trace_id(id: &[u8]) -> Option<[u8; 16]> {
    <[u8; 16]>::try_from(id).ok().filter(|id| *id != [0; 16])
}

/// What OpenTracing's `sampling.priority` asks for: zero is never, more is always. Clients write it as a number or as text.
fn priority(value: &AnyValue<'_>) -> Option<Threshold> {
    let priority = match value {
        // Only the sign counts, which a double keeps.
        AnyValue::Int(int) => *int as f64,
        AnyValue::Double(double) => *double,
        AnyValue::Str(text) => parse_double(text.as_str())?,
        _ => return None,
    };
    if priority == 0.0 {
        Some(Threshold::NEVER)
    } else {
        (priority > 0.0).then_some(Threshold::ALWAYS)
    }
}
