//! The pipelines, started so that whatever is wrong with them is a text and nothing worse.

use std::sync::Arc;
use std::time::Duration;

use confmap::Mask;
use lambda::telemetry::Hub;
use lambda::{Function, Mode};
use pipeline::{Deadline, Gate, Listener, MemoryBudget, Process, Service, Tasks};
use service::load::{self, Loaded, Look};
use service::{MetricsEndpoints, OwnTelemetry};
use telemetry::logs::{Early, Logger};
use telemetry::{Registration, Registry, process};
use tokio::sync::mpsc;

use crate::caught::caught;
use crate::environment::Environment;
use crate::sockets;

/// How long the parts of a config that come over the network are waited for: well inside the 10 s that Lambda gives the init phase.
const FETCH_WITHIN: Duration = Duration::from_secs(5);
/// The same where the init phase takes place in advance, and has minutes.
const FETCH_WITHIN_IN_ADVANCE: Duration = Duration::from_secs(30);

/// Running pipelines.
pub(crate) struct Pipelines {
    pub(crate) service: Service,
    endpoints: MetricsEndpoints,
    /// What belongs to no component.
    tasks: Tasks,
    _own_series: Vec<Registration>,
}

/// How far the pipelines have come before the extension registers.
pub(crate) enum Prepared {
    /// They run.
    Running(Box<Pipelines>),
    /// Something has to be fetched first. The sockets take connections already.
    Unfetched(Vec<Listener>),
    /// They cannot run. The text says why, and what to do.
    Off(String),
}

/// Starts pipelines.
pub(crate) struct Starter {
    process: Process,
    hub: Arc<Hub>,
    mode: Mode,
    memory: u64,
    fatal: Option<mpsc::Receiver<String>>,
    early: Option<Early>,
    logger: Option<Logger>,
}

impl Starter {
    pub(crate) fn new(environment: &Environment, early: Early) -> Self {
        let registry = Arc::new(Registry::new());
        // Its bounds are those of the config, once that is known.
        let budget = MemoryBudget::new(usize::MAX, usize::MAX);
        let hub = Hub::new(&registry, budget.clone());
        let (fatal_sender, fatal) = mpsc::channel(1);
        let gate = if environment.mode.is_invoked() { Gate::closed() } else { Gate::default() };
        let process = Process::new(registry, budget, fatal_sender).beside_function(gate);
        process.provide(hub.clone());
        if let Some(function) = Function::of(|name| environment.variable(name)) {
            let function = Arc::new(function);
            hub.inform(function.clone());
            process.provide(function);
        }
        Self {
            process,
            hub,
            mode: environment.mode,
            memory: environment.memory,
            fatal: Some(fatal),
            early: Some(early),
            logger: None,
        }
    }

