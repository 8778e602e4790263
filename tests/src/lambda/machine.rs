//! The platform's state: who has registered, who waits for what, and which calls that allows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::refusal::Refusal;
use super::setup::{Function, Mode};
use super::subscription::Telemetry;

/// The largest number of extensions, internal ones included.
const EXTENSIONS_MAX: usize = 10;

/// Everything that the three APIs look at and change.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) mode: Mode,
    pub(super) function: Function,
    /// File names in the folder of extensions. Whoever registers under another name is taken for a part of the runtime.
    pub(super) external: Vec<String>,
    pub(super) extensions: Vec<Extension>,
    pub(super) registration_open: bool,
    pub(super) runtime: Runtime,
    pub(super) telemetry: Telemetry,
    ids_given: u64,
}

/// One registered extension.
#[derive(Debug)]
pub(super) struct Extension {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) events: BTreeSet<Event>,
    pub(super) stage: Stage,
    /// What it said with its first `init/error` or `exit/error`.
    pub(super) error_type: Option<String>,
    inbox: VecDeque<Delivery>,
}

/// What an extension can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Invoke,
    Shutdown,
}

/// Where an extension is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Registered,
    /// It has called `next` and waits.
    Ready,
    /// It has been given an event.
    Running,
    InitError,
    ExitError,
}

/// An event on its way to an extension.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) event: Event,
    pub(super) body: Value,
    /// Invocations bear an id of their own beside the request's.
    pub(super) event_id: Option<String>,
}

/// The function's side.
#[derive(Debug, Default)]
pub(super) struct Runtime {
    /// Whether it has asked for its first invocation.
    pub(super) ready: bool,
    pub(super) failed: bool,
    /// What no worker has taken yet.
    pub(super) waiting: VecDeque<Work>,
    /// What a worker has taken, and what it answered.
    pub(super) running: BTreeMap<String, Option<Answered>>,
}

/// An invocation for a runtime that speaks the API itself.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) request_id: String,
    pub(super) deadline_ms: u64,
    pub(super) arn: String,
    pub(super) trace: Option<String>,
    pub(super) payload: String,
}

/// What a runtime answered to an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Response(String),
    Error(String),
}

impl Machine {
    pub(super) fn new(mode: Mode, function: Function, external: Vec<String>) -> Self {
        Self {
            mode,
            function,
            external,
            extensions: Vec::new(),
            registration_open: true,
            runtime: Runtime::default(),
            telemetry: Telemetry::new(mode),
            ids_given: 0,
        }
    }

    /// An environment that begins anew after a reset: nobody is registered, and nothing is left of the Telemetry API.
    pub(super) fn begin_anew(&mut self) {
        self.extensions.clear();
        self.registration_open = true;
        self.runtime = Runtime::default();
        self.telemetry = Telemetry::new(self.mode);
    }

    /// An id that nobody else has, in the form of a UUID.
    pub(super) fn fresh_id(&mut self) -> String {
        self.ids_given += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", std::process::id(), self.ids_given)
    }

    /// `POST /extension/register`.
    pub(super) fn register(&mut self, name: &str, body: &[u8]) -> Result<&Extension, Refusal> {
        if name.is_empty() {
            return Err(Refusal::forbidden(
                "Extension.InvalidExtensionName",
                "Empty extension name",
            ));
        }
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| Refusal::forbidden("InvalidRequestFormat", error.to_string()))?;
        if body.get("configurationKeys").and_then(Value::as_array).is_some_and(|k| !k.is_empty()) {
            let message = "configurationKeys are deprecated; use environment variables instead";
            return Err(Refusal::forbidden("InvalidRequestFormat", message));
        }
        let external = self.external.iter().any(|known| known == name);
        let named = match body.get("events") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(named)) => named.clone(),
            Some(_) => {
                return Err(Refusal::forbidden("InvalidRequestFormat", "events: not a list"));
            }
        };
        let mut events = BTreeSet::new();
        for event in named {
            events.insert(self.event(event.as_str().unwrap_or_default(), external)?);
        }
        let known = self.extensions.iter().any(|extension| extension.name == name);
        if known {
            let message =
                format!("State transition from Registered to Registered failed for {name}");
            return Err(Refusal::forbidden("Extension.InvalidExtensionState", message));
        }
        // An external extension has its place from its launch on, however late it registers.
        if !external && !self.registration_open {
            let message = "Extension registration closed already";
            return Err(Refusal::forbidden("Extension.RegistrationClosed", message));
        }
        if self.extensions.len() >= EXTENSIONS_MAX {
            let message = format!("Extension limit ({EXTENSIONS_MAX}) reached");
            return Err(Refusal::forbidden("Extension.TooManyExtensions", message));
        }
        let extension = Extension {
            id: self.fresh_id(),
            name: name.to_owned(),
            events,
            stage: Stage::Registered,
            error_type: None,
            inbox: VecDeque::new(),
        };
        self.extensions.push(extension);
        self.extensions.last().ok_or_else(|| Refusal::forbidden("Extension.Unknown", "none"))
    }

    fn event(&self, name: &str, external: bool) -> Result<Event, Refusal> {
        let reason = match name {
            "INVOKE" if self.mode == Mode::ManagedInstances => "ErrorInvalidEventType",
            "SHUTDOWN" if !external => "ShutdownEventNotSupportedForInternalExtension",
            "INVOKE" => return Ok(Event::Invoke),
            "SHUTDOWN" => return Ok(Event::Shutdown),
            _ => "ErrorInvalidEventType",
        };
        Err(Refusal::forbidden("Extension.InvalidEventType", format!("{name}: {reason}")))
    }

    /// The extension that a header names.
    pub(super) fn identified(&mut self, id: Option<&str>) -> Result<&mut Extension, Refusal> {
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            let message = "Missing Lambda-Extension-Identifier header";
            Refusal::forbidden("Extension.MissingExtensionIdentifier", message)
        })?;
        if !is_uuid(id) {
            let message = "Invalid Lambda-Extension-Identifier";
            return Err(Refusal::forbidden("Extension.InvalidExtensionIdentifier", message));
        }
        self.extensions.iter_mut().find(|extension| extension.id == id).ok_or_else(|| {
            let message = format!("Unknown extension {id}");
            Refusal::forbidden("Extension.UnknownExtensionIdentifier", message)
        })
    }

    /// Hands an event to everyone who subscribed to it.
    pub(super) fn announce(&mut self, event: Event, body: &Value) {
        let ids: Vec<String> = (0..self.extensions.len()).map(|_| self.fresh_id()).collect();
        for (extension, id) in self.extensions.iter_mut().zip(ids) {
            if extension.events.contains(&event) {
                let event_id = (event == Event::Invoke).then_some(id);
                extension.inbox.push_back(Delivery { event, body: body.clone(), event_id });
            }
        }
    }

    /// Whether everyone that the platform waits for has called `next` and has nothing left to fetch.
    pub(super) fn all_ready(&self) -> bool {
        self.extensions
            .iter()
            .all(|extension| extension.stage == Stage::Ready && extension.inbox.is_empty())
    }
}

