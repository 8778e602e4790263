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

/// What became of a payload.
struct Translation {
    bodies: Vec<Body>,
    left_out: LeftOut,
}

/// Translates with these options.
fn translated(payload: &Payload, options: &Options) -> Translation {
    let mut bodies = Vec::new();
    let seal = |body: &mut Body| bodies.push(body.clone());
    let left_out = translate(payload, options, &mut Workbench::default(), NOW, seal);
    Translation { bodies, left_out }
}
