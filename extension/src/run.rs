//! From the start of the process to its end.

use std::convert::Infallible;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use lambda::api::{Api, ApiError, Event, Registered, Shutdown};
use lambda::telemetry::{Listener, Outcome, Subscription, SubscriptionError, Types, subscribe};
use lambda::{Lifecycle, Mode};
use pipeline::{Deadline, Service};
use telemetry::logs::Early;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::caught::caught;
use crate::environment::Environment;
use crate::late::{self, Late};
use crate::pipelines::{Pipelines, Prepared, Starter};
use crate::{account, ending};

/// How often registering is tried again when the platform does not answer.
const REGISTER_TRIES: usize = 5;
/// How often is flushed where timers should do it and do not.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// How long such a flush may take.
const FLUSH_WITHIN: Duration = Duration::from_secs(30);
/// The pause between two tries.
const REGISTER_PAUSE: Duration = Duration::from_millis(100);

/// Runs the extension to its end.
pub(crate) async fn run(environment: Environment) -> ExitCode {
    let early = Early::new();
    // A process has one log; there is no other before this one.
    let _first = early.set_global();
    for warning in &environment.warnings {
        tracing::warn!("{warning}");
    }
    let mut terminate = signal(SignalKind::terminate()).ok();
    let mut starter = Starter::new(&environment, early);
    let mut prepared = starter.prepare(&environment).await;
    let registered = match register(&environment).await {
        Ok(registered) => registered,
        Err(error) => {
            tracing::error!(error = %error, "The extension cannot register with AWS Lambda.");
            return ExitCode::FAILURE;
        }
    };
    tracing::debug!(
        function = registered.function.name,
        version = registered.function.version,
        mode = ?registered.mode,
        "Registered."
    );
    link_account(&registered, &starter);
    let is_fetched = matches!(prepared, Prepared::Unfetched(_));
    if let Prepared::Unfetched(sockets) = &prepared {
        tracing::debug!(sockets = sockets.len(), "A part of the config has to be fetched.");
        let fetched = starter.fetch(&environment).await;
        // The sockets that were bound early are let go now that the receivers have their own, or have none for now.
        prepared = fetched;
    }
    let mut first = None;
    let pipelines = match prepared {
        Prepared::Running(pipelines) => pipelines,
        Prepared::Off(why) if is_fetched && registered.mode.is_invoked() => {
            tracing::error!(
                "Telemetry is off, the function runs without it until the config can be had: {why}"
            );
            let late = late::fetch(&environment, &registered, &mut starter);
            let late = tokio::select! {
                late = late => late,
                _shutdown = terminated(&mut terminate) => Late::Over,
            };
            match late {
                Late::Running(pipelines, event) => {
                    first = Some(event);
                    pipelines
                }
                Late::Over => return ExitCode::SUCCESS,
            }
        }
        Prepared::Off(why) => return idle(&registered, &why, terminate).await,
        Prepared::Unfetched(_) => {
            return idle(&registered, "the config was not fetched", terminate).await;
        }
    };
    let hub = starter.hub().clone();
    pipelines.pass_on(hub.clone());
    let live = Live { environment: &environment, registered: &registered, starter: &starter };
    match caught(live.run(&pipelines, first, &mut terminate)).await {
        Ok((shutdown, listener)) => {
            let ended = caught(ending::end(*pipelines, hub, listener, &shutdown)).await;
            if ended.is_err() {
                tracing::error!("The end failed. What was held is lost.");
            }
            ExitCode::SUCCESS
        }
        Err(_panicked) => {
            drop(pipelines);
            let why = "the extension failed; please report this with the lines above";
            idle(&registered, why, terminate).await
        }
    }
}

/// Registers. A platform that does not answer is asked again; one that refuses is not.
async fn register(environment: &Environment) -> Result<Registered, ApiError> {
    let mut api = Api::new(&environment.runtime_api);
    let mut tries = 1;
    loop {
        let (same, error) = match api.register(&environment.name, environment.mode).await {
            Ok(registered) => return Ok(registered),
            Err(refused) => refused,
        };
        if tries >= REGISTER_TRIES || !matches!(error, ApiError::NoAnswer { .. }) {
            return Err(error);
        }
        (api, tries) = (same, tries + 1);
        tokio::time::sleep(REGISTER_PAUSE).await;
    }
}

/// A life with running pipelines.
struct Live<'a> {
    environment: &'a Environment,
    registered: &'a Registered,
    starter: &'a Starter,
}

