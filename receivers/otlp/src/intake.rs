//! What becomes of a request's bytes: checked, counted, handed to the pipeline of its signal.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use pdata::{Payload, Signal};
use pipeline::{
    Admission, Client, Consumer, Context, Envelope, Hold, MemoryBudget, Outlet, Outlets, item,
};
use telemetry::names::{self, RequestOutcome, label};
use telemetry::{Counter, Registry};

use crate::answer::Refusal;

/// How a request is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

impl Encoding {
    /// The media type of requests and answers.
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        })
    }
}

/// The way into the pipelines for one transport.
pub(crate) struct Intake {
    outlets: Outlets,
    budget: MemoryBudget,
    counters: [Counters; 3],
    repaired_strings: Counter,
    succeeded: Counter,
    refused: Counter,
    failed: Counter,
}

struct Counters {
    accepted: Counter,
    refused: Counter,
}

impl Intake {
    /// The way in for what arrives by `transport`: `grpc` or `http`.
    pub(crate) fn new(context: &Context, outlets: Outlets, transport: &'static str) -> Self {
        let (registry, id): (&Registry, _) = (&context.process.registry, context.id.to_string());
        let labels = &[(label::RECEIVER, id.as_str()), (label::TRANSPORT, transport)];
        let requests = |outcome: RequestOutcome| {
            let outcome = (label::OUTCOME, outcome.as_str());
            let [receiver, transport] = *labels;
            registry.counter(&names::RECEIVER_REQUESTS, &[receiver, transport, outcome])
        };
        let counters = Signal::ALL.map(|signal| Counters {
            accepted: registry.counter(names::RECEIVER_ACCEPTED.of(item(signal)), labels),
            refused: registry.counter(names::RECEIVER_REFUSED.of(item(signal)), labels),
        });
        Self {
            outlets,
            budget: context.process.budget.clone(),
            counters,
            repaired_strings: registry.counter(&names::RECEIVER_REPAIRED_STRINGS, labels),
            succeeded: requests(RequestOutcome::Success),
            refused: requests(RequestOutcome::Refused),
            failed: requests(RequestOutcome::Failure),
        }
    }

    /// The outlet of a signal; none when no pipeline takes it.
    pub(crate) fn outlet(&self, signal: Signal) -> Option<&Outlet> {
        self.outlets.get(signal)
    }

    /// Room in the memory budget for a body of so many bytes.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Hold, Refusal> {
        match self.budget.try_hold(bytes) {
            Admission::Granted(hold) => Ok(hold),
            Admission::Spent(retry_after) => Err(Refusal::no_room(retry_after)),
        }
    }

    /// Hands a request to its pipeline, and holds the answer back for a moment when the process is above its memory mark.
    pub(crate) async fn take(
        &self,
        signal: Signal,
        encoding: Encoding,
        body: Bytes,
        hold: Hold,
        client: Arc<Client>,
    ) -> Result<(), Refusal> {
        let decoded = match encoding {
            Encoding::Protobuf => {
                Payload::decode(signal, body).map_err(|e| Refusal::bad_request(e.to_string()))
            }
            Encoding::Json => {
                Payload::from_json(signal, &body).map_err(|e| Refusal::bad_request(e.to_string()))
            }
        }?;
        self.repaired_strings.add(decoded.repaired_strings as u64);
        let payload = decoded.payload;
        let items = payload.items() as u64;
        let (Some(outlet), Some(counters)) =
            (self.outlets.get(signal), self.counters.get(signal as usize))
        else {
            return Err(Refusal::not_found(signal));
        };
        if items == 0 {
            return Ok(());
        }
        hold.resize(payload.encoded_len());
        if let Err(error) = outlet.consume(Envelope { payload, client, hold }).await {
            counters.refused.add(items);
            return Err(error.into());
        }
        counters.accepted.add(items);
        self.budget.pace().await;
        Ok(())
    }

    /// Counts a request by how it ended.
    pub(crate) fn count(&self, result: &Result<(), Refusal>) {
        match result {
            Ok(()) => self.succeeded.increment(),
            Err(refusal) if refusal.is_the_pipelines() => self.refused.increment(),
            Err(_) => self.failed.increment(),
        }
    }
}