impl Extension {
    /// `GET /extension/event/next`: the caller waits from here on.
    pub(super) fn call_next(&mut self) -> Result<(), Refusal> {
        match self.stage {
            Stage::Registered | Stage::Running => {
                self.stage = Stage::Ready;
                Ok(())
            }
            Stage::Ready | Stage::InitError | Stage::ExitError => Err(self.stuck("Ready")),
        }
    }

    /// The event that ends the waiting, once there is one.
    pub(super) fn take_event(&mut self) -> Option<Delivery> {
        let delivery = self.inbox.pop_front()?;
        self.stage = Stage::Running;
        Some(delivery)
    }

    /// `POST /extension/init/error`.
    pub(super) fn init_error(&mut self, error_type: Option<&str>) -> Result<(), Refusal> {
        let error_type = reported(error_type)?;
        match self.stage {
            Stage::Registered | Stage::InitError => self.fail(Stage::InitError, error_type),
            Stage::Ready | Stage::Running | Stage::ExitError => return Err(self.stuck("InitError")),
        }
        Ok(())
    }

    /// `POST /extension/exit/error`.
    pub(super) fn exit_error(&mut self, error_type: Option<&str>) -> Result<(), Refusal> {
        let error_type = reported(error_type)?;
        if self.stage == Stage::InitError {
            return Err(self.stuck("ExitError"));
        }
        self.fail(Stage::ExitError, error_type);
        Ok(())
    }

    /// The first error counts.
    fn fail(&mut self, stage: Stage, error_type: &str) {
        self.stage = stage;
        self.error_type.get_or_insert_with(|| error_type.to_owned());
    }

    fn stuck(&self, wanted: &str) -> Refusal {
        let message = format!(
            "State transition from {:?} to {wanted} failed for extension {}",
            self.stage, self.id
        );
        Refusal::forbidden("Extension.InvalidExtensionState", message)
    }
}

impl Runtime {
    /// `POST /runtime/invocation/{id}/response` and `…/error`.
    pub(super) fn answer(&mut self, request_id: &str, answered: Answered) -> Result<(), Refusal> {
        match self.running.get_mut(request_id) {
            Some(place @ None) => {
                *place = Some(answered);
                Ok(())
            }
            // Unknown, or answered before.
            _ => Err(Refusal {
                status: 400,
                error_type: "InvalidRequestID",
                message: "Invalid request ID".to_owned(),
            }),
        }
    }

    /// The invocation that a waiting worker gets.
    pub(super) fn take(&mut self) -> Option<Work> {
        let work = self.waiting.pop_front()?;
        self.running.insert(work.request_id.clone(), None);
        Some(work)
    }
}

fn reported(error_type: Option<&str>) -> Result<&str, Refusal> {
    error_type.filter(|text| !text.is_empty()).ok_or_else(|| {
        let message = "Lambda-Extension-Function-Error-Type not found";
        Refusal::forbidden("Extension.MissingHeader", message)
    })
}

/// Thirty-two hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|digit| digit.is_ascii_hexdigit())
}
