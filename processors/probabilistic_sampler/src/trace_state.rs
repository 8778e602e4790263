//! The W3C trace state of a span, of which the `ot` member says how the span was sampled.
//!
//! It is read in place: nothing is allocated, and what is not ours is copied through when it is written. The grammar and the limits
//! are those of open-telemetry/opentelemetry-collector-contrib `pkg/sampling/{w3ctracestate,oteltracestate}.go`.

use crate::value::{Randomness, Threshold};

const TEXT_MAX: usize = 1024;
/// Upstream counts one less than the 32 that W3C permits, empty members included.
const MEMBERS_MAX: usize = 31;
const KEY_MAX: usize = 256;
const TENANT_MAX: usize = 241;
const SYSTEM_MAX: usize = 14;
const VALUE_MAX: usize = 256;

/// A trace state that was understood.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TraceState<'a> {
    text: &'a str,
    /// The value of `ot`.
    ot: &'a str,
    rv: &'a str,
    th: &'a str,
    /// Explicit randomness, of `rv`.
    pub(crate) randomness: Option<Randomness>,
    /// How the span was sampled before, of `th`.
    pub(crate) threshold: Option<Threshold>,
}

/// Why a trace state was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("invalid tracestate size")]
    Size,
    #[error("invalid tracestate syntax")]
    Syntax,
    #[error("invalid threshold: expected 1 to 14 hexadecimal digits")]
    Threshold,
    #[error("invalid randomness: expected 14 hexadecimal digits")]
    Randomness,
}

impl<'a> TraceState<'a> {
    /// Reads a trace state. An empty one says nothing.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > TEXT_MAX {
            return Err(Malformed::Size);
        }
        // A comma at the end begins no further member.
        if text.strip_suffix(',').unwrap_or(text).split(',').count() > MEMBERS_MAX {
            return Err(Malformed::Size);
        }
        let mut state = Self { text, ..Self::default() };
        for member in members(text) {
            let (key, value) = member.split_once('=').ok_or(Malformed::Syntax)?;
            check_key(key)?;
            if !is_value(value) {
                return Err(Malformed::Syntax);
            }
            if key == "ot" {
                // The last one counts.
                state = Self { text, ..Self::default() };
                state.read_ot(value)?;
            }
        }
        Ok(state)
    }

    fn read_ot(&mut self, ot: &'a str) -> Result<(), Malformed> {
        self.ot = ot;
        for field in ot.split(';') {
            let (key, value) = field.split_once(':').ok_or(Malformed::Syntax)?;
            let mut letters = key.bytes();
            if !letters.next().is_some_and(|first| first.is_ascii_lowercase())
                || !letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            {
                return Err(Malformed::Syntax);
            }
            match key {
                "rv" => {
                    let randomness = Randomness::parse(value).ok_or(Malformed::Randomness)?;
                    (self.rv, self.randomness) = (value, Some(randomness));
                }
                "th" => {
                    let threshold = Threshold::parse(value).ok_or(Malformed::Threshold)?;
                    (self.th, self.threshold) = (value, Some(threshold));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives away, piece by piece, the trace state with this `rv` and `th`, or its own where they are `None`.
    fn write(&self, rv: Option<&str>, th: Option<&str>, mut put: impl FnMut(&str)) {
        let mut separator = "ot=";
        let mut put_field = |key: &str, value: &str| {
            if !value.is_empty() {
                for part in [separator, key, ":", value] {
                    put(part);
                }
                separator = ";";
            }
        };
        put_field("rv", rv.unwrap_or(self.rv));
        put_field("th", th.unwrap_or(self.th));
        for field in self.ot.split(';').filter(|field| !field.is_empty()) {
            if !field.starts_with("rv:") && !field.starts_with("th:") {
                put(separator);
                put(field);
                separator = ";";
            }
        }
        let mut separator = if separator == ";" { "," } else { "" };
        for member in members(self.text).filter(|member| !member.starts_with("ot=")) {
            put(separator);
            put(member);
            separator = ",";
        }
    }

    /// Puts the trace state with this `rv` and `th` into `out`, unless it is the same as it came. Says whether it did.
    pub(crate) fn write_changed(
        &self,
        rv: Option<&str>,
        th: Option<&str>,
        out: &mut String,
    ) -> bool {
        let mut rest = Some(self.text);
        self.write(rv, th, |part| rest = rest.and_then(|rest| rest.strip_prefix(part)));
        if rest == Some("") {
            return false;
        }
        out.clear();
        self.write(rv, th, |part| out.push_str(part));
        true
    }
}

/// The members that are not empty, without the blanks around them.
fn members(text: &str) -> impl Iterator<Item = &str> {
    let trimmed = text.split(',').map(|member| member.trim_matches([' ', '\t']));
    trimmed.filter(|member| !member.is_empty())
}

fn check_key(key: &str) -> Result<(), Malformed> {
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte);
    let is_sound = |part: &str, may_begin_with_digit: bool| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|first| {
            first.is_ascii_lowercase() || (may_begin_with_digit && first.is_ascii_digit())
        }) && bytes.all(is_inner)
    };
    let (syntax, size) = match key.split_once('@') {
        Some((tenant, system)) => (
            is_sound(tenant, true) && is_sound(system, false),
            tenant.len() <= TENANT_MAX && system.len() <= SYSTEM_MAX,
        ),
        None => (is_sound(key, false), key.len() <= KEY_MAX),
    };
    match (syntax, size) {
        (false, _) => Err(Malformed::Syntax),
        (true, false) => Err(Malformed::Size),
        (true, true) => Ok(()),
    }
}

/// Printable text without commas and equals signs that does not end in a blank.
fn is_value(value: &str) -> bool {
    let is_printable = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b',' && byte != b'=';
    !value.is_empty()
        && value.len() <= VALUE_MAX
        && value.bytes().all(is_printable)
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests;
