mod golden;
mod limits;
mod property;
mod received;

use pdata::{Payload, Signal};
use serde_json::Value;

use super::*;

/// A payload of an OTLP/JSON request.
fn payload(json: &str) -> Payload {
    Payload::from_json(Signal::Traces, json.as_bytes()).unwrap().payload
}

/// The documents of all calls, as X-Ray reads them: JSON, in texts, in JSON.
fn documents(translation: &Translation) -> Vec<Value> {
    translation.calls.iter().flat_map(documents_of).collect()
}

fn documents_of(call: &Call) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let texts = body["TraceSegmentDocuments"].as_array().unwrap().iter();
    texts.map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect()
}

/// A request of one span of a Java program, with these members beside its ids.
fn request(span: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"telemetry.sdk.language","value":{{"stringValue":"java"}}}}]}},"scopeSpans":[{{"spans":[{{"traceId":"6554ab10a1b2c3d4e5f60718293a4b5c","spanId":"00f067aa0ba902b7",{span}}}]}}]}}]}}"#
    )
}
