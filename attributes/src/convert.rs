//! The action `convert`.

use pdata::edit::ValueBuf;
use pdata::view::AnyValue;

use crate::number::{parse_double, parse_int};
use pdata::text::to_text;

/// A type that values are converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Int,
    Double,
    String,
}

/// The value as one of another type; nothing when it is of that type, or cannot be converted and stays as it is. As
/// open-telemetry/opentelemetry-collector-contrib `internal/coreinternal/attraction/type_converter.go`.
pub(crate) fn convert(value: &AnyValue<'_>, target: Target) -> Option<ValueBuf> {
    match (target, value) {
        (Target::String, AnyValue::Str(_)) => None,
        (Target::String, value) => Some(to_text(value).as_str().into()),
        (Target::Int, AnyValue::Bool(value)) => Some(i64::from(*value).into()),
        (Target::Int, AnyValue::Str(text)) => parse_int(text.as_str()).map(ValueBuf::from),
        // Cut off at the point; what is too large becomes the largest, and NaN zero, where Go's result depends on the processor.
        (Target::Int, AnyValue::Double(value)) => Some((*value as i64).into()),
        (Target::Double, AnyValue::Bool(value)) => Some(f64::from(u8::from(*value)).into()),
        (Target::Double, AnyValue::Str(text)) => parse_double(text.as_str()).map(ValueBuf::from),
        (Target::Double, AnyValue::Int(value)) => Some((*value as f64).into()),
        (Target::Int | Target::Double, _) => None,
    }
}
