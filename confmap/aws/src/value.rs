//! Values: fields of JSON, and defaults.

use confmap::{ProviderError, Reference, Retrieved};
use serde_json::Value;

use crate::{Failure, Kind, Reading, Spec, Wanted, label};

/// Why a field can't be taken out of a value. Repeats nothing of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The value is no JSON object.
    #[error("it is no JSON object, so it has no fields; leave out the # and what follows")]
    NotAnObject,
    /// The value is no text.
    #[error("it is binary; only text can be used")]
    Binary,
    /// The object lacks the field.
    #[error("it has no field of that name")]
    NoField,
}

/// A field of a value that is a JSON object. A string is taken as it is; anything else keeps its type.
///
/// # Errors
/// When there is none.
pub fn field(text: &str, key: &str) -> Result<Retrieved, FieldError> {
    let object: Option<Value> = serde_json::from_str(text).ok();
    let object = object.filter(Value::is_object).ok_or(FieldError::NotAnObject)?;
    let retrieved = match object.get(key).ok_or(FieldError::NoField)? {
        Value::String(text) => Retrieved::literal(text.as_str()),
        // JSON is YAML.
        other => Retrieved::yaml(other.to_string()).unexpanded(),
    };
    Ok(retrieved.secret())
}

/// What a reference yields, given what was read: of it, what `take` makes; or the default, if there is no such thing or no such field.
///
/// # Errors
/// What is wrong, with its remedy; any failure but that there is none, whether there is a default or not.
pub fn yielded<V>(
    reference: &Reference,
    spec: &Spec,
    reading: Result<Reading<V>, Failure>,
    take: impl FnOnce(&V) -> Result<Retrieved, FieldError>,
    wanted: Wanted,
) -> Result<Retrieved, ProviderError> {
    let of_field = |error| ProviderError::new(format!("cannot read {}: {error}", label(reference)));
    let (error, is_absent) = match reading {
        Ok(reading) => match take(&reading.value) {
            Ok(retrieved) => return Ok(spec.refreshed(reading.warn(reference, retrieved))),
            Err(error) => (of_field(error), error == FieldError::NoField),
        },
        Err(failure) => (failure.at(reference, wanted), failure.kind() == Kind::NotFound),
    };
    match &spec.default {
        Some(text) if is_absent => {
            let warning = format!("{} does not exist; its default is used", label(reference));
            Ok(spec.refreshed(default(text).warning(warning)))
        }
        _ => Err(error),
    }
}

/// A default, read as that of a variable is. It stands in the configuration, so it is no secret.
fn default(text: &str) -> Retrieved {
    // Nothing behind `:-` is the empty text, where parsing it would give null.
    if text.is_empty() { Retrieved::string("") } else { Retrieved::yaml(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_there_says_so_without_the_value() {
        let text = r#"{"user": "canary", "port": 5432}"#;
        assert!(field(text, "user").is_ok() && field(text, "port").is_ok());
        assert_eq!(field(text, "canary").unwrap_err(), FieldError::NoField);
        for text in ["canary", "[\"canary\"]", "\"canary\"", ""] {
            let error = field(text, "user").unwrap_err();
            assert_eq!(error, FieldError::NotAnObject);
            assert!(!error.to_string().contains("canary"));
        }
    }
}
