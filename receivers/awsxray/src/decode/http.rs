//! `http`: request and answer, by the conventions that upstream writes by default, the older ones.

use serde_json::value::RawValue;

use super::attributes::{Attributes, Value};
use super::members::{Members, Rest, text};

/// What of it other parts of the span depend on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Http {
    /// The status of the answer.
    pub(super) status: Option<i64>,
}

/// Adds the attributes of `http`.
pub(super) fn put(members: &mut Members<'_>, attributes: &mut Attributes, rest: &mut Rest) -> Http {
    let Some(mut http) = members.object("http") else { return Http::default() };
    let mut status = None;
    if let Some(mut request) = http.object("request") {
        attributes.text("http.method", request.text("method"));
        let client = request.text("client_ip");
        let is_client_known = client.is_some();
        attributes.text("http.client_ip", client);
        attributes.text("http.user_agent", request.text("user_agent"));
        attributes.text("http.url", request.text("url"));
        // What is not said is false, and an exporter that isn't told would take it for true.
        let forwarded = request.bool("x_forwarded_for").or(is_client_known.then_some(false));
        attributes.bool("aws.xray.x_forwarded_for", forwarded);
        attributes.bool("aws.xray.traced", request.bool("traced"));
        rest.within("http").within("request").put_all(request);
    }
    if let Some(mut response) = http.object("response") {
        status = response.take("status", number);
        attributes.int("http.status_code", status);
        if let Some(length) = response.take("content_length", length) {
            attributes.put("http.response_content_length", &length);
        }
        rest.within("http").within("response").put_all(response);
    }
    rest.within("http").put_all(http);
    Http { status }
}

/// An integer; some SDKs write it as a text.
fn number(value: &RawValue) -> Option<i64> {
    value.get().trim_matches('"').parse().ok()
}

/// A length in bytes, or the text that stands for one.
fn length(value: &RawValue) -> Option<Value> {
    match value.get().parse::<i64>() {
        Ok(int) => Some(Value::Int(int)),
        Err(_) => text(value).map(Value::Str),
    }
}
