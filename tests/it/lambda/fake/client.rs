//! An extension and a runtime that do what a test says, right or wrong.

use std::thread::JoinHandle;

use serde_json::Value;
use tests::lambda::{Function, Mode, Platform};
use tests::send::{self, HttpReply};

pub(super) const NAME: &str = "hikyaku";

pub(super) fn platform(mode: Mode) -> Platform {
    Platform::start(mode, Function::default(), &[NAME, "other", "third"])
}

pub(super) fn register(platform: &Platform, name: &str, body: &str) -> HttpReply {
    let headers = [("lambda-extension-name", name)];
    post(platform, "/2020-01-01/extension/register", &headers, body)
}

/// Registers as it should be done, and returns the identifier.
pub(super) fn registered(platform: &Platform, name: &str, events: &str) -> String {
    let reply = register(platform, name, &format!("{{\"events\":[{events}]}}"));
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.headers["lambda-extension-identifier"].to_str().unwrap().to_owned()
}

pub(super) fn post(
    platform: &Platform,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> HttpReply {
    send::http(platform.port(), path, headers, body.to_owned())
}

pub(super) fn next(platform: &Platform, id: &str) -> HttpReply {
    let headers = [("lambda-extension-identifier", id)];
    send::get_with(platform.port(), "/2020-01-01/extension/event/next", &headers)
}

/// Calls `next` in a thread, and returns when the platform knows of it.
pub(super) fn next_meanwhile(platform: &Platform, id: &str) -> JoinHandle<HttpReply> {
    let (port, id) = (platform.port(), id.to_owned());
    let before = platform.waiting();
    let thread = std::thread::spawn(move || {
        let headers = [("lambda-extension-identifier", id.as_str())];
        send::get_with(port, "/2020-01-01/extension/event/next", &headers)
    });
    tests::wait::until("the call of next", || (platform.waiting() > before).then_some(()));
    thread
}

/// The status and the type of error.
pub(super) fn refusal(reply: &HttpReply) -> (u16, String) {
    let body: Value = serde_json::from_slice(&reply.body)
        .unwrap_or_else(|error| panic!("{error}: {:?}", reply.body));
    (reply.status, body["errorType"].as_str().unwrap_or_default().to_owned())
}

pub(super) fn json(reply: &HttpReply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|error| panic!("{error}: {:?}", reply.body))
}
