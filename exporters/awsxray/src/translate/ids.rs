//! Ids: X-Ray's form of trace ids, and ids that documents need beyond those of their spans.

use pdata::text::put_hex;

/// A span's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids<'a> {
    pub(super) trace: &'a [u8; 16],
    pub(super) span: &'a [u8; 8],
}

impl<'a> Ids<'a> {
    /// These ids, if they are some: of the right length and not zero.
    pub(super) fn of(trace: &'a [u8], span: &'a [u8]) -> Option<Self> {
        let trace: &[u8; 16] = trace.try_into().ok().filter(|id: &&[u8; 16]| **id != [0; 16])?;
        Some(Self { trace, span: span_id(span)? })
    }

    /// A further id, made of the span's: the same however often the span is sent, so that nothing is there twice.
    pub(super) fn further(&self, number: u64) -> [u8; 8] {
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let (high, low) = self.trace.split_at(8);
        let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for part in [word(high), word(low), word(self.span), number] {
            // The finaliser of SplitMix64.
            mixed = (mixed ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
        }
        mixed.max(1).to_be_bytes()
    }
}

/// A span id, if it is one.
pub(super) fn span_id(id: &[u8]) -> Option<&[u8; 8]> {
    id.try_into().ok().filter(|id: &&[u8; 8]| **id != [0; 8])
}

/// Appends a trace id as X-Ray has it: `1-`, the first 8 digits, which are meant to be a time, `-`, and the others.
#[inline]
pub(super) fn put_trace_id(out: &mut Vec<u8>, id: &[u8; 16]) {
    out.extend_from_slice(b"1-");
    let (high, low) = id.split_at(8);
    let start = out.len();
    for half in [high, low] {
        put_hex(out, half.first_chunk().unwrap_or(&[0; 8]));
    }
    // The dash goes between; what is behind it moves by one.
    out.push(0);
    let end = out.len();
    if end >= start + 9 {
        out.copy_within(start + 8..end - 1, start + 9);
    }
    if let Some(dash) = out.get_mut(start + 8) {
        *dash = b'-';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_have_x_ray_s_form() {
        let id = *b"\x65\x54\xab\x10\xa1\xb2\xc3\xd4\xe5\xf6\x07\x18\x29\x3a\x4b\x5c";
        let mut out = b"x".to_vec();
        put_trace_id(&mut out, &id);
        assert_eq!(String::from_utf8(out).unwrap(), "x1-6554ab10-a1b2c3d4e5f60718293a4b5c");
    }

    #[test]
    fn further_ids_are_the_same_each_time_and_all_different() {
        let ids = Ids::of(&[1; 16], &[2; 8]).unwrap();
        let other = Ids::of(&[1; 16], &[3; 8]).unwrap();
        assert_eq!(ids.further(1), Ids::of(&[1; 16], &[2; 8]).unwrap().further(1));
        let mut made: Vec<[u8; 8]> = (0..1000).map(|number| ids.further(number)).collect();
        made.extend((0..1000).map(|number| other.further(number)));
        made.sort_unstable();
        made.dedup();
        assert_eq!(made.len(), 2000);
    }

    #[test]
    fn ids_that_are_none_are_seen() {
        assert!(Ids::of(&[0; 16], &[1; 8]).is_none());
        assert!(Ids::of(&[1; 16], &[0; 8]).is_none());
        assert!(Ids::of(&[1; 15], &[1; 8]).is_none());
        assert!(Ids::of(&[1; 16], &[]).is_none());
    }
}
