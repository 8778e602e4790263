//! The exporter of one signal, and what the exporters of all signals of one section share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::config::{Batch, Sizer};
use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, Push, SendError, Sent, Settings, exporter,
};
use net::host::Host;
use pdata::{Payload, Signal};
use pipeline::{BuildError, Client, Context, Deadline, Exporter, Hosting, StartError};
use telemetry::names::DropReason;

use crate::config::Config;
use crate::host::Hosts;
use crate::intake::{Endpoint, Intake};
use crate::key::KeyCheck;
use crate::logs::{Logs, RECORDS_MAX};
use crate::metrics::Metrics;
use crate::stats::with_stats;
use crate::traces::Traces;

/// What the exporters of one section share. They are made of it, so that a host is told about once.
pub(crate) struct Shared {
    /// The settings.
    pub(crate) config: Arc<Config>,
    /// Where everything is sent.
    pub(crate) intake: Intake,
    /// The check of the API key.
    pub(crate) key: KeyCheck,
    /// What hosts are told about.
    pub(crate) hosts: Hosts,
    /// The host of payloads that name none, once it was asked for.
    fallback_host: OnceLock<String>,
}

impl Shared {
    /// Nothing is opened or read yet.
    pub(crate) fn new(config: Config) -> Arc<Self> {
        let config = Arc::new(config);
        Arc::new(Self {
            intake: Intake::new(config.clone()),
            key: KeyCheck::default(),
            hosts: Hosts::new(config.clone()),
            fallback_host: OnceLock::new(),
            config,
        })
    }

    /// The host of payloads that name none: the setting, or else the name of the machine. Empty where there is none, as in a function of
    /// Lambda or a task of ECS. Hand it to [`datadog::source::host_or`].
    pub(crate) fn fallback_host(&self) -> &str {
        self.fallback_host.get_or_init(|| {
            let set = self.config.hostname.as_deref();
            set.or_else(|| Host::process().machine()).unwrap_or_default().to_owned()
        })
    }
}

/// Makes the exporter of the context's signal.
pub(crate) fn build(
    shared: &Arc<Shared>,
    context: Context,
) -> Result<Arc<dyn Exporter>, BuildError> {
    let tls = &shared.config.client.tls;
    net::tls::check_client(tls).map_err(|error| BuildError(error.to_string()))?;
    match context.signal {
        Some(Signal::Traces) => {
            let settings = shared.config.helper.clone();
            let function = context.process.provided();
            let traces = Traces::new(shared.clone(), context.id.to_string(), function);
            let traces = framed(shared, context.clone(), settings, traces)?;
            with_stats(shared, &context, traces)
        }
        Some(Signal::Metrics) => {
            let settings = shared.config.helper.clone();
            let metrics = Metrics::new(shared.clone(), context.clone());
            framed(shared, context, settings, metrics)
        }
        Some(Signal::Logs) => {
            let mut settings = shared.config.helper.clone();
            fill_requests(&mut settings, shared.config.logs.batch_wait);
            let logs = Logs::new(shared.clone(), context.process.provided());
            framed(shared, context, settings, logs)
        }
        None => Err(BuildError(format!("exporter \"{}\" was built for no signal", context.id))),
    }
}

fn framed(
    shared: &Arc<Shared>,
    context: Context,
    settings: Settings,
    push: impl Push,
) -> Result<Arc<dyn Exporter>, BuildError> {
    let framed = Framed { push, shared: shared.clone(), context: context.clone() };
    exporter(context, settings, framed)
}

/// Has records wait in the queue until a request is full, or for as long as the setting `logs::batch_wait` says.
pub(crate) fn fill_requests(settings: &mut Settings, wait: Option<Duration>) {
    if let (Some(queue), Some(flush_timeout)) = (&mut settings.queue, wait) {
        let mut min_size = RECORDS_MAX as u64;
        if queue.sizer == Sizer::Items {
            min_size = min_size.min(queue.queue_size);
        }
        let batch = Batch { flush_timeout, sizer: Sizer::Items, min_size, ..Batch::default() };
        queue.batch = Some(batch);
    }
}

/// A signal's push, and what its first payload and its hosts set off.
struct Framed<P> {
    push: P,
    shared: Arc<Shared>,
    context: Context,
}

impl<P: Push> Push for Framed<P> {
    type Request = P::Request;

    fn encode(
        &self,
        payload: &Payload,
        client: &Client,
    ) -> Result<Encoded<P::Request>, EncodeError> {
        self.shared.hosts.note(payload, self.shared.fallback_host());
        if self.shared.config.only_metadata {
            return Ok(Encoded::nothing(DropReason::Filtered, payload.items()));
        }
        self.push.encode(payload, client)
    }

    async fn send(&self, request: &P::Request) -> Result<Sent, SendError> {
        if self.shared.key.is_due() {
            let (shared, tasks) = (self.shared.clone(), self.context.tasks.clone());
            let gate = self.context.process.gate.clone();
            self.context.tasks.spawn("check of the API key", async move {
                tokio::select! {
                    () = tasks.stopped() => {}
                    verdict = gate.pass_aside(|| shared.key.verdict(&shared.intake)) => verdict.log(),
                }
            });
        }
        self.push.send(request).await
    }

    async fn warm(&self, deadline: Deadline) {
        let endpoint = match self.context.signal {
            Some(Signal::Traces) => Endpoint::Traces,
            Some(Signal::Metrics) => Endpoint::Series,
            Some(Signal::Logs) => Endpoint::Logs,
            None => return,
        };
        self.shared.intake.warm(endpoint, deadline).await;
    }

    fn max_request_bytes(&self) -> Option<usize> {
        self.push.max_request_bytes()
    }

    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        self.push.request_bytes(payload)
    }

    fn offload_bytes(&self) -> usize {
        self.push.offload_bytes()
    }

    fn keeps_state(&self) -> bool {
        self.push.keeps_state()
    }

    fn halve(&self, request: EncodedRequest<P::Request>) -> Vec<EncodedRequest<P::Request>> {
        self.push.halve(request)
    }

    async fn start(&self) -> Result<(), StartError> {
        let is_function = self.context.process.hosting == Hosting::Function;
        if self.shared.config.api.fail_on_invalid_key && is_function {
            tracing::warn!(
                key = "api::fail_on_invalid_key",
                "A setting is not carried out in AWS Lambda, where a start asks nobody: the key is checked beside the first payload."
            );
        } else if self.shared.config.api.fail_on_invalid_key {
            let _taken = self.shared.key.is_due();
            self.shared.key.verdict(&self.shared.intake).await.refuse_invalid()?;
        }
        self.push.start().await?;
        // A function is no host.
        if self.shared.config.host_metadata.enabled && !is_function {
            let (shared, tasks) = (self.shared.clone(), self.context.tasks.clone());
            self.context.tasks.spawn("host metadata", async move {
                tokio::select! {
                    () = tasks.stopped() => {}
                    () = crate::host::report(&shared) => {}
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
