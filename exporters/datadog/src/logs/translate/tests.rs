//! The translation against cases on file, against a model of the rules, and against anything.

mod golden;
mod limits;
mod model;
mod property;

use pdata::{Payload, Signal};
use serde_json::Value;

use super::{Options, translate};

/// A payload of OTLP/JSON.
fn payload(json: &Value) -> Payload {
    let text = serde_json::to_vec(json).unwrap();
    Payload::from_json(Signal::Logs, &text).unwrap().payload
}

/// All items of a payload, in as many bodies as it takes.
fn items(payload: &Payload, fallback_host: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut rest = payload.clone();
    while rest.items() > 0 {
        let mut body = Vec::new();
        let done = translate(&rest, &Options { fallback_host, function: None }, &mut body);
        let Value::Array(list) = serde_json::from_slice(&body).unwrap() else { panic!("no list") };
        assert_eq!(list.len(), done.written);
        items.extend(list);
        rest = rest.split_off(done.consumed());
    }
    items
}
