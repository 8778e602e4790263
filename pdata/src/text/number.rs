//! Numbers and ids as text, in Go's forms where it matters.

/// Appends an integer in decimal.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer in decimal.
#[inline]
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends 16 lower-case hex digits.
#[inline]
pub fn put_hex(out: &mut Vec<u8>, bytes: &[u8; 8]) {
    let value = u64::from_be_bytes(*bytes);
    out.extend_from_slice(&hex_digits((value >> 32) as u32));
    out.extend_from_slice(&hex_digits(value as u32));
}

/// Four bytes as hex digits, all at once: spread the nibbles over the bytes of a word, then make each a digit.
#[inline]
fn hex_digits(value: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut nibbles = u64::from(value);
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (nibbles + 6 * EACH) >> 4 & EACH;
    let to_letter = u64::from(b'a' - b'0' - 10);
    (nibbles + u64::from(b'0') * EACH + letters * to_letter).to_be_bytes()
}

/// Appends a double as Go's `encoding/json` does (`floatEncoder`): the shortest digits that read back equal, without a
/// point when it is whole, with an exponent below 1e-6 and from 1e21; `NaN`, `Infinity` and `-Infinity` besides.
pub fn put_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if value.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = Decimal::read(buffer.format_finite(value).as_bytes());
    if !(1e-6..1e21).contains(&value) {
        shortest.put_scientific(out);
    } else {
        shortest.put_positional(out);
    }
}

/// `0.DIGITS × 10^point`, with neither leading nor trailing zeros.
#[derive(Debug, Default)]
struct Decimal {
    digits: [u8; 32],
    len: usize,
    point: i32,
}

impl Decimal {
    /// Reads a positive number as programs print them: digits, a point perhaps, an exponent perhaps.
    fn read(text: &[u8]) -> Self {
        let mut this = Self::default();
        let mut mantissa = text;
        let mut exponent = 0;
        if let Some(e) = text.iter().position(|&byte| byte == b'e') {
            mantissa = text.get(..e).unwrap_or_default();
            let written = text.get(e + 1..).and_then(|text| std::str::from_utf8(text).ok());
            exponent = written.and_then(|text| text.parse().ok()).unwrap_or_default();
        }
        let mut after_point = false;
        for &byte in mantissa {
            if byte == b'.' {
                after_point = true;
                continue;
            }
            let leading_zero = byte == b'0' && this.len == 0;
            if !leading_zero && let Some(digit) = this.digits.get_mut(this.len) {
                *digit = byte;
                this.len += 1;
            }
            this.point += match (after_point, leading_zero) {
                (false, false) => 1,
                (true, true) => -1,
                _ => 0,
            };
        }
        this.point += exponent;
        while this.digits().last() == Some(&b'0') {
            this.len -= 1;
        }
        this
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    fn put_positional(&self, out: &mut Vec<u8>) {
        let digits = self.digits();
        let whole = usize::try_from(self.point).unwrap_or_default();
        if whole == 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', self.point.unsigned_abs() as usize));
            out.extend_from_slice(digits);
        } else if let Some((whole, fraction)) = digits.split_at_checked(whole)
            && !fraction.is_empty()
        {
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        } else {
            out.extend_from_slice(digits);
            out.extend(std::iter::repeat_n(b'0', whole - digits.len()));
        }
    }

    fn put_scientific(&self, out: &mut Vec<u8>) {
        if let Some((first, rest)) = self.digits().split_first() {
            out.push(*first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
        }
        let exponent = self.point - 1;
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        put_int(out, i64::from(exponent.abs()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        put_double(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn double_reads_as_go_writes_it() {
        // Taken from Go 1.26 `encoding/json`.
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (100.0, "100"),
            (123_456_789.25, "123456789.25"),
            (1e-6, "0.000001"),
            (0.000_001_25, "0.00000125"),
            (9.99e-7, "9.99e-7"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (1e20, "100000000000000000000"),
            (1.5e20, "150000000000000000000"),
            (1e21, "1e+21"),
            (-1.25e22, "-1.25e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            // Between two shortest forms, the even one.
            (4_844_844_782_931_853.0 / 4.0, "1211211195732963.2"),
            (4_844_844_782_931_855.0 / 4.0, "1211211195732963.8"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn every_finite_double_reads_back_equal() {
        let mut bits = 1u64;
        for _ in 0..20_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits);
            if value.is_finite() {
                assert_eq!(double(value).parse::<f64>().unwrap().to_bits(), bits);
            }
        }
    }

    #[test]
    fn hex_digits_are_those_of_the_standard_library() {
        for value in [0, 1, 9, 10, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX] {
            let mut out = Vec::new();
            put_hex(&mut out, &value.to_be_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), format!("{value:016x}"));
        }
    }
}
