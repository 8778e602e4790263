//! What a YAML scalar means, by the rules of Go's yaml.v3 (go-yaml/yaml `resolve.go`).
//!
//! Differs from YAML 1.2: `0123` is octal, `1_000` is a thousand, `0b101` is five. Differs from
//! YAML 1.1: `yes`, `no`, `on` and `off` are text, and so are `1:30` and a date.

use saphyr_parser::{ScalarStyle, Tag};

use super::error::Problem;
use crate::Value;

/// The types that a tag can ask for.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Any,
    Null,
    Bool,
    Int,
    Float,
    String,
}

/// Whether a scalar is the merge key `<<`: plain and untagged, or tagged so.
pub(super) fn is_merge(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    text == "<<"
        && match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => tag.is_yaml_core_schema() && tag.suffix == "merge",
        }
}

/// The value of a scalar.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Problem> {
    let wanted = match tag {
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "null" => Wanted::Null,
            "bool" => Wanted::Bool,
            "int" => Wanted::Int,
            "float" => Wanted::Float,
            "binary" => return Err(Problem::BinaryTag),
            _ => Wanted::String,
        },
        Some(_) => Wanted::String,
        None if style != ScalarStyle::Plain => Wanted::String,
        None => Wanted::Any,
    };
    if wanted == Wanted::String {
        return Ok(Value::String(text.into()));
    }
    let value = plain(text);
    match (wanted, &value) {
        (Wanted::Any, _)
        | (Wanted::Null, Value::Null)
        | (Wanted::Bool, Value::Bool(_))
        | (Wanted::Int, Value::Int(_))
        | (Wanted::Float, Value::Float(_)) => Ok(value),
        (Wanted::Float, Value::Int(value)) => Ok(Value::Float(*value as f64)),
        _ => Err(Problem::TagMismatch {
            tag: tag.map_or_else(String::new, |tag| tag.suffix.clone()),
        }),
    }
}

/// The value of a plain scalar without a tag.
pub(crate) fn plain(text: &str) -> Value {
    let word = match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => Some(Value::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Value::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Value::Float(f64::NEG_INFINITY)),
        _ => None,
    };
    word.or_else(|| number(text)).unwrap_or_else(|| Value::String(text.into()))
}

fn number(text: &str) -> Option<Value> {
    match text.as_bytes().first()? {
        b'.' => float(text).map(Value::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            let without_underscores;
            let digits = if text.contains('_') {
                without_underscores = text.replace('_', "");
                &without_underscores
            } else {
                text
            };
            integer(digits).map(Value::Int).or_else(|| float(digits).map(Value::Float))
        }
        _ => None,
    }
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: the prefix says the base.
fn integer(text: &str) -> Option<i128> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would take a second sign.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    let fits = i64::try_from(value).is_ok() || (!signed && value >= 0);
    fits.then_some(value)
}

/// A decimal number as yaml.v3's pattern has it; one beyond the range of a float is text.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if mantissa == "." || mantissa.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::Value;

    #[test]
    fn plain_scalars_mean_what_yaml_v3_makes_of_them() {
        use Value::{Bool, Float, Int, Null};
        let text = |text: &str| Value::String(text.into());
        let cases = [
            ("", Null),
            ("~", Null),
            ("Null", Null),
            ("nULL", text("nULL")),
            ("true", Bool(true)),
            ("FALSE", Bool(false)),
            ("yes", text("yes")),
            ("No", text("No")),
            ("on", text("on")),
            ("off", text("off")),
            ("y", text("y")),
            ("0", Int(0)),
            ("123", Int(123)),
            ("+12", Int(12)),
            ("-12", Int(-12)),
            ("0123", Int(83)),
            ("00", Int(0)),
            ("-0123", Int(-83)),
            ("0o17", Int(15)),
            ("-0o17", Int(-15)),
            ("0o8", text("0o8")),
            ("0129", Float(129.0)),
            ("0xdeadbeef", Int(3_735_928_559)),
            ("0XFF", Int(255)),
            ("0x", text("0x")),
            ("0x-1", text("0x-1")),
            ("0b101", Int(5)),
            ("0b102", text("0b102")),
            ("1_000", Int(1000)),
            ("1__0_", Int(10)),
            ("_1", text("_1")),
            ("2024_01", Int(202_401)),
            ("9223372036854775807", Int(9_223_372_036_854_775_807)),
            ("18446744073709551615", Int(18_446_744_073_709_551_615)),
            ("-9223372036854775808", Int(-9_223_372_036_854_775_808)),
            ("-9223372036854775809", Float(-9_223_372_036_854_775_809.0)),
            ("18446744073709551616", Float(18_446_744_073_709_551_616.0)),
            ("1.5", Float(1.5)),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("+.5", Float(0.5)),
            ("-1.5e-3", Float(-0.0015)),
            ("1e3", Float(1000.0)),
            ("1e", text("1e")),
            ("1e+", text("1e+")),
            ("1e999", text("1e999")),
            ("1_0.5_0", Float(10.5)),
            (".", text(".")),
            ("-", text("-")),
            ("+", text("+")),
            ("-.", text("-.")),
            ("1.2.3", text("1.2.3")),
            ("12e3x", text("12e3x")),
            (".inf", Float(f64::INFINITY)),
            ("-.INF", Float(f64::NEG_INFINITY)),
            ("+.Inf", Float(f64::INFINITY)),
            (".iNF", text(".iNF")),
            ("inf", text("inf")),
            ("nan", text("nan")),
            (".NaN", Float(f64::NAN)),
            ("1:30", text("1:30")),
            ("2023-03-20T03:17:55Z", text("2023-03-20T03:17:55Z")),
            ("2023-03-20", text("2023-03-20")),
            ("0.0.0.0", text("0.0.0.0")),
            ("\u{661}", text("\u{661}")),
        ];
        for (written, value) in cases {
            assert!(plain(written) == value, "{written}");
        }
    }
}
