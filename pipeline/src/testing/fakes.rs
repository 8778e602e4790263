//! Components of every kind that do what a test says and note what happens to them.
//!
//! A fake finds its test by the key `probe` of its section, which names a [`Probe`]. Other keys: `fail_build`, `fail_start`,
//! `holds` (items that it says it has, given up at shutdown), `stuck` (never ends), `listen` (an address), `uses` (an extension whose
//! capability it asks for), `authenticator` (an extension that it names as its own), `at` (where an extension has its page), `value` (anything,
//! to make sections differ).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};

use confmap::{Capability, Section};
use pdata::Signal;

use super::{Recorder, lock};
use crate::component::{Component, Connector, Exporter, Extension, Processor, Receiver};
use crate::consumer::{BoxFuture, ConsumeError, Consumer};
use crate::context::{BuildError, Context, StartError};
use crate::deadline::Deadline;
use crate::envelope::Envelope;
use crate::factory::{
    ConnectorFactory, ExporterFactory, ExtensionFactory, Probe as Probed, ProcessorFactory,
    ReceiverFactory,
};
use crate::id::ComponentId;
use crate::listeners::{Listener, TransportAddress};
use crate::outlet::{Outlet, Outlets};
use crate::plan::Components;

/// Component tables of fakes: type `fake` of every kind, for all signals; receiver `fake_traces` for traces alone; connector `fake`
/// from each signal to itself, `fake_spanmetrics` from traces to metrics; extension `fake` is a client authenticator, `fake_page` has a page.
pub static COMPONENTS: Components = Components {
    receivers: &[
        &ReceiverFactory {
            component_type: "fake",
            aliases: &["old_fake"],
            signals: &Signal::ALL,
            parse: receiver,
        },
        &ReceiverFactory {
            component_type: "fake_traces",
            aliases: &[],
            signals: &[Signal::Traces],
            parse: receiver,
        },
    ],
    processors: &[&ProcessorFactory {
        component_type: "fake",
        aliases: &[],
        signals: &Signal::ALL,
        parse: |section| {
            let settings = Arc::new(Settings::read(section));
            Box::new(move |context, outlet| {
                Ok(Arc::new(Fake::new(&settings, context, Some(outlet))?))
            })
        },
    }],
    exporters: &[&ExporterFactory {
        component_type: "fake",
        aliases: &[],
        signals: &Signal::ALL,
        parse: |section| {
            let settings = Arc::new(Settings::read(section));
            Box::new(move |context| Ok(Arc::new(Fake::new(&settings, context, None)?)))
        },
    }],
    connectors: &[
        &ConnectorFactory {
            component_type: "fake",
            aliases: &[],
            signals: &[
                (Signal::Traces, Signal::Traces),
                (Signal::Metrics, Signal::Metrics),
                (Signal::Logs, Signal::Logs),
            ],
            parse: connector,
        },
        &ConnectorFactory {
            component_type: "fake_spanmetrics",
            aliases: &[],
            signals: &[(Signal::Traces, Signal::Metrics)],
            parse: connector,
        },
    ],
    extensions: &[
        &ExtensionFactory {
            component_type: "fake",
            aliases: &[],
            provides: &[Capability::ClientAuthenticator],
            probe: None,
            parse: extension,
        },
        &ExtensionFactory {
            component_type: "fake_page",
            aliases: &[],
            provides: &[],
            probe: Some(|section| {
                let at = TransportAddress::Tcp(Settings::read(section).at.unwrap_or_default());
                Probed { address: at, path: "/".to_owned(), is_encrypted: false }
            }),
            parse: extension,
        },
    ],
};

fn receiver(section: Section<'_>) -> crate::BuildReceiver {
    let settings = Arc::new(Settings::read(section));
    Box::new(move |context, outlets| {
        if let Some(probe) = &settings.probe() {
            lock(&probe.outlets).insert(context.id.to_string(), outlets.clone());
        }
        Ok(Arc::new(Fake::new(&settings, context, None)?))
    })
}

fn extension(section: Section<'_>) -> crate::BuildExtension {
    let settings = Arc::new(Settings::read(section));
    Box::new(move |context| Ok(Arc::new(Fake::new(&settings, context, None)?)))
}

fn connector(section: Section<'_>) -> crate::BuildConnector {
    let settings = Arc::new(Settings::read(section));
    Box::new(move |context, _to, outlet| Ok(Arc::new(Fake::new(&settings, context, Some(outlet))?)))
}

/// Probes by name, for fakes to find theirs.
static PROBES: LazyLock<Mutex<HashMap<String, Weak<Probe>>>> = LazyLock::new(Mutex::default);

/// A test's hand on its fakes.
#[derive(Default)]
pub struct Probe {
    events: Mutex<Vec<String>>,
    outlets: Mutex<HashMap<String, Outlets>>,
    recorders: Mutex<HashMap<String, Recorder>>,
}

impl Probe {
    /// The probe that fakes with `probe: name` report to. Tests run side by side, so each needs a name of its own.
    pub fn new(name: &str) -> Arc<Self> {
        let probe = Arc::new(Self::default());
        lock(&PROBES).insert(name.to_owned(), Arc::downgrade(&probe));
        probe
    }

