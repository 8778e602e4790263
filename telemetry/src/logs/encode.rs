//! The two forms of a record, which are those of the Collector's logger (uber-go/zap, `zapcore/console_encoder.go` and
//! `zapcore/json_encoder.go`, with ISO 8601 times). A record is always one line.

use std::{
    fmt,
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::ser::{SerializeMap, Serializer as _};
use serde_json::{
    Serializer, Value,
    ser::{CompactFormatter, Formatter},
};

use super::record::Record;
use crate::settings::{Encoding, LogSettings};

/// How records are written.
#[derive(Debug)]
pub(super) struct Format {
    encoding: Encoding,
    caller: bool,
    /// Fields of every record.
    fields: Vec<(String, Value)>,
}

impl Format {
    pub(super) fn new(settings: &LogSettings) -> Self {
        let mut fields = Vec::new();
        if !settings.resource.is_empty() {
            let attribute =
                |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
            let resource = settings.resource.iter().map(attribute).collect();
            fields.push(("resource".to_owned(), Value::Object(resource)));
        }
        fields.extend(settings.initial_fields.clone());
        Self { encoding: settings.encoding, caller: !settings.disable_caller, fields }
    }
}

/// Appends the record's line, with its end.
pub(super) fn encode(record: &Record, format: &Format, out: &mut Vec<u8>) -> io::Result<()> {
    let caller = record.source.filter(|_| format.caller).map(|(file, line)| Caller { file, line });
    match format.encoding {
        Encoding::Console => {
            write!(out, "{}\t{}", Iso8601(record.time), record.level)?;
            if let Some(caller) = caller {
                write!(out, "\t{caller}")?;
            }
            write!(out, "\t{}", OneLine(&record.message))?;
            if !format.fields.is_empty() || !record.fields.is_empty() {
                out.push(b'\t');
                let mut json = Serializer::with_formatter(&mut *out, Spaced);
                let mut object = json.serialize_map(None)?;
                write_fields(&mut object, record, format)?;
                object.end()?;
            }
        }
        Encoding::Json => {
            let mut json = Serializer::with_formatter(&mut *out, CompactFormatter);
            let mut object = json.serialize_map(None)?;
            object.serialize_entry("level", &format_args!("{}", record.level))?;
            object.serialize_entry("ts", &format_args!("{}", Iso8601(record.time)))?;
            if let Some(caller) = caller {
                object.serialize_entry("caller", &format_args!("{caller}"))?;
            }
            object.serialize_entry("msg", &record.message)?;
            write_fields(&mut object, record, format)?;
            object.end()?;
        }
    }
    out.push(b'\n');
    Ok(())
}

fn write_fields<M: SerializeMap>(
    object: &mut M,
    record: &Record,
    format: &Format,
) -> Result<(), M::Error> {
    for (name, value) in &format.fields {
        object.serialize_entry(name, value)?;
    }
    for (name, value) in &record.fields {
        object.serialize_entry(name, value)?;
    }
    Ok(())
}

/// A time as ISO 8601 in UTC with milliseconds. Times before 1970 are shown as its first moment.
pub(super) struct Iso8601(pub(super) SystemTime);

impl fmt::Display for Iso8601 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let millis = since.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from 1 March here, so that the leap day is the last of its year and the months before it have a
/// regular length: 153 days for every five. 400 years are always 146 097 days.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // March is 0
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// A source position as `folder/file.rs:line`. A folder named `src` says nothing and gives way to the one above.
struct Caller {
    file: &'static str,
    line: u32,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.file.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        if let Some(folder) = parts.find(|part| *part != "src") {
            write!(f, "{folder}/")?;
        }
        write!(f, "{file}:{}", self.line)
    }
}

/// Text with its control characters escaped, so that it neither ends the line nor speaks to a terminal.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            let end = part.char_indices().next_back().filter(|(_, last)| last.is_control());
            match end {
                Some((at, control)) => {
                    write!(
                        f,
                        "{}{}",
                        part.get(..at).unwrap_or_default(),
                        control.escape_default()
                    )?;
                }
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// JSON with a blank after each comma and colon, as the Collector's console shows it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests;
