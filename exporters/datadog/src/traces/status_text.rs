//! What the status of an HTTP answer is called in Go's `net/http`, whose names stand in Datadog's error messages.

use http::StatusCode;

/// The name of a status that is given in decimal.
pub(super) fn status_text(status: &[u8]) -> Option<&'static str> {
    let status = StatusCode::from_bytes(status).ok()?;
    Some(match status.as_u16() {
        203 => "Non-Authoritative Information",
        413 => "Request Entity Too Large",
        414 => "Request URI Too Long",
        416 => "Requested Range Not Satisfiable",
        418 => "I'm a teapot",
        _ => return status.canonical_reason(),
    })
}
