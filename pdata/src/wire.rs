//! The protobuf wire format: reading fields from a slice and appending them to a buffer.
//!
//! Rules are those of the Protocol Buffers encoding guide; limits on keys and varints are prost's.

/// Wire type of a varint field.
pub const VARINT: u8 = 0;
/// Wire type of an eight-byte little-endian field.
pub const FIXED64: u8 = 1;
/// Wire type of a length-delimited field.
pub const LEN: u8 = 2;
/// Wire type that opens a group.
pub const START_GROUP: u8 = 3;
/// Wire type that closes a group.
pub const END_GROUP: u8 = 4;
/// Wire type of a four-byte little-endian field.
pub const FIXED32: u8 = 5;

/// Reads wire-format elements from the front of a slice; each method leaves the reader where it was when it fails.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One field: its number and its undecoded value.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The field's number.
    pub number: u32,
    /// The value by wire type.
    pub value: FieldValue<'a>,
    /// The whole field as it stands, key included.
    pub raw: &'a [u8],
}

/// A field's value, by wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A varint.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// Length-delimited bytes: text, bytes, a message or packed numbers.
    Len(&'a [u8]),
    /// Four bytes, little-endian.
    Fixed32(u32),
    /// A group that nobody reads; its inside is skipped.
    Group,
}

impl<'a> Reader<'a> {
    /// A reader at the front of `bytes`.
    #[inline(always)]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A varint of at most ten bytes that fits 64 bits.
    #[inline(always)]
    pub fn varint(&mut self) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        if first < 0x80 {
            self.rest = rest;
            return Some(u64::from(first));
        }
        if let Some((&second, rest)) = rest.split_first()
            && second < 0x80
        {
            self.rest = rest;
            return Some(u64::from(first & 0x7f) | u64::from(second) << 7);
        }
        self.long_varint()
    }

    /// Passes over the next key if it is this one and takes one byte.
    #[inline(always)]
    pub(crate) fn pass_key(&mut self, key: u64) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first < 0x80 && u64::from(first) == key => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (i, &byte) in self.rest.iter().take(10).enumerate() {
            if i == 9 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.rest = self.rest.get(i + 1..)?;
                return Some(value);
            }
        }
        None
    }

    /// The next `n` bytes.
    #[inline(always)]
    pub fn take(&mut self, n: u64) -> Option<&'a [u8]> {
        let n = usize::try_from(n).ok()?;
        let (head, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(head)
    }

    /// Length-delimited bytes.
    #[inline(always)]
    pub fn len_bytes(&mut self) -> Option<&'a [u8]> {
        let n = self.varint()?;
        self.take(n)
    }

    /// Eight bytes, little-endian.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Option<u64> {
        let (head, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*head))
    }

    /// Four bytes, little-endian.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Option<u32> {
        let (head, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*head))
    }

    /// The next field, or `None` at the end (or at bytes that are not a field, which validated input does not have).
    #[inline(always)]
    pub fn field(&mut self) -> Option<Field<'a>> {
        let start = self.rest;
        let key = self.varint()?;
        // Tests one after the other: each loop that this is inlined into has its own, and they are foreseen better than one jump table.
        let wire_type = (key & 7) as u8;
        let value = if wire_type == LEN {
            FieldValue::Len(self.len_bytes()?)
        } else if wire_type == VARINT {
            FieldValue::Varint(self.varint()?)
        } else if wire_type == FIXED64 {
            FieldValue::Fixed64(self.fixed64()?)
        } else if wire_type == FIXED32 {
            FieldValue::Fixed32(self.fixed32()?)
        } else {
            self.group(wire_type)?
        };
        let raw = start.get(..start.len() - self.rest.len())?;
        Some(Field { number: (key >> 3) as u32, value, raw })
    }

    /// Passes over the inside of a group and its end, without recursion: the bytes may be a stranger's. That the ends match their starts is
    /// validation's business.
    #[cold]
    fn group(&mut self, wire_type: u8) -> Option<FieldValue<'a>> {
        if wire_type != START_GROUP {
            return None;
        }
        let mut open = 1;
        while open > 0 {
            match (self.varint()? & 7) as u8 {
                VARINT => drop(self.varint()?),
                FIXED64 => drop(self.fixed64()?),
                LEN => drop(self.len_bytes()?),
                FIXED32 => drop(self.fixed32()?),
                START_GROUP => open += 1,
                END_GROUP => open -= 1,
                _ => return None,
            }
        }
        Some(FieldValue::Group)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Field<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        self.field()
    }
}

