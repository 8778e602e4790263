//! Times as people and platforms write them.

use serde_json::Value;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The nanoseconds since 1970 that a text means, or nothing where it means none.
///
/// Understood are RFC 3339 and its neighbours: a blank for the `T`, a comma for the point, a zone without a colon or none at all,
/// which counts as UTC (as Python's `logging` and Powertools write them), and numbers of seconds, milliseconds, microseconds or
/// nanoseconds since 1970, told apart by their size.
pub fn parse_time(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(parts.next()?, 2).filter(|day| (1..=31).contains(day))?;
    let rest = rest.strip_prefix(['T', 't', ' ', '_'])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    // 60 is a leap second.
    let second = digits(parts.next()?, 2).filter(|second| *second <= 60)?;
    let (nanos, zone) = fraction(rest)?;
    let offset = offset_seconds(zone.trim())?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    u64::try_from(seconds - offset).ok()?.checked_mul(SECOND)?.checked_add(nanos)
}

/// A JSON value as a time.
pub(crate) fn of_value(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => parse_time(text),
        Value::Number(number) => of_number(number.as_f64()?),
        _ => None,
    }
}

/// A number by its size: the year 2001 is past 10⁹ seconds, and 10¹¹ seconds are the year 5138.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and a fraction of a nanosecond means nothing"
)]
fn of_number(number: f64) -> Option<u64> {
    let nanos = match number {
        _ if !number.is_finite() || number < 1e8 => return None,
        _ if number < 1e11 => number * 1e9,
        _ if number < 1e14 => number * 1e6,
        _ if number < 1e17 => number * 1e3,
        _ if number < 1.8e19 => number,
        _ => return None,
    };
    // A double has 53 bits: what is below a microsecond is noise by now.
    ((nanos / 1e3).round() as u64).checked_mul(1_000)
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// The fraction of a second in nanoseconds, and what follows it.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, zone) = rest.split_at(end);
    let digits = digits.get(..9).unwrap_or(digits);
    let scale = 10_u64.pow(9 - u32::try_from(digits.len()).ok()?);
    let value: u64 = digits.parse().ok()?;
    Some((value * scale, zone))
}

fn offset_seconds(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") || zone.eq_ignore_ascii_case("utc") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 2) => (rest, "00"),
        (None, _) => rest.split_at_checked(2)?,
    };
    let minutes = digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(sign * (digits(hours, 2).filter(|hours| *hours < 24)? * 3_600 + minutes * 60))
}

/// Days of the Gregorian calendar. Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the
/// leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_way_to_write_a_time_means_the_same() {
        for text in [
            "2024-02-29T12:34:56.789Z",
            "2024-02-29t12:34:56.789000000z",
            "2024-02-29T14:34:56.789+02:00",
            "2024-02-29 04:04:56.789-0830",
            "2024-02-29 12:34:56,789",
            "2024-02-29 12:34:56,789+0000",
            "2024-02-29T12:34:56.789",
            "1709210096.789",
            "1709210096789",
            "1709210096789000",
        ] {
            assert_eq!(parse_time(text), Some(1_709_210_096_789_000_000), "{text}");
        }
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("2000-03-01T00:00:00.5Z"), Some(951_868_800_500_000_000));
        assert_eq!(of_value(&1_709_210_096_789_i64.into()), Some(1_709_210_096_789_000_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "42",
            "-1709210096",
            "NaN",
            "2024-02-29",
            "2024-13-01T00:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:34:56.Z",
            "2024-02-29T12:34:56 Mars",
            "2024-02-29T12:34:56+2",
            "1960-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "18446744073709550",
            "18446744073709551000",
            "２０２４-02-29T12:34:56Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        assert_eq!(of_value(&true.into()), None);
    }
}
