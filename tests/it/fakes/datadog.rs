//! The fake of Datadog's intake: each rule and each limit that it keeps is broken here once.

use prost::Message;
use tests::datadog::{AgentPayload, Content, DatadogIntake, KEY};
use tests::encoding;
use tests::send::{self, HttpReply};

mod calls;
mod logs;
mod metrics;
mod stats;
mod traces;

const PROTOBUF: &str = "application/x-protobuf";
const MSGPACK: &str = "application/msgpack";
const JSON: &str = "application/json";

/// A change that breaks a rule, and a word of the violation.
type Case<M> = (fn(&mut M), &'static str);

/// Posts a body as a well-behaved client does.
fn post<C: Content>(intake: &DatadogIntake, content_type: &str, body: Vec<u8>) -> HttpReply {
    let encoding = if C::PATH == AgentPayload::PATH { "zstd" } else { "gzip" };
    let headers = [
        ("dd-api-key", KEY),
        ("user-agent", "tests/1"),
        ("content-type", content_type),
        ("content-encoding", encoding),
    ];
    send::http(intake.port(), C::PATH, &headers, encoding::apply(encoding, &body))
}

/// Expects a body to be turned away with this status, for a reason that speaks of a word.
fn assert_refused<C: Content>(
    intake: &DatadogIntake,
    content_type: &str,
    body: Vec<u8>,
    status: u16,
    word: &str,
) {
    let reply = post::<C>(intake, content_type, body);
    let violations = intake.take_violations();
    assert_eq!((reply.status, violations.len()), (status, 1), "{word}: {violations:?}");
    assert!(violations[0].contains(word), "{violations:?} should speak of {word:?}");
}

/// Changes something and encodes it.
fn changed<M: Message + Clone>(message: &M, change: impl FnOnce(&mut M)) -> Vec<u8> {
    let mut message = message.clone();
    change(&mut message);
    message.encode_to_vec()
}
