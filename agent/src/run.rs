//! Runs pipelines until somebody asks for the end.

use std::sync::Arc;
use std::time::Instant;

use confmap::{Mask, Providers};
use pipeline::{MemoryBudget, MemorySettings, Process, Service, ServiceError, Stop};
use service::load::{self, Loaded};
use service::{EndpointError, MetricsEndpoints, OwnTelemetry, Sources, memory};
use telemetry::logs::{Early, Logger};
use telemetry::{Registration, Registry, process};
use tokio::sync::mpsc;

use crate::gates::{self, Gate};
use crate::signals::{Request, Signals};
use crate::watch::Watch;
use crate::{FAILED, MISUSED, OK, dump};

/// Runs the agent and returns its exit status.
pub(crate) fn run(sources: &Sources, gates: &[Gate], started: Instant) -> u8 {
    dump::with_runtime(async move {
        match Agent::start(sources, gates, started).await {
            Ok(agent) => agent.serve().await,
            Err(status) => status,
        }
    })
}

/// The running agent.
struct Agent<'a> {
    sources: &'a Sources,
    /// The same for every reload: they remember what they read.
    providers: Providers,
    watch: Watch,
    /// What the log hides.
    mask: Mask,
    signals: Signals,
    logger: Logger,
    service: Service,
    endpoints: MetricsEndpoints,
    /// What ends the process from within.
    fatal: mpsc::Receiver<String>,
    container_limit: Option<u64>,
    _own_series: Vec<Registration>,
}

impl<'a> Agent<'a> {
    /// Starts everything; an error is the exit status, and has been told.
    async fn start(sources: &'a Sources, gates: &[Gate], started: Instant) -> Result<Self, u8> {
        let early = Early::new();
        // A second agent in one process logs where the first does.
        let _first = early.set_global();
        let mut signals = Signals::listen().map_err(|error| {
            tracing::error!(error = %error, "Cannot listen to signals.");
            FAILED
        })?;
        let providers = load::providers();
        let loaded = tokio::select! {
            loaded = load::load_with(sources, &providers) => loaded,
            _stop = signals.next_stop() => return Err(OK),
        };
        let Loaded { plan, telemetry, diagnostics, refresh } =
            loaded.map_err(|diagnostics| dump::wrong(&diagnostics))?;
        let mask = diagnostics.mask();
        if !mask.is_empty() {
            let mask = mask.clone();
            early.conceal(move |line| mask.apply(line));
        }
        let logger = early.install(&telemetry.logs).map_err(|error| {
            dump::tell(&format!("Error: service::telemetry::logs: {error}\n"));
            MISUSED
        })?;
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        tracing::info!(version = env!("CARGO_PKG_VERSION"), num_cpu = cpus, "Starting hikyaku...");
        load::log_warnings(&diagnostics);
        load::note_renamed(&plan);
        gates::note(gates);

        let registry = Arc::new(Registry::new());
        registry.set_resource(telemetry.metrics.resource.clone());
        let mut own_series = process::observe(&registry, started);
        own_series.extend(logger.observe(&registry));
        let container_limit = memory::container_limit();
        let (mark, limit) = plan.memory().bounds(container_limit);
        // One place: whoever comes second finds the process ending already.
        let (fatal_sender, fatal) = mpsc::channel(1);
        let process = Process::new(registry.clone(), MemoryBudget::new(mark, limit), fatal_sender);
        let service = tokio::select! {
            service = Service::start(plan, process) => service,
            _stop = signals.next_stop() => return Err(OK),
        };
        let service = service.map_err(|error| {
            report(&mask.apply(&error.to_string()), &telemetry);
            match error {
                ServiceError::Build { .. } => MISUSED,
                ServiceError::Start { .. } => FAILED,
            }
        })?;
        let mut agent = Self {
            sources,
            providers,
            watch: Watch::new(refresh),
            mask,
            signals,
            logger,
            service,
            endpoints: MetricsEndpoints::default(),
            fatal,
            container_limit,
            _own_series: own_series,
        };
        if let Err(error) = agent.serve_metrics(&telemetry).await {
            report(&error.to_string(), &telemetry);
            agent.stop(Stop::AtOnce).await;
            return Err(FAILED);
        }
        Ok(agent)
    }

