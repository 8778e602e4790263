//! The action `hash`: SHA-256 in lower-case hex.

use pdata::view::AnyValue;
use sha2::{Digest as _, Sha256};

/// The hash of a value: text by its bytes, booleans as one byte, numbers as their eight bytes, the lowest first. What is none of these
/// becomes empty text. As open-telemetry/opentelemetry-collector-contrib `internal/coreinternal/attraction/hasher.go`.
pub(crate) fn hash(value: &AnyValue<'_>) -> String {
    let digest = match value {
        AnyValue::Str(text) => Sha256::digest(text.as_bytes()),
        AnyValue::Bool(value) => Sha256::digest([u8::from(*value)]),
        AnyValue::Int(value) => Sha256::digest(value.to_le_bytes()),
        AnyValue::Double(value) => Sha256::digest(value.to_le_bytes()),
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::KeyValueList(_) | AnyValue::Bytes(_) => {
            return String::new();
        }
    };
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
