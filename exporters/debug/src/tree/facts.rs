//! The attributes that matter, in short.
//!
//! What the semantic conventions name is put as people say it; what the name of the span says already is left out; what else
//! the author of the span wrote follows as `key=value`. Both spellings of the conventions are known, the stable one first
//! (open-telemetry/semantic-conventions `docs/{http,database,rpc,messaging}`).

use pdata::view::{AnyValue, Span};

use super::row::{one_line, scalar};
use crate::style::safe;

/// Characters shown of one fact, and of all together.
const FACT_CHARS: usize = 80;
const FACTS_CHARS: usize = 320;
/// Attributes shown that no convention names.
const OTHERS_MAX: usize = 12;

/// Keys whose facts are told otherwise, or are of no interest here, by how they begin.
const TOLD: &[&str] = &[
    "aws.",
    "client.",
    "cloud.",
    "code.",
    "db.",
    "enduser.",
    "exception.",
    "faas.",
    "http.",
    "internal.",
    "messaging.",
    "net.",
    "network.",
    "otel.",
    "peer.",
    "process.",
    "rpc.",
    "server.",
    "telemetry.",
    "thread.",
    "url.",
    "user_agent.",
];

/// What is shown of a span's attributes, events and links.
pub(super) fn facts(span: &Span<'_>) -> String {
    let mut facts = Facts { span, list: Vec::new() };
    facts.http();
    facts.database();
    facts.rpc();
    facts.messaging();
    facts.others();
    facts.count("event", span.events.iter().filter(|event| event.name != "exception").count());
    facts.count("link", span.links.iter().count());
    safe(&facts.list.join(" · "), FACTS_CHARS)
}

struct Facts<'a> {
    span: &'a Span<'a>,
    list: Vec<String>,
}

impl Facts<'_> {
    fn http(&mut self) {
        let method = self.text(&["http.request.method", "http.method"]);
        let status = self.text(&["http.response.status_code", "http.status_code"]);
        if method.is_none() && status.is_none() {
            return;
        }
        // The route says more than the path, unless the name says it; a client has an address only.
        let place =
            ["http.route", "url.path", "http.target", "url.full", "http.url", "server.address"];
        let told = place
            .iter()
            .take(3)
            .any(|key| self.text(&[*key]).is_some_and(|text| self.names(&text)));
        if !told && let Some(place) = self.text(&place) {
            let method = method.filter(|method| !self.names(method));
            let method = method.map(|method| format!("{method} ")).unwrap_or_default();
            self.add(&format!("{method}{place}"));
        }
        if let Some(status) = status {
            self.add(&status);
        }
    }

    fn database(&mut self) {
        let system = self.text(&["db.system.name", "db.system"]);
        let statement = self.text(&["db.query.text", "db.statement", "db.query.summary"]);
        if let Some(system) = system {
            self.add_unless_named(&system);
        }
        if let Some(statement) = statement {
            self.add_unless_named(&one_line(&statement));
        }
    }

    fn rpc(&mut self) {
        let Some(system) = self.text(&["rpc.system.name", "rpc.system"]) else { return };
        self.add_unless_named(&system);
        if let Some(method) = self.text(&["rpc.method"]) {
            let service = self.text(&["rpc.service"]);
            let whole = service.map_or(method.clone(), |service| format!("{service}/{method}"));
            self.add_unless_named(&whole);
        }
        let status = self.text(&["rpc.response.status_code", "rpc.grpc.status_code"]);
        match status.as_deref() {
            None | Some("0" | "OK") => {}
            Some(status) => {
                let name = status.parse().ok().and_then(grpc_status).unwrap_or(status);
                self.add(name);
            }
        }
    }

    fn messaging(&mut self) {
        let Some(system) = self.text(&["messaging.system"]) else { return };
        self.add_unless_named(&system);
        for keys in [
            ["messaging.operation.name", "messaging.operation.type"],
            ["messaging.destination.name", "messaging.destination"],
        ] {
            if let Some(fact) = self.text(&keys) {
                self.add_unless_named(&fact);
            }
        }
    }

    /// What no convention names was written by the person who is looking.
    fn others(&mut self) {
        let told = |key: &str| TOLD.iter().any(|prefix| key.starts_with(prefix));
        let others = self.span.attributes.iter().filter(|attribute| !told(attribute.key.as_str()));
        for attribute in others.take(OTHERS_MAX) {
            let value = match attribute.value {
                AnyValue::Array(_) => "[…]".to_owned(),
                AnyValue::KeyValueList(_) => "{…}".to_owned(),
                AnyValue::Bytes(bytes) => format!("{} bytes", bytes.len()),
                value => one_line(&scalar(value).unwrap_or_default()),
            };
            self.add(&format!("{}={value}", attribute.key));
        }
    }

    fn count(&mut self, word: &str, count: usize) {
        match count {
            0 => {}
            1 => self.add(&format!("1 {word}")),
            count => self.add(&format!("{count} {word}s")),
        }
    }

    /// The text of the first of these attributes that the span has.
    fn text(&self, keys: &[&str]) -> Option<String> {
        let value = |key: &&str| scalar(self.span.attributes.get(key)?);
        keys.iter().find_map(value).filter(|text| !text.is_empty())
    }

    /// Whether the span's name says this already.
    fn names(&self, fact: &str) -> bool {
        self.span.name.as_str().contains(fact)
    }

    fn add_unless_named(&mut self, fact: &str) {
        if !self.names(fact) {
            self.add(fact);
        }
    }

    fn add(&mut self, fact: &str) {
        self.list.push(safe(fact, FACT_CHARS));
    }
}

/// The name of a gRPC status (grpc/grpc `doc/statuscodes.md`).
fn grpc_status(code: usize) -> Option<&'static str> {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.get(code).copied()
}

#[cfg(test)]
mod tests;
