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

/// What a byte may stand in: a set of the constants below.
static CLASSES: [u8; 256] = classes();
const BEGINS_KEY: u8 = 1;
const DIGIT: u8 = 2;
const IN_KEY: u8 = 4;
const IN_VALUE: u8 = 8;
const IN_OT_KEY: u8 = 16;
const IN_OT_VALUE: u8 = 32;

/// A trace state that was understood.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TraceState<'a> {
    text: &'a [u8],
    /// The value of `ot`.
    ot: &'a [u8],
    rv: &'a [u8],
    th: &'a [u8],
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
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Malformed> {
        if text.len() > TEXT_MAX {
            return Err(Malformed::Size);
        }
        let (mut state, mut count) = (Self { text, ..Self::default() }, 0);
        // A comma at the end begins no further member.
        for member in text.strip_suffix(b",").unwrap_or(text).split(|byte| *byte == b',') {
            count += 1;
            if count > MEMBERS_MAX {
                return Err(Malformed::Size);
            }
            let member = trimmed(member);
            if member.is_empty() {
                continue;
            }
            let (key, value) = halves(member, b'=').ok_or(Malformed::Syntax)?;
            if key == b"ot" {
                // The last one counts.
                state = Self { text, ..Self::default() };
                state.read_ot(value)?;
            } else {
                check_key(key)?;
                check_value(value)?;
            }
        }
        Ok(state)
    }

    /// Its grammar is narrower than that of other values, but for what it ends in.
    fn read_ot(&mut self, ot: &'a [u8]) -> Result<(), Malformed> {
        if ot.len() > VALUE_MAX {
            return Err(Malformed::Syntax);
        }
        self.ot = ot;
        for field in ot.split(|byte| *byte == b';') {
            let (key, value) = halves(field, b':').ok_or(Malformed::Syntax)?;
            if !are(value, IN_OT_VALUE) {
                return Err(Malformed::Syntax);
            }
            match key {
                b"rv" => {
                    let randomness = Randomness::parse(value).ok_or(Malformed::Randomness)?;
                    (self.rv, self.randomness) = (value, Some(randomness));
                }
                b"th" => {
                    let threshold = Threshold::parse(value).ok_or(Malformed::Threshold)?;
                    (self.th, self.threshold) = (value, Some(threshold));
                }
                _ if begins(key, BEGINS_KEY) && are(key, IN_OT_KEY) => {}
                _ => return Err(Malformed::Syntax),
            }
        }
        Ok(())
    }

    /// Gives away, piece by piece, the trace state with this `rv` and `th`, or its own where they are `None`.
    fn write(&self, rv: Option<&[u8]>, th: Option<&[u8]>, mut put: impl FnMut(&[u8])) {
        let mut separator: &[u8] = b"ot=";
        for (key, value) in [(b"rv:", rv.unwrap_or(self.rv)), (b"th:", th.unwrap_or(self.th))] {
            if !value.is_empty() {
                [separator, key, value].into_iter().for_each(&mut put);
                separator = b";";
            }
        }
        let fields = self.ot.split(|byte| *byte == b';').filter(|field| !field.is_empty());
        for field in fields.filter(|field| !field.starts_with(b"rv:") && !field.starts_with(b"th:"))
        {
            [separator, field].into_iter().for_each(&mut put);
            separator = b";";
        }
        separator = if separator == b";" { b"," } else { b"" };
        let members = self.text.split(|byte| *byte == b',').map(trimmed);
        for member in members.filter(|member| !member.is_empty() && !member.starts_with(b"ot=")) {
            [separator, member].into_iter().for_each(&mut put);
            separator = b",";
        }
    }

    /// Puts the trace state with this `rv` and `th` into `out`, unless it is the same as it came. Says whether it did.
    pub(crate) fn write_changed(
        &self,
        rv: Option<&[u8]>,
        th: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut rest = Some(self.text);
        self.write(rv, th, |part| rest = rest.and_then(|rest| rest.strip_prefix(part)));
        if rest == Some(b"") {
            return false;
        }
        out.clear();
        self.write(rv, th, |part| out.extend_from_slice(part));
        true
    }
}

/// A member without the blanks around it.
fn trimmed(mut member: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = member {
        member = rest;
    }
    member
}

/// What is in front of a byte and behind it.
fn halves(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (front, behind) = text.split_at_checked(text.iter().position(|byte| *byte == at)?)?;
    Some((front, behind.get(1..)?))
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

fn are(text: &[u8], class: u8) -> bool {
    text.iter().all(|byte| is(*byte, class))
}

fn begins(text: &[u8], class: u8) -> bool {
    text.first().is_some_and(|byte| is(*byte, class))
}

fn check_key(key: &[u8]) -> Result<(), Malformed> {
    let (is_sound, fits) = match halves(key, b'@') {
        Some((tenant, system)) => (
            begins(tenant, BEGINS_KEY | DIGIT)
                && are(tenant, IN_KEY)
                && begins(system, BEGINS_KEY)
                && are(system, IN_KEY),
            tenant.len() <= TENANT_MAX && system.len() <= SYSTEM_MAX,
        ),
        None => (begins(key, BEGINS_KEY) && are(key, IN_KEY), key.len() <= KEY_MAX),
    };
    if !is_sound {
        return Err(Malformed::Syntax);
    }
    if fits { Ok(()) } else { Err(Malformed::Size) }
}

/// Blanks at its end belong to the member, and have been cut off.
fn check_value(value: &[u8]) -> Result<(), Malformed> {
    let is_sound = !value.is_empty() && value.len() <= VALUE_MAX && are(value, IN_VALUE);
    if is_sound { Ok(()) } else { Err(Malformed::Syntax) }
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let Some((class, others)) = rest.split_first_mut() {
        *class = match byte {
            b'a'..=b'z' => BEGINS_KEY | IN_KEY | IN_VALUE | IN_OT_KEY | IN_OT_VALUE,
            b'0'..=b'9' => DIGIT | IN_KEY | IN_VALUE | IN_OT_KEY | IN_OT_VALUE,
            b'_' | b'-' => IN_KEY | IN_VALUE | IN_OT_VALUE,
            b'*' | b'/' => IN_KEY | IN_VALUE,
            b'A'..=b'Z' | b'.' => IN_VALUE | IN_OT_VALUE,
            b',' | b'=' => 0,
            b' '..=b'~' => IN_VALUE,
            _ => 0,
        };
        rest = others;
        byte = byte.wrapping_add(1);
    }
    classes
}

#[cfg(test)]
mod tests;