impl Live<'_> {
    /// Lives until the platform or a signal ends it. `first` is an event that has come already.
    async fn run(
        &self,
        pipelines: &Pipelines,
        first: Option<Event>,
        terminate: &mut Option<Signal>,
    ) -> (Shutdown, Option<Listener>) {
        let Self { environment, registered, starter } = *self;
        let service = &pipelines.service;
        // When there was an event, the time for subscriptions is over.
        let (listener, is_told) = match &first {
            None => listen(environment, registered, starter).await,
            Some(_) => (None, false),
        };
        let events = async {
            match registered.mode {
                Mode::ManagedInstances => {
                    service.process().gate.open();
                    tokio::select! {
                        shutdown = until_shutdown(registered) => shutdown,
                        never = flush_often(service) => match never {},
                    }
                }
                mode => {
                    let observer = is_told.then(|| starter.hub().observe());
                    let settings = environment.flush.clone();
                    let lifecycle = Lifecycle::new(registered, service, observer, settings);
                    // Every environment that is made of one snapshot has the same randomness until then.
                    let wakes = if mode == Mode::SnapStart { reseed } else { || () };
                    lifecycle.at_first_invocation(wakes).run(first).await
                }
            }
        };
        let shutdown = tokio::select! {
            shutdown = events => shutdown,
            shutdown = terminated(terminate) => {
                service.process().gate.open();
                shutdown
            }
        };
        (shutdown, listener)
    }
}

/// Flushes from time to time where the pipelines were made for an environment that is frozen, and it turned out to be another one. Never
/// ends.
async fn flush_often(service: &Service) -> Infallible {
    if !service.process().gate.is_kept() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(FLUSH_EVERY).await;
        let _left = service.flush(Deadline::after(FLUSH_WITHIN)).await;
    }
}

/// Subscribes to the Telemetry API: to the platform's events, which tell of the ends of invocations, and to what receivers want. Returns
/// the listener, and whether ends will be told.
async fn listen(
    environment: &Environment,
    registered: &Registered,
    starter: &Starter,
) -> (Option<Listener>, bool) {
    let hub = starter.hub();
    let is_invoked = registered.mode.is_invoked();
    let types = if is_invoked { Types::PLATFORM } else { Types::default() };
    if types.union(hub.wanted_types()) == Types::default() {
        return (None, false);
    }
    let listener = match Listener::open(hub.clone(), hub.wanted_port()) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(
                port = hub.wanted_port(),
                error = %error,
                "Cannot listen for events of the Telemetry API; set another port in the telemetryapi receiver, or 0 for any. Going on without them."
            );
            return (None, false);
        }
    };
    let subscription = Subscription {
        runtime_api: environment.runtime_api.clone(),
        extension_id: registered.identifier().to_owned(),
        port: listener.port(),
        types,
    };
    let outcome: Result<Outcome, SubscriptionError> =
        subscribe(registered.client(), hub, &subscription).await;
    match outcome {
        Ok(Outcome::Subscribed(schema)) => {
            tracing::debug!(schema, "Subscribed to the Telemetry API.");
            (Some(listener), is_invoked)
        }
        Ok(Outcome::NotSupported) => {
            tracing::info!(
                "There is no Telemetry API here. Ends of invocations are guessed from what the function sends."
            );
            (None, false)
        }
        Err(error) => {
            tracing::warn!(
                error = %error,
                "Cannot subscribe to the Telemetry API. Ends of invocations are guessed from what the function sends."
            );
            (None, false)
        }
    }
}

/// Goes on without telemetry: says why, and asks for events as the platform wants it, so that no invocation suffers.
async fn idle(registered: &Registered, why: &str, mut terminate: Option<Signal>) -> ExitCode {
    tracing::error!("Telemetry is off, the function runs without it: {why}");
    tokio::select! {
        _shutdown = until_shutdown(registered) => {}
        _shutdown = terminated(&mut terminate) => {}
    }
    ExitCode::SUCCESS
}

async fn until_shutdown(registered: &Registered) -> Shutdown {
    loop {
        if let Event::Shutdown(shutdown) = registered.next().await {
            return shutdown;
        }
    }
}

/// SIGTERM, which Lambda does not send to extensions; somebody else may.
async fn terminated(terminate: &mut Option<Signal>) -> Shutdown {
    match terminate {
        Some(signal) => {
            let _signalled = signal.recv().await;
            Shutdown { reason: "SIGTERM".to_owned(), deadline: SystemTime::UNIX_EPOCH }
        }
        None => std::future::pending().await,
    }
}

fn link_account(registered: &Registered, starter: &Starter) {
    let Some(id) = &registered.function.account_id else { return };
    starter.note_account(id);
    if let Err(error) = account::link(id, &account::place()) {
        tracing::debug!(error = %error, "Cannot make the link for the account id.");
    }
}

/// Takes new randomness from the system.
fn reseed() {
    let mut seed = [0; 8];
    if rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()) == Ok(seed.len()) {
        fastrand::seed(u64::from_ne_bytes(seed));
    }
}

/// Writes to standard error, for what happens before there is a log.
pub(crate) fn tell(text: &str) {
    // A closed standard error leaves nobody to tell.
    let _written = writeln!(std::io::stderr().lock(), "hikyaku: {text}");
}
