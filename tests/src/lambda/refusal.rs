//! What the platform says no with.

use serde_json::json;

use crate::server::{Reply, full, json_reply, reply};

/// A refused call: the status and the error type that the emulator answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error_type: &'static str,
    pub(super) message: String,
}

impl Refusal {
    /// What the Extensions and Runtime APIs say to a call that does not fit.
    pub(super) fn forbidden(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { status: 403, error_type, message: message.into() }
    }

    /// The Telemetry API's word for a subscription that breaks the schema.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self { status: 400, error_type: "ValidationError", message: message.into() }
    }

    pub(super) fn reply(&self) -> Reply {
        if self.error_type != "ValidationError" {
            let body = json!({ "errorMessage": self.message, "errorType": self.error_type });
            return json_reply(self.status, &body.to_string());
        }
        // Put together as text and declared as such: a quotation mark in the message makes it other than JSON.
        let text = format!(
            "{{\"errorType\": \"ValidationError\", \"errorMessage\": \"{}\"}}",
            self.message
        );
        let mut refused = reply(self.status);
        *refused.body_mut() = full(text);
        refused
    }
}
