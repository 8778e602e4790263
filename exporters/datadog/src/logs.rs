//! Log records, translated and sent.

use std::sync::Arc;

use exporter_helper::{EncodeError, Encoded, EncodedRequest, Push, SendError, Sent};
use lambda::Function;
use pdata::Payload;
use pipeline::Client;
use telemetry::names::DropReason;

use crate::exporter::Shared;
use crate::intake::{Endpoint, IntakeRequest};

pub mod translate;

pub(crate) use translate::RECORDS_MAX;
use translate::{Options, translate};

/// The most requests that a payload becomes before it is split and sent in parts: a long resource that many records share makes bodies
/// of a hundred times its size.
const REQUESTS_MAX: usize = 32;

/// The push of log records.
pub(crate) struct Logs {
    shared: Arc<Shared>,
    function: Option<Arc<Function>>,
}

impl Logs {
    /// Sends by the client of a section, beside this function if there is one.
    pub(crate) fn new(shared: Arc<Shared>, function: Option<Arc<Function>>) -> Self {
        Self { shared, function }
    }
}

impl Push for Logs {
    type Request = IntakeRequest;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<IntakeRequest>, EncodeError> {
        let options = Options {
            fallback_host: self.shared.fallback_host(),
            function: self.function.as_deref(),
        };
        let mut encoded = Encoded { requests: Vec::new(), unsendable: Vec::new() };
        for part in payload.clone().split_every(RECORDS_MAX) {
            let mut rest = part;
            while rest.items() > 0 {
                let mut body = Vec::new();
                let done = translate(&rest, &options, &mut body);
                let later = rest.split_off(done.consumed());
                let requests = encoded.requests.len() + later.items() / done.consumed().max(1);
                if requests > REQUESTS_MAX {
                    return Err(EncodeError::TooLarge);
                }
                if done.too_large > 0 {
                    encoded.unsendable.push((DropReason::TooLarge, done.too_large));
                }
                if done.written > 0 {
                    let bytes = body.len();
                    let request = self.shared.intake.request(Endpoint::Logs, body)?;
                    let memory_bytes = request.body.len();
                    let request = EncodedRequest::new(request, done.written, bytes);
                    encoded.requests.push(request.memory_bytes(memory_bytes).part(rest));
                }
                rest = later;
            }
        }
        Ok(encoded)
    }

    async fn send(&self, request: &IntakeRequest) -> Result<Sent, SendError> {
        self.shared.intake.send(request).await
    }
}

#[cfg(test)]
mod tests;