/// Bytes that `value` takes as a varint.
pub fn varint_len(value: u64) -> usize {
    // One byte for each started group of seven bits; zero takes one.
    ((64 - (value | 1).leading_zeros()) as usize).div_ceil(7)
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field's key.
#[inline]
pub fn put_key(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends a length-delimited field.
#[inline]
pub fn put_len(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_key(out, number, LEN);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a varint field.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    put_key(out, number, VARINT);
    put_varint(out, value);
}

/// Appends a fixed64, sfixed64 or double field, given its bits.
#[inline]
pub fn put_fixed64(out: &mut Vec<u8>, number: u32, bits: u64) {
    put_key(out, number, FIXED64);
    out.extend_from_slice(&bits.to_le_bytes());
}

/// Appends a fixed32 field.
#[inline]
pub fn put_fixed32(out: &mut Vec<u8>, number: u32, bits: u32) {
    put_key(out, number, FIXED32);
    out.extend_from_slice(&bits.to_le_bytes());
}

/// Appends a message field whose body `write` appends; the length is put in front afterwards.
pub fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_message(out, number);
    write(out);
    end_message(out, start);
}

/// Appends the front of a message field, for [`end_message`] to complete once the body has been appended. Returns where the body starts.
pub fn begin_message(out: &mut Vec<u8>, number: u32) -> usize {
    put_key(out, number, LEN);
    out.push(0);
    out.len()
}

/// Puts the length of the message in whose body starts at `start`, and ends with the output.
pub fn end_message(out: &mut Vec<u8>, start: usize) {
    end_message_of(out, start, 1);
}

/// As [`begin_message`], for a message whose length is likely to take `len_bytes` bytes: less has to be moved when it does.
pub fn begin_message_of(out: &mut Vec<u8>, number: u32, len_bytes: usize) -> usize {
    put_key(out, number, LEN);
    out.resize(out.len() + len_bytes, 0);
    out.len()
}

/// As [`end_message`], for a message that [`begin_message_of`] began with the same `len_bytes`.
pub fn end_message_of(out: &mut Vec<u8>, start: usize, len_bytes: usize) {
    let len = out.len() - start;
    let needed = varint_len(len as u64);
    let inside = start - len_bytes + needed;
    if needed > len_bytes {
        out.resize(inside + len, 0);
    }
    if needed != len_bytes {
        out.copy_within(start..start + len, inside);
        out.truncate(inside + len);
    }
    let mut value = len as u64;
    for (i, byte) in out.iter_mut().skip(inside - needed).take(needed).enumerate() {
        *byte = value as u8 & 0x7f | if i + 1 < needed { 0x80 } else { 0 };
        value >>= 7;
    }
}

/// The signed number that a zig-zag varint stands for.
pub fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The zig-zag form of a signed number.
pub fn to_zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varint_length_is_what_is_written() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                assert_eq!(out.len(), varint_len(value), "{value}");
                assert_eq!(Reader::new(&out).varint(), Some(value));
            }
        }
    }

    #[test]
    fn varint_of_more_than_64_bits_is_refused() {
        assert_eq!(Reader::new(&[0xff; 11]).varint(), None);
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(Reader::new(&most).varint(), Some(u64::MAX));
        most[9] = 2;
        assert_eq!(Reader::new(&most).varint(), None);
    }

    #[test]
    fn message_length_of_any_size_is_put_in_front() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let mut out = vec![7];
            put_message(&mut out, 3, |o| o.extend(std::iter::repeat_n(9, len)));
            let field = Reader::new(&out[1..]).field().unwrap();
            assert_eq!(field.number, 3);
            assert_eq!(field.value, FieldValue::Len(&vec![9; len]));
            assert_eq!(field.raw.len(), out.len() - 1);
        }
    }

    #[test]
    fn length_takes_the_room_it_needs_whatever_was_expected() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let mut expected = Vec::new();
            put_len(&mut expected, 3, &vec![9; len]);
            for len_bytes in 1..=4 {
                let mut out = Vec::new();
                let start = begin_message_of(&mut out, 3, len_bytes);
                out.extend(std::iter::repeat_n(9, len));
                end_message_of(&mut out, start, len_bytes);
                assert!(out == expected, "{len} bytes where {len_bytes} were expected");
            }
        }
    }

    #[test]
    fn group_is_passed_over_whole() {
        // Field 9 as a group that holds field 1 and another group, then field 2.
        let bytes = [0x4b, 0x08, 0x01, 0x53, 0x54, 0x4c, 0x10, 0x05];
        let fields: Vec<_> = Reader::new(&bytes).map(|f| (f.number, f.value)).collect();
        assert_eq!(fields, [(9, FieldValue::Group), (2, FieldValue::Varint(5))]);
    }

    #[test]
    fn groups_do_not_cost_stack_however_deep() {
        let mut bytes = vec![0x4b; 1 << 20];
        assert_eq!(Reader::new(&bytes).field().map(|field| field.value), None);
        bytes.resize(2 << 20, 0x4c);
        assert_eq!(Reader::new(&bytes).field().map(|field| field.value), Some(FieldValue::Group));
        assert_eq!(Reader::new(&[0x4c]).field().map(|field| field.value), None);
    }

    #[test]
    fn key_of_two_bytes_is_not_taken_by_its_first() {
        let mut reader = Reader::new(&[0x0a, 0x82, 0x01]);
        assert!(!reader.pass_key(0x12));
        assert!(reader.pass_key(0x0a));
        assert!(!reader.pass_key(0x82));
        assert_eq!(reader.rest(), [0x82, 0x01]);
    }

    #[test]
    fn zigzag_goes_both_ways() {
        for value in [0, 1, -1, 2, -2, i64::MAX, i64::MIN] {
            assert_eq!(zigzag(to_zigzag(value)), value);
        }
    }
}