    /// Has the components know the account that the function belongs to.
    pub(crate) fn note_account(&self, id: &str) {
        if let Some(function) = self.process.provided::<Function>() {
            function.set_account_id(id);
        }
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Does what can be done without the network.
    pub(crate) async fn prepare(&mut self, environment: &Environment) -> Prepared {
        let look = match caught(load::look(&environment.sources)).await {
            Ok(look) => look,
            Err(_panicked) => return Prepared::Off(panicked("reading the config")),
        };
        match look {
            Look::Partly(root) => {
                // Lines of the time before the config is there wait for nothing.
                self.log_as(&environment.sources.log);
                Prepared::Unfetched(sockets::bind(root.as_ref(), &self.process.listeners))
            }
            Look::Whole(loaded) => self.start(*loaded, environment).await,
        }
    }

    /// Fetches what is missing of the config, and starts.
    pub(crate) async fn fetch(&mut self, environment: &Environment) -> Prepared {
        let within = match self.mode {
            Mode::OnDemand => FETCH_WITHIN,
            _ => FETCH_WITHIN_IN_ADVANCE,
        };
        let load = caught(load::load(&environment.sources));
        match Deadline::after(within).bound(load).await {
            Some(Ok(loaded)) => self.start(loaded, environment).await,
            Some(Err(_panicked)) => Prepared::Off(panicked("reading the config")),
            None => Prepared::Off(format!(
                "the parts of the config that come over the network did not come within {} s; see that the function's network reaches their endpoints",
                within.as_secs()
            )),
        }
    }

    async fn start(
        &mut self,
        loaded: Result<Loaded, confmap::Diagnostics>,
        environment: &Environment,
    ) -> Prepared {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                self.log_as(&environment.sources.log);
                return Prepared::Off(load::summary(&diagnostics));
            }
        };
        match caught(self.start_sound(loaded)).await {
            Ok(Ok(pipelines)) => Prepared::Running(Box::new(pipelines)),
            Ok(Err(why)) => Prepared::Off(why),
            Err(_panicked) => Prepared::Off(panicked("starting the pipelines")),
        }
    }

    async fn start_sound(&mut self, loaded: Loaded) -> Result<Pipelines, String> {
        let Loaded { plan, mut telemetry, diagnostics, refresh } = loaded;
        let mask = diagnostics.mask();
        self.conceal(&mask);
        // Every byte of the log is paid for, and each line says already which program it is from.
        telemetry.logs.resource.retain(|(name, value)| match name.as_str() {
            "service.instance.id" | "service.version" => false,
            "service.name" => value != "hikyaku",
            _ => true,
        });
        if self.mode == Mode::SnapStart {
            // It would be the same in every environment that is made of the snapshot.
            telemetry.metrics.resource.retain(|(name, _)| name != "service.instance.id");
        }
        self.log_as(&telemetry.logs);
        load::log_warnings(&diagnostics);
        if refresh.is_some() {
            tracing::warn!(
                "refresh of a reference is not carried out in a function: the next environment reads the value anew."
            );
        }
        load::note_renamed(&plan);
        let registry = &self.process.registry;
        registry.set_resource(telemetry.metrics.resource.clone());
        let mut own_series = process::observe(registry, std::time::Instant::now());
        if let Some(logger) = &self.logger {
            own_series.extend(logger.observe(registry));
        }
        // The function needs the memory that it has paid for: half of what a container of its size would get.
        let (_mark, limit) = plan.memory().bounds(Some(self.memory / 2));
        // Nobody is slowed: behind the sender stands the function's caller. Up to the limit everything is taken, beyond it nothing.
        self.process.budget.set_bounds(limit, limit);
        let service = Service::start(plan, self.process.clone()).await;
        let service = service.map_err(|error| mask.apply(&error.to_string()).into_owned())?;
        let mut pipelines = Pipelines {
            service,
            endpoints: MetricsEndpoints::default(),
            tasks: Tasks::new("extension"),
            _own_series: own_series,
        };
        if let Some(mut fatal) = self.fatal.take() {
            let tasks = pipelines.tasks.clone();
            pipelines.tasks.spawn("fatal errors", async move {
                loop {
                    let error = tokio::select! {
                        () = tasks.stopped() => return,
                        error = fatal.recv() => error,
                    };
                    let Some(error) = error else { return };
                    tracing::error!(error, "A component failed. The extension goes on without it.");
                }
            });
        }
        if let Err(error) = pipelines.serve_metrics(&telemetry).await {
            tracing::error!(error = %error, "The extension goes on without its own metrics.");
        }
        Ok(pipelines)
    }

    /// Hides secrets in the log from here on.
    fn conceal(&self, mask: &Mask) {
        let mask = mask.clone();
        match (&self.logger, &self.early) {
            _ if mask.is_empty() => {}
            (Some(logger), _) => logger.conceal(move |line| mask.apply(line)),
            (None, Some(early)) => early.conceal(move |line| mask.apply(line)),
            (None, None) => {}
        }
    }

    /// Begins to write the log, or changes how it is written.
    fn log_as(&mut self, settings: &telemetry::LogSettings) {
        let result = match (&self.logger, self.early.take()) {
            (Some(logger), _) => logger.reconfigure(settings),
            (None, Some(early)) => early.install(settings).map(|logger| self.logger = Some(logger)),
            (None, None) => Ok(()),
        };
        if let Err(error) = result {
            tracing::error!(error = %error, "The log goes to stderr: service::telemetry::logs cannot be carried out.");
        }
    }
}

impl Pipelines {
    /// Has the hub pass events on for as long as the pipelines live.
    pub(crate) fn pass_on(&self, hub: Arc<Hub>) {
        let tasks = self.tasks.clone();
        self.tasks.spawn("telemetry events", async move { hub.run(tasks.stopped()).await });
    }

    /// Serves the process's own metrics where the config asks for it. Nobody reads them at the default port in Lambda.
    async fn serve_metrics(
        &mut self,
        telemetry: &OwnTelemetry,
    ) -> Result<(), service::EndpointError> {
        let wanted: Vec<_> =
            telemetry.endpoints.iter().filter(|endpoint| endpoint.is_configured).cloned().collect();
        let process = self.service.process();
        let (registry, listeners) = (&process.registry, &process.listeners);
        self.endpoints.serve(&wanted, telemetry.metrics.level, registry, listeners).await
    }

    /// Ends everything but the pipelines, which are handed over to be drained.
    pub(crate) async fn into_service(self, deadline: Deadline) -> Service {
        let Self { service, endpoints, tasks, .. } = self;
        endpoints.stop().await;
        let _ended = tasks.join(deadline).await;
        service
    }
}

fn panicked(doing: &str) -> String {
    format!("{doing} failed within the extension; please report this with the lines above")
}
