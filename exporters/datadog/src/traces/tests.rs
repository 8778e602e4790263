mod golden;
mod model;

use pdata::{Payload, Signal};

use super::*;

/// A payload of an OTLP/JSON request.
fn payload(json: &str) -> Payload {
    Payload::from_json(Signal::Traces, json.as_bytes()).unwrap().payload
}
