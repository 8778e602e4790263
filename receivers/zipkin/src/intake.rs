//! What becomes of a body: read, counted, handed to the pipeline.

use std::sync::Arc;

use bytes::Bytes;
use pdata::Signal;
use pipeline::{
    Admission, Client, ConsumeError, Consumer, Context, Envelope, Hold, MemoryBudget, Outlet,
};
use telemetry::names::{self, RequestOutcome, label};
use telemetry::{Counter, Registry};

use crate::decode::{DecodeError, Format, decode};
use crate::server::Refusal;

/// Bodies above this size are read away from the runtime's thread: at 3 ns a byte that is 400 µs, many times the way to another
/// thread and back.
const OFFLOAD_BYTES: usize = 128 << 10;

/// How spans came, by upstream's names of the metrics' `transport` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Zipkin v1, Thrift.
    V1Thrift,
    /// Zipkin v1, JSON.
    V1Json,
    /// Zipkin v2, JSON.
    V2Json,
    /// Zipkin v2, protobuf.
    V2Proto,
}

impl Transport {
    /// Every transport, in the order of [`Intake::counters`].
    const ALL: [Transport; 4] =
        [Transport::V1Thrift, Transport::V1Json, Transport::V2Json, Transport::V2Proto];

    fn label(self) -> &'static str {
        match self {
            Transport::V1Thrift => "http_v1_thrift",
            Transport::V1Json => "http_v1_json",
            Transport::V2Json => "http_v2_json",
            Transport::V2Proto => "http_v2_proto",
        }
    }
}

/// The way into the pipelines.
pub(crate) struct Intake {
    next: Outlet,
    budget: MemoryBudget,
    parse_string_tags: bool,
    counters: [Counters; 4],
}

struct Counters {
    accepted: Counter,
    refused: Counter,
    repaired_strings: Counter,
    succeeded: Counter,
    turned_away: Counter,
    failed: Counter,
}

impl Intake {
    /// The way to `next`.
    pub(crate) fn new(context: &Context, next: Outlet, parse_string_tags: bool) -> Self {
        let (registry, id) = (&context.process.registry, context.id.to_string());
        let counters = Transport::ALL.map(|transport| Counters::new(registry, &id, transport));
        Self { next, budget: context.process.budget.clone(), parse_string_tags, counters }
    }

    /// A share of the memory budget for a body that is about to arrive.
    pub(crate) fn admit(&self) -> Result<Hold, Refusal> {
        match self.budget.try_hold(0) {
            Admission::Granted(hold) => Ok(hold),
            Admission::Spent(retry_after) => Err(Refusal::no_room(retry_after)),
        }
    }

    /// Hands a body's spans to the pipeline, and holds the answer back for a moment when the process is above its memory mark.
    pub(crate) async fn take(
        &self,
        transport: Transport,
        format: Format,
        body: Bytes,
        hold: Hold,
        client: Arc<Client>,
    ) -> Result<(), Refusal> {
        let decoded = self.decode(body, format).await?.map_err(|error| Refusal::bad(&error))?;
        let counters = self.counters(transport);
        counters.repaired_strings.add(decoded.repaired_strings as u64);
        let payload = decoded.payload;
        let spans = payload.items();
        if spans == 0 {
            return Ok(());
        }
        hold.resize(payload.encoded_len());
        if let Err(error) = self.next.consume(Envelope { payload, client, hold }).await {
            counters.refused.add(spans as u64);
            return Err(error.into());
        }
        counters.accepted.add(spans as u64);
        self.budget.pace().await;
        Ok(())
    }

    async fn decode(
        &self,
        body: Bytes,
        format: Format,
    ) -> Result<Result<pdata::Decoded, DecodeError>, ConsumeError> {
        let parse_string_tags = self.parse_string_tags;
        if body.len() <= OFFLOAD_BYTES {
            return Ok(decode(&body, format, parse_string_tags));
        }
        let reading = tokio::task::spawn_blocking(move || decode(&body, format, parse_string_tags));
        match reading.await {
            Ok(decoded) => Ok(decoded),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_cancelled) => {
                    let class = pipeline::Class::Closed;
                    Err(ConsumeError::new(class, "the process is shutting down"))
                }
            },
        }
    }

    /// Counts a request by how it ended.
    pub(crate) fn count(&self, transport: Transport, result: &Result<(), Refusal>) {
        let counters = self.counters(transport);
        match result {
            Ok(()) => counters.succeeded.increment(),
            Err(refusal) if refusal.is_the_pipelines => counters.turned_away.increment(),
            Err(_) => counters.failed.increment(),
        }
    }

    fn counters(&self, transport: Transport) -> &Counters {
        let [v1_thrift, v1_json, v2_json, v2_proto] = &self.counters;
        match transport {
            Transport::V1Thrift => v1_thrift,
            Transport::V1Json => v1_json,
            Transport::V2Json => v2_json,
            Transport::V2Proto => v2_proto,
        }
    }
}

impl Counters {
    fn new(registry: &Registry, id: &str, transport: Transport) -> Self {
        let labels = [(label::RECEIVER, id), (label::TRANSPORT, transport.label())];
        let spans = pipeline::item(Signal::Traces);
        let requests = |outcome: RequestOutcome| {
            let [receiver, transport] = labels;
            let outcome = (label::OUTCOME, outcome.as_str());
            registry.counter(&names::RECEIVER_REQUESTS, &[receiver, transport, outcome])
        };
        Self {
            accepted: registry.counter(names::RECEIVER_ACCEPTED.of(spans), &labels),
            refused: registry.counter(names::RECEIVER_REFUSED.of(spans), &labels),
            repaired_strings: registry.counter(&names::RECEIVER_REPAIRED_STRINGS, &labels),
            succeeded: requests(RequestOutcome::Success),
            turned_away: requests(RequestOutcome::Refused),
            failed: requests(RequestOutcome::Failure),
        }
    }
}
