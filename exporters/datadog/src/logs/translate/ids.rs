//! Ids and times as Datadog writes them.

use pdata::text::{put_hex, put_uint};

/// Reads as many bytes of hex digits, in either case. Nothing for anything else, and for zero, which is no id.
pub(super) fn from_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut id = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, digits) in id.iter_mut().zip(text.chunks_exact(2)) {
        for digit in digits {
            *byte = *byte << 4 | char::from(*digit).to_digit(16)? as u8;
        }
    }
    (id != [0; N]).then_some(id)
}

/// The bytes of an id that is one: of the right length and not zero.
pub(super) fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let id: [u8; N] = bytes.try_into().ok()?;
    (id != [0; N]).then_some(id)
}

/// The lower half of a trace id, which is its number in Datadog.
pub(super) fn low_half(id: &[u8; 16]) -> u64 {
    u128::from_be_bytes(*id) as u64
}

/// Appends a trace id as 32 hex digits.
pub(super) fn put_trace_id(out: &mut Vec<u8>, id: &[u8; 16]) {
    let id = u128::from_be_bytes(*id);
    put_hex(out, &((id >> 64) as u64).to_be_bytes());
    put_hex(out, &(id as u64).to_be_bytes());
}

/// Appends a time as `2023-11-14T22:13:20.123Z`.
pub(super) fn put_time(out: &mut Vec<u8>, unix_nanos: u64) {
    let millis = unix_nanos / 1_000_000;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    for (number, digits, behind) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'.'),
        (millis, 3, b'Z'),
    ] {
        put_padded(out, number, digits);
        out.push(behind);
    }
}

fn put_padded(out: &mut Vec<u8>, number: u64, digits: u32) {
    let missing = (1..digits).filter(|place| number < 10u64.pow(*place)).count();
    out.extend(std::iter::repeat_n(b'0', missing));
    put_uint(out, number);
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years begin in March here until the end,
/// so that the leap day is the last one.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(unix_nanos: u64) -> String {
        let mut out = Vec::new();
        put_time(&mut out, unix_nanos);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_in_utc_with_milliseconds_cut_off() {
        for (unix_nanos, text) in [
            (1, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_999_999, "2023-11-14T22:13:20.123Z"),
            (951_782_399_999_000_000, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_000_000_000, "2024-02-29T23:59:59.000Z"),
            (1_704_067_200_000_000_000, "2024-01-01T00:00:00.000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709Z"),
        ] {
            assert_eq!(time(unix_nanos), text);
        }
    }

    #[test]
    fn ids_in_hex_have_the_right_length_and_are_not_zero() {
        assert_eq!(from_hex(b"eee19B7EC3c1b174"), Some(0xeee1_9b7e_c3c1_b174_u64.to_be_bytes()));
        let wrong: [&[u8]; 5] = [
            b"",
            b"eee19b7ec3c1b17",
            b"eee19b7ec3c1b1744",
            b"+ee19b7ec3c1b174",
            b"0000000000000000",
        ];
        for text in wrong {
            assert_eq!(from_hex::<8>(text), None);
        }
    }
}
