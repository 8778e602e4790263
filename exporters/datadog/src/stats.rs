//! APM statistics on their way to the intake: those that a connector hands over as a metric, and those that the exporter of traces computes
//! itself.

mod computed;

use std::sync::Arc;

use datadog::stats::{ClientStatsPayload, ENTRIES_MAX, NotStats, StatsPayload, unwrap};
use exporter_helper::{EncodeError, Encoded, EncodedRequest, Push, SendError, Sent};
use pdata::Payload;
use pipeline::Client;
use telemetry::names::DropReason;

pub(crate) use computed::with_stats;

use crate::exporter::Shared;
use crate::intake::{Endpoint, Intake, IntakeRequest};

/// The version that statistics without one are given, which DataDog/datadog-agent writes as that of the agent.
const VERSION: &str = concat!("hikyaku-", env!("CARGO_PKG_VERSION"));

/// Why statistics were not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatsError {
    /// The bytes are none.
    #[error(transparent)]
    NotStats(#[from] NotStats),
    /// They could not be compressed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// The requests for an encoded `StatsPayload`: several where it has more groups than the intake takes at once; none where it has none.
pub(crate) fn requests(intake: &Intake, stats: &[u8]) -> Result<Vec<IntakeRequest>, StatsError> {
    let mut stats = StatsPayload::decode(stats)?;
    if stats.agent_version.is_empty() {
        stats.agent_version = VERSION;
    }
    for client in &mut stats.stats {
        fill_version(client);
    }
    let parts = stats.split(ENTRIES_MAX).into_iter();
    parts.map(|part| Ok(intake.request(Endpoint::Stats, part.to_msgpack())?)).collect()
}

fn fill_version(client: &mut ClientStatsPayload<'_>) {
    if client.tracer_version.is_empty() {
        client.tracer_version = VERSION;
    }
}

/// The push of statistics that the exporter computed itself: payloads of metrics that hold nothing else.
pub(crate) struct Stats {
    shared: Arc<Shared>,
}

impl Stats {
    /// Sends by the client of a section.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Push for Stats {
    type Request = IntakeRequest;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<IntakeRequest>, EncodeError> {
        let mut encoded = Encoded { requests: Vec::new(), unsendable: Vec::new() };
        let metrics = payload.resource_metrics().flat_map(|resource| resource.scope_metrics);
        let mut unsent = payload.items();
        for metric in metrics.flat_map(|scope| scope.metrics) {
            for stats in unwrap(&metric) {
                let Ok(requests) = requests(&self.shared.intake, stats) else { continue };
                // A data point is counted with the first of its requests.
                for request in requests {
                    let bytes = request.body.len();
                    let items = std::mem::take(&mut unsent).min(1);
                    encoded.requests.push(EncodedRequest::new(request, items, bytes));
                }
            }
        }
        if unsent > 0 {
            encoded.unsendable.push((DropReason::Untranslatable, unsent));
        }
        Ok(encoded)
    }

    async fn send(&self, request: &IntakeRequest) -> Result<Sent, SendError> {
        self.shared.intake.send(request).await
    }
}