    /// What happened since the last call, in order: `start exporter fake`, `stop receiver fake/2`, `ready`, `reloaded: no`…
    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.events))
    }

    /// The outlets of the receiver that was built last under this id.
    ///
    /// # Panics
    /// When there is none.
    pub fn outlets(&self, receiver: &str) -> Outlets {
        lock(&self.outlets).get(receiver).expect("a receiver of this id was built").clone()
    }

    /// What the exporter of this id takes, of all signals.
    pub fn exporter(&self, id: &str) -> Recorder {
        lock(&self.recorders).entry(id.to_owned()).or_default().clone()
    }

    /// Has a receiver take data from nowhere.
    ///
    /// # Errors
    /// What the pipelines answer.
    ///
    /// # Panics
    /// When there is no such receiver, or it feeds no pipeline of the signal.
    pub async fn receive(&self, receiver: &str, envelope: Envelope) -> Result<(), ConsumeError> {
        let outlets = self.outlets(receiver);
        let outlet = outlets.get(envelope.signal()).expect("a pipeline takes the signal");
        outlet.consume(envelope).await
    }
}

/// A fake's section.
#[derive(Default)]
struct Settings {
    probe: Option<String>,
    fail_build: bool,
    fail_start: bool,
    stuck: bool,
    holds: usize,
    listen: Option<String>,
    uses: Option<ComponentId>,
    at: Option<String>,
}

impl Settings {
    fn read(mut section: Section<'_>) -> Self {
        let settings = Self {
            probe: section.get("probe"),
            fail_build: section.get("fail_build").unwrap_or_default(),
            fail_start: section.get("fail_start").unwrap_or_default(),
            stuck: section.get("stuck").unwrap_or_default(),
            holds: section.get("holds").unwrap_or_default(),
            listen: section.get("listen"),
            uses: section.get("uses"),
            at: section.get("at"),
        };
        if let Some(authenticator) = section.item("authenticator") {
            authenticator.names_extension(Capability::ClientAuthenticator);
        }
        let _only_compared = section.is_set("value");
        section.finish();
        settings
    }

    fn probe(&self) -> Option<Arc<Probe>> {
        lock(&PROBES).get(self.probe.as_ref()?)?.upgrade()
    }
}

/// A component of any kind.
struct Fake {
    settings: Arc<Settings>,
    context: Context,
    outlet: Option<Outlet>,
    probe: Option<Arc<Probe>>,
    listener: Mutex<Option<Listener>>,
}

impl Fake {
    fn new(
        settings: &Arc<Settings>,
        context: Context,
        outlet: Option<Outlet>,
    ) -> Result<Self, BuildError> {
        if settings.fail_build {
            return Err(BuildError("told to fail".to_owned()));
        }
        let (settings, probe) = (settings.clone(), settings.probe());
        Ok(Self { settings, context, outlet, probe, listener: Mutex::default() })
    }

    fn note(&self, event: &str) {
        let Some(probe) = &self.probe else { return };
        let (kind, id) = (self.context.kind.name(), &self.context.id);
        let signal = self.context.signal.map(|signal| format!(" {signal}")).unwrap_or_default();
        lock(&probe.events).push(format!("{event} {kind} {id}{signal}"));
    }
}

impl Component for Fake {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async move {
            if self.settings.fail_start {
                return Err(StartError("told to fail".to_owned()));
            }
            if let Some(address) = &self.settings.listen {
                let listener = self.context.listen(&TransportAddress::Tcp(address.clone()))?;
                *lock(&self.listener) = Some(listener);
            }
            if let Some(extension) = &self.settings.uses {
                let _capability = self.context.capability::<&'static str>(extension)?;
            }
            self.note("start");
            Ok(())
        })
    }

    fn flush(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        self.note("flush");
        Box::pin(async move { self.settings.holds })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            if self.settings.stuck {
                std::future::pending::<()>().await;
            }
            self.note("stop");
            *lock(&self.listener) = None;
            if self.settings.holds > 0 {
                tokio::time::sleep_until(deadline.instant()).await;
            }
            self.settings.holds
        })
    }
}

impl Consumer for Fake {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            match (&self.outlet, &self.probe) {
                (Some(outlet), _) => {
                    // Passing through leaves a trace, so that a test can see the way a payload took.
                    let mut client = (*envelope.client).clone();
                    client.metadata.push(("via".to_owned(), self.context.id.to_string()));
                    outlet.consume(Envelope { client: Arc::new(client), ..envelope }).await
                }
                (None, Some(probe)) => {
                    probe.exporter(&self.context.id.to_string()).consume(envelope).await
                }
                (None, None) => Ok(()),
            }
        })
    }
}

impl Receiver for Fake {}
impl Processor for Fake {}
impl Exporter for Fake {}
impl Connector for Fake {}

impl Extension for Fake {
    fn pipelines_ready(&self) {
        self.note("ready");
    }

    fn pipelines_stopping(&self) {
        self.note("stopping");
    }

    fn reloaded(&self, result: Result<(), &str>) {
        self.note(if result.is_ok() { "reloaded" } else { "reload refused" });
    }

    fn capability(
        self: Arc<Self>,
        _wanted: std::any::TypeId,
    ) -> Option<Arc<dyn std::any::Any + Send + Sync>> {
        Some(Arc::new("a capability"))
    }
}