    /// Waits for what is asked for, and does it. Returns the exit status.
    async fn serve(mut self) -> u8 {
        loop {
            let request = tokio::select! {
                request = self.signals.next() => request,
                changed = self.watch.changed(&self.providers) => {
                    tracing::info!(changed = changed.join(", "), "What the config refers to has changed.");
                    Request::Reload
                }
                Some(error) = self.fatal.recv() => {
                    tracing::error!(error, "Asynchronous error received, terminating process");
                    self.stop(Stop::AtOnce).await;
                    return FAILED;
                }
            };
            match request {
                Request::Reload => {
                    if self.reload().await {
                        continue;
                    }
                    self.stop(Stop::AtOnce).await;
                    return OK;
                }
                Request::Terminate => {
                    tracing::info!(signal = "SIGTERM", "Received signal from OS");
                    self.stop(Stop::Lingering).await;
                    return OK;
                }
                // A person waits for it; nobody beside them is still sending.
                Request::Interrupt => {
                    tracing::info!(signal = "SIGINT", "Received signal from OS");
                    self.stop(Stop::AtOnce).await;
                    return OK;
                }
            }
        }
    }

    /// Drains; a second signal ends that at once.
    async fn stop(self, how: Stop) {
        let Self { mut signals, service, endpoints, .. } = self;
        let held = service.held();
        let drained = tokio::select! {
            report = service.shutdown(how) => Some(report),
            _again = signals.next_stop() => None,
        };
        match drained {
            Some(_told_in_the_log) => endpoints.stop().await,
            None => tracing::warn!(
                undelivered_items = held.count(),
                "Second signal: ending at once. What was not sent is lost."
            ),
        }
    }

    /// Reads the config again and goes over to it. False when a signal to stop came in between.
    async fn reload(&mut self) -> bool {
        tracing::info!("Config reload asked for.");
        let loaded = tokio::select! {
            loaded = load::load_with(self.sources, &self.providers) => loaded,
            _stop = self.signals.next_stop() => return false,
        };
        let Loaded { plan, telemetry, diagnostics, refresh } = match loaded {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                self.service.refuse_reload(&load::summary(&diagnostics));
                return true;
            }
        };
        // What runs on still has the old values.
        let (mask, both) = (diagnostics.mask(), self.mask.with(&diagnostics.mask()));
        if !both.is_empty() {
            self.logger.conceal(move |line| both.apply(line));
        }
        self.mask = mask;
        load::log_warnings(&diagnostics);
        let memory: MemorySettings = plan.memory().clone();
        if self.service.reload(plan).await.is_err() {
            return true;
        }
        self.watch = Watch::new(refresh);
        let (mark, limit) = memory.bounds(self.container_limit);
        self.service.process().budget.set_bounds(mark, limit);
        if let Err(error) = self.logger.reconfigure(&telemetry.logs) {
            tracing::error!(error = %error, "The log goes on as it was: service::telemetry::logs cannot be carried out.");
        }
        self.service.process().registry.set_resource(telemetry.metrics.resource.clone());
        if let Err(error) = self.serve_metrics(&telemetry).await {
            tracing::error!("{error}");
        }
        true
    }

    async fn serve_metrics(&mut self, telemetry: &OwnTelemetry) -> Result<(), EndpointError> {
        let process = self.service.process();
        let (registry, listeners) = (&process.registry, &process.listeners);
        self.endpoints
            .serve(&telemetry.endpoints, telemetry.metrics.level, registry, listeners)
            .await
    }
}

/// Says why the agent does not start: in its log, and to the person at the terminal if the log goes elsewhere.
fn report(error: &str, telemetry: &OwnTelemetry) {
    tracing::error!("{error}");
    if !telemetry.logs.output_paths.iter().any(|path| path == "stderr") {
        dump::tell(&format!("Error: {error}\n"));
    }
}
