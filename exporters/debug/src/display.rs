//! Parts of the text, printed as Go prints them.

use std::fmt;
use std::time::Duration;

use pdata::text::to_text;
use pdata::view::AnyValue;

/// A trace or span id in hex; nothing for one that is all zeros, as upstream's `TraceID.String`.
pub(crate) struct Id<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A value's text, without its type.
pub(crate) struct Text<'a>(pub(crate) AnyValue<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AnyValue::Str(text) => f.write_str(text.as_str()),
            value => f.write_str(&to_text(value)),
        }
    }
}

/// A value's text in parentheses behind its type: `Int(5)`.
pub(crate) struct Typed<'a>(pub(crate) AnyValue<'a>);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            AnyValue::Empty => "Empty",
            AnyValue::Str(_) => "Str",
            AnyValue::Bool(_) => "Bool",
            AnyValue::Int(_) => "Int",
            AnyValue::Double(_) => "Double",
            AnyValue::Array(_) => "Slice",
            AnyValue::KeyValueList(_) => "Map",
            AnyValue::Bytes(_) => "Bytes",
        };
        write!(f, "{kind}({})", Text(self.0))
    }
}

/// A double as Go's `%f`.
pub(crate) struct Fixed(pub(crate) f64);

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            value if value.is_finite() => write!(f, "{value:.6}"),
            value if value.is_nan() => f.write_str("NaN"),
            _ => f.write_str("-Inf"),
        }
    }
}

/// A double as Go's `%v`: the shortest digits, with an exponent of two digits or more below 1e-4 and from 1e6 on.
pub(crate) struct General(pub(crate) f64);

impl fmt::Display for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() {
            return Fixed(self.0).fmt(f);
        }
        if self.0 == 0.0 || (1e-4..1e6).contains(&self.0.abs()) {
            return write!(f, "{}", self.0);
        }
        let scientific = format!("{:e}", self.0);
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
        write!(f, "{digits}e{sign}{size:0>2}")
    }
}

/// Nanoseconds since 1970 as Go's `time.Time.String` in UTC: `2020-02-11 20:26:13.000000789 +0000 UTC`. Beyond the
/// year 2262 they wrap around to 1677, as upstream.
pub(crate) struct Timestamp(pub(crate) u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0 as i64;
        let (year, month, day) = civil_from_days(nanos.div_euclid(NANOS_PER_DAY));
        write!(f, "{year:04}-{month:02}-{day:02} {}", TimeOfDay(nanos))?;
        let fraction = nanos.rem_euclid(1_000_000_000);
        if fraction != 0 {
            write!(f, ".{}", format!("{fraction:09}").trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

/// Hours, minutes and seconds of nanoseconds since 1970, in UTC.
pub(crate) struct TimeOfDay(pub(crate) i64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.rem_euclid(NANOS_PER_DAY) / 1_000_000_000;
        write!(f, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}

/// A duration for people: three digits and a unit.
pub(crate) struct Human(pub(crate) Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let seconds = self.0.as_secs();
        let three_digits = |unit: u128, name: &str| {
            // Whole units, and as many decimals as make three digits. Rounded half up; 999.6 becomes 1000.
            let decimals = match nanos / unit {
                0..10 => 2,
                10..100 => 1,
                _ => 0,
            };
            let scale = 10u128.pow(decimals);
            let scaled = (nanos * scale + unit / 2) / unit;
            let (whole, rest) = (scaled / scale, scaled % scale);
            match decimals {
                _ if rest == 0 => format!("{whole} {name}"),
                decimals => format!("{whole}.{rest:0>width$} {name}", width = decimals as usize),
            }
        };
        let text = match nanos {
            0..1_000 => format!("{nanos} ns"),
            1_000..1_000_000 => three_digits(1_000, "µs"),
            1_000_000..1_000_000_000 => three_digits(1_000_000, "ms"),
            1_000_000_000..60_000_000_000 => three_digits(1_000_000_000, "s"),
            _ if seconds < 3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
            _ if seconds < 360_000 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
            _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
        };
        f.pad(&text)
    }
}

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years begin on 1 March here, which makes the leap day the last of its year; every 400 of them have 146 097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day_of_month) } else { (year + 1, month - 9, day_of_month) }
}

#[cfg(test)]
mod tests;
