mod golden;
mod model;
mod parts;
mod property;

use pdata::{Payload, Signal};

use super::*;
use crate::testing::KEY;

/// The time that stands in for a span's that has none: 2023-11-14T22:15:00Z.
const NOW: i64 = 1_700_000_100_000_000_000;

/// A payload of an OTLP/JSON request.
fn payload(json: &str) -> Payload {
    Payload::from_json(Signal::Traces, json.as_bytes()).unwrap().payload
}

/// Translates with these options.
fn translated(payload: &Payload, options: &Options) -> Translation {
    translate(payload, options, &mut Obfuscator::new(), NOW)
}
