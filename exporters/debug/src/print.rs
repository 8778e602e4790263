//! Verbosities that print each payload as it comes: all of them but the trees of traces.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, Push, Reason, SendError, Sent, Settings,
};
use pdata::{Payload, Signal};
use pipeline::{BuildError, Client, Context, Exporter, GrpcCode, StartError};
use tokio::time::Instant;

use crate::config::{Config, Destination, TreeConfig, Verbosity};
use crate::output::{Outputs, WriteError};
use crate::sampler::Sampler;
use crate::style::Style;
use crate::{detailed, normal, records};

/// How long a sender is asked to wait when nobody reads.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// Makes the exporter of one signal.
pub(crate) fn exporter(
    config: &Config,
    context: Context,
    outputs: Arc<Outputs>,
) -> Result<Arc<dyn Exporter>, BuildError> {
    let printer = Printer {
        id: context.id.to_string(),
        verbosity: config.verbosity,
        to_log: config.destination == Destination::Log,
        tree: config.tree.clone(),
        sampler: Mutex::new(Sampler::new(config.sampling)),
        outputs,
    };
    let settings = Settings {
        timeout: config::Timeout(None),
        retry: None,
        queue: config.queue.clone(),
        labels: Vec::new(),
    };
    exporter_helper::exporter(context, settings, printer)
}

/// Prints payloads of one signal.
struct Printer {
    id: String,
    verbosity: Verbosity,
    /// Whether the summary line is a record of the process's own log.
    to_log: bool,
    tree: TreeConfig,
    sampler: Mutex<Sampler>,
    outputs: Arc<Outputs>,
}

impl Push for Printer {
    type Request = Payload;

    fn encode(&self, payload: &Payload, _client: &Client) -> Result<Encoded<Payload>, EncodeError> {
        // The text is made by the thread that writes it.
        let request = EncodedRequest::new(payload.clone(), payload.items(), 0);
        Ok(Encoded::one(request))
    }

    async fn send(&self, payload: &Payload) -> Result<Sent, SendError> {
        let shown = {
            let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
            sampler.admit(Instant::now())
        };
        if !shown {
            return Ok(Sent::all());
        }
        let outcome = match self.verbosity {
            Verbosity::Tree => {
                let style = Style::new(&self.tree, self.outputs.screen().await);
                self.write(payload, move |payload| records::format(payload, style)).await
            }
            verbosity if self.to_log => {
                Summary::of(payload).log(&self.id);
                if verbosity == Verbosity::Basic || !tracing::event_enabled!(tracing::Level::INFO) {
                    return Ok(Sent::all());
                }
                self.write(payload, move |payload| text(payload, verbosity)).await
            }
            verbosity => self.write(payload, move |payload| with_summary(payload, verbosity)).await,
        };
        match outcome {
            Ok(()) => Ok(Sent::all()),
            Err(error @ WriteError::Stalled) => Err(SendError::Retryable {
                code: Some(GrpcCode::Unavailable),
                delay: Some(COME_BACK_AFTER),
                reason: Reason::new(error.to_string()),
            }),
            // Telling the sender would not help it, and nothing brings the output back.
            Err(error @ WriteError::Failed(_)) => {
                Ok(Sent::partly(payload.items(), Reason::new(error.to_string())))
            }
        }
    }

    fn offload_bytes(&self) -> usize {
        usize::MAX
    }

    async fn start(&self) -> Result<(), StartError> {
        self.outputs.open().await.map_err(StartError)
    }
}

impl Printer {
    async fn write(
        &self,
        payload: &Payload,
        format: impl FnOnce(&Payload) -> Vec<u8> + Send + 'static,
    ) -> Result<(), WriteError> {
        let payload = payload.clone();
        self.outputs.write(move || format(&payload)).await
    }
}

/// What is in a payload, in numbers.
#[derive(Debug)]
enum Summary {
    Traces { resources: usize, spans: usize },
    Metrics { resources: usize, metrics: usize, points: usize },
    Logs { resources: usize, records: usize },
}

impl Summary {
    fn of(payload: &Payload) -> Self {
        match payload.signal() {
            Signal::Traces => Summary::Traces {
                resources: payload.resource_spans().count(),
                spans: payload.items(),
            },
            Signal::Metrics => {
                let scopes = payload.resource_metrics().flat_map(|of| of.scope_metrics);
                Summary::Metrics {
                    resources: payload.resource_metrics().count(),
                    metrics: scopes.map(|scope| scope.metrics.iter().count()).sum(),
                    points: payload.items(),
                }
            }
            Signal::Logs => Summary::Logs {
                resources: payload.resource_logs().count(),
                records: payload.items(),
            },
        }
    }

    /// The line as the Collector prints it to outputs of the exporter's own.
    fn line(&self) -> String {
        match self {
            Summary::Traces { resources, spans } => {
                format!("Traces\t{{\"resource spans\": {resources}, \"spans\": {spans}}}\n")
            }
            Summary::Metrics { resources, metrics, points } => format!(
                "Metrics\t{{\"resource metrics\": {resources}, \"metrics\": {metrics}, \"data points\": {points}}}\n"
            ),
            Summary::Logs { resources, records } => {
                format!("Logs\t{{\"resource logs\": {resources}, \"log records\": {records}}}\n")
            }
        }
    }

    /// The line as a record of the process's own log.
    fn log(&self, id: &str) {
        macro_rules! log {
            ($message:literal, $signal:literal, $($field:literal = $value:expr),+) => {
                tracing::info!(
                    "otelcol.component.id" = id,
                    "otelcol.component.kind" = "exporter",
                    "otelcol.signal" = $signal,
                    $($field = *$value,)+
                    $message
                )
            };
        }
        match self {
            Summary::Traces { resources, spans } => {
                log!("Traces", "traces", "resource spans" = resources, "spans" = spans);
            }
            Summary::Metrics { resources, metrics, points } => {
                log!(
                    "Metrics",
                    "metrics",
                    "resource metrics" = resources,
                    "metrics" = metrics,
                    "data points" = points
                );
            }
            Summary::Logs { resources, records } => {
                log!("Logs", "logs", "resource logs" = resources, "log records" = records);
            }
        }
    }
}

/// What is printed besides the summary.
fn text(payload: &Payload, verbosity: Verbosity) -> Vec<u8> {
    match verbosity {
        Verbosity::Detailed => detailed::format(payload),
        _ => normal::format(payload),
    }
}

/// Summary, text and the empty line that ends it, as the Collector prints them to outputs of the exporter's own.
pub(crate) fn with_summary(payload: &Payload, verbosity: Verbosity) -> Vec<u8> {
    let mut out = Summary::of(payload).line().into_bytes();
    if verbosity != Verbosity::Basic {
        out.append(&mut text(payload, verbosity));
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests;
