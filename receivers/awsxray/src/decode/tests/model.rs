//! What a document is after the way to OTLP and back, and what of it is missing then.

use exporter_awsxray::translate::{Options, translate};

use super::*;

/// The documents that our exporter makes of a document's spans; `None` if there are none.
pub(super) fn back(document: &str) -> Option<Vec<Value>> {
    let decoded = decode(&datagram(document)).ok()?;
    let translation = translate(&decoded.payload, &Options::new(&[], false, &[]));
    let bodies = translation
        .calls
        .iter()
        .map(|call| -> Value { serde_json::from_slice(&call.body).unwrap() });
    let texts: Vec<Value> =
        bodies.flat_map(|body| body["TraceSegmentDocuments"].as_array().unwrap().clone()).collect();
    Some(texts.iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect())
}

/// What of a document is missing or different in those that came back, and what they have that nobody said.
pub(super) fn lost(document: &Value, back: &[Value]) -> Vec<String> {
    let mut lost = Vec::new();
    let mut flat = Vec::new();
    flatten(document, None, &mut flat);
    if flat.len() != back.len() {
        lost.push(format!("{} documents of {}", back.len(), flat.len()));
    }
    for sent in &flat {
        let Some(found) = back.iter().find(|found| found["id"] == sent["id"]) else {
            lost.push(format!("the document {}", sent["id"]));
            continue;
        };
        let is_subsegment = sent["type"] == "subsegment";
        compare(&mut Vec::new(), sent, found, is_subsegment, &mut lost);
    }
    lost
}

/// Each subsegment as a document of its own.
fn flatten(segment: &Value, parent: Option<&Value>, flat: &mut Vec<Value>) {
    let mut own = segment.clone();
    let object = own.as_object_mut().unwrap();
    let below = object.remove("subsegments").unwrap_or_default();
    if let Some(parent) = parent {
        object.insert("parent_id".to_owned(), parent["id"].clone());
        object.insert("trace_id".to_owned(), parent["trace_id"].clone());
        object.insert("type".to_owned(), json!("subsegment"));
    }
    // What is false without being said.
    for flag in ["fault", "error", "throttle"] {
        object.entry(flag).or_insert(json!(false));
    }
    if object.get("in_progress") == Some(&json!(false)) {
        object.remove("in_progress");
    }
    if object.get("end_time").is_none_or(Value::is_null) {
        object.insert("in_progress".to_owned(), json!(true));
    }
    if object.get("namespace") == Some(&json!("local")) {
        object.remove("namespace");
    }
    flat.push(own.clone());
    for one in below.as_array().into_iter().flatten() {
        flatten(one, Some(&own), flat);
    }
}

fn compare(
    path: &mut Vec<String>,
    sent: &Value,
    found: &Value,
    is_subsegment: bool,
    lost: &mut Vec<String>,
) {
    match (sent, found) {
        (Value::Object(sent), Value::Object(found)) => {
            for (key, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                path.push(key.clone());
                match found.get(key) {
                    Some(there) => compare(path, value, there, is_subsegment, lost),
                    None if says_nothing(value) => {}
                    None => lost.push(format!("{}: {value} is gone", path.join("."))),
                }
                path.pop();
            }
            for (key, value) in found.iter().filter(|(key, _)| !sent.contains_key(*key)) {
                path.push(key.clone());
                if !may_be_added(&path.join("."), value, is_subsegment) {
                    lost.push(format!("{}: {value} was not there", path.join(".")));
                }
                path.pop();
            }
        }
        (Value::Array(sent), Value::Array(found)) if sent.len() == found.len() => {
            for (number, (sent, found)) in sent.iter().zip(found).enumerate() {
                path.push(number.to_string());
                compare(path, sent, found, is_subsegment, lost);
                path.pop();
            }
        }
        _ if is_same(path, sent, found) => {}
        _ => lost.push(format!("{}: {sent} became {found}", path.join("."))),
    }
}

/// An object without members is as good as none.
fn says_nothing(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.values().all(|v| v.is_null() || says_nothing(v)))
        || value.as_array().is_some_and(Vec::is_empty)
}

/// By the place, since a member that nobody knows may have the name of one that has rules of its own.
fn is_same(path: &[String], sent: &Value, found: &Value) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), sent.as_f64(), found.as_f64()) {
        // One step of the double that X-Ray's times are.
        (["start_time" | "end_time"], Some(sent), Some(found)) => (sent - found).abs() < 3e-7,
        (_, Some(sent), Some(found)) => sent == found,
        (["http", "response", "content_length"], None, Some(found)) => {
            sent == &json!(found.to_string())
        }
        (["trace_id" | "id" | "parent_id"] | ["links", _, "trace_id" | "id"], ..) => {
            sent.as_str().map(str::to_lowercase).as_deref() == found.as_str()
        }
        _ => sent == found,
    }
}

/// What the exporter writes whether anyone said so or not.
fn may_be_added(path: &str, value: &Value, is_subsegment: bool) -> bool {
    let of_place = ["service", "origin", "aws"].contains(&path)
        || ["xray", "ecs", "ec2", "eks", "elastic_beanstalk", "cloudwatch_logs"]
            .iter()
            .any(|block| path == format!("aws.{block}"));
    match path {
        _ if of_place => true,
        // What stands for the platform, the version of what was deployed, or an SDK that is not known.
        "service.version" => true,
        "aws.account_id" => is_subsegment,
        "aws.xray.auto_instrumentation" => value == &json!(false),
        "http.request" | "http.response" => true,
        "http.response.content_length" => value == &json!(0),
        "http.request.x_forwarded_for" => value == &json!(false),
        "metadata" => true,
        _ if path.starts_with("metadata.default") => true,
        // Each of these blocks has all its members, known or null, and shares some with the others.
        _ if ["ec2", "ecs", "eks", "elastic_beanstalk"]
            .iter()
            .any(|block| path.starts_with(&format!("aws.{block}."))) =>
        {
            true
        }
        _ if path.starts_with("cause.exceptions.") => {
            let last = path.rsplit('.').next().unwrap();
            ["id", "type", "message", "remote", "label", "path", "line"].contains(&last)
        }
        _ => false,
    }
}
