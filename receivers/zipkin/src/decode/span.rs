//! A Zipkin span as either encoding is read into it.

use std::borrow::Cow;

use super::Fault;

/// Text that may not be UTF-8; the payload's validation repairs it.
pub(super) type Text<'a> = Cow<'a, [u8]>;

/// A span. Read into again and again, to keep its buffers.
#[derive(Debug, Default)]
pub(super) struct ZipkinSpan<'a> {
    pub(super) trace_id: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent_id: Option<[u8; 8]>,
    pub(super) name: Text<'a>,
    pub(super) kind: Kind,
    /// Nanoseconds since 1970; `None` when the sender gave none and JSON says so.
    pub(super) start: Option<u64>,
    /// Nanoseconds.
    pub(super) duration: u64,
    pub(super) local: Endpoint<'a>,
    pub(super) remote: Endpoint<'a>,
    pub(super) annotations: Vec<Annotation<'a>>,
    pub(super) tags: Vec<(Text<'a>, Text<'a>)>,
}

/// A span's kind, by OTLP's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// A service at an address.
#[derive(Debug, Default)]
pub(super) struct Endpoint<'a> {
    pub(super) service_name: Text<'a>,
    pub(super) ipv4: Text<'a>,
    pub(super) ipv6: Text<'a>,
    /// Zero and less mean none.
    pub(super) port: i64,
}

/// Something that happened during a span.
#[derive(Debug)]
pub(super) struct Annotation<'a> {
    /// Nanoseconds since 1970.
    pub(super) time: u64,
    pub(super) value: Text<'a>,
}

impl Endpoint<'_> {
    pub(super) fn has_address(&self) -> bool {
        !self.ipv4.is_empty() || !self.ipv6.is_empty()
    }

    pub(super) fn has_both_addresses(&self) -> bool {
        !self.ipv4.is_empty() && !self.ipv6.is_empty()
    }
}

impl<'a> ZipkinSpan<'a> {
    /// Forgets the span before, but for its buffers.
    pub(super) fn reset(&mut self) {
        let (mut annotations, mut tags) =
            (std::mem::take(&mut self.annotations), std::mem::take(&mut self.tags));
        annotations.clear();
        tags.clear();
        *self = Self { annotations, tags, ..Self::default() };
    }

    /// Checks what every span must have.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.trace_id == [0; 16] {
            return Err(Fault::TraceId);
        }
        if self.id == [0; 8] {
            return Err(Fault::Id);
        }
        self.end().map(drop)
    }

    /// Nanoseconds since 1970.
    pub(super) fn end(&self) -> Result<u64, Fault> {
        self.start.unwrap_or_default().checked_add(self.duration).ok_or(Fault::Time)
    }
}

/// Microseconds as nanoseconds.
pub(super) fn nanos(micros: u64) -> Result<u64, Fault> {
    micros.checked_mul(1000).ok_or(Fault::Time)
}

/// Up to `2 * N` hexadecimal digits, in either case, padded on the left.
pub(super) fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() > 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    // From the right, so that an odd digit stands alone in the first byte.
    for (byte, pair) in bytes.iter_mut().rev().zip(digits.rchunks(2)) {
        for &digit in pair {
            let value = char::from(digit).to_digit(16)?;
            *byte = *byte << 4 | value as u8;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_padded_on_the_left() {
        assert_eq!(hex(b""), Some([0; 4]));
        assert_eq!(hex(b"1"), Some([0, 0, 0, 1]));
        assert_eq!(hex(b"aBc"), Some([0, 0, 0x0a, 0xbc]));
        assert_eq!(hex(b"01234567"), Some([1, 0x23, 0x45, 0x67]));
        assert_eq!(hex::<4>(b"001234567"), None);
        assert_eq!(hex::<4>(b"0x12"), None);
        assert_eq!(hex::<4>("é".as_bytes()), None);
    }
}
