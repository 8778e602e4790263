//! The three APIs over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use serde_json::json;

use super::delivery;
use super::events;
use super::machine::{Answered, Delivery, Event, Machine, Stage, Work};
use super::refusal::Refusal;
use super::setup::{Function, Mode};
use super::shared::{Call, Shared};
use super::subscription::Refuses;
use crate::otlp::header;
use crate::server::{Outcome, Reply, Server, Service, full, json_reply, reply};

const IDENTIFIER: &str = "lambda-extension-identifier";

/// The three APIs, listening. What a sandbox does is told to it through the state that it shares.
#[derive(Debug)]
pub struct Platform {
    server: Server,
    pub(super) shared: Arc<Shared>,
}

impl Platform {
    /// Listens on any free port, with these names in the folder of extensions.
    pub fn start(mode: Mode, function: Function, extensions: &[&str]) -> Self {
        let external = extensions.iter().map(|name| (*name).to_owned()).collect();
        let shared = Shared::new(Machine::new(mode, function, external));
        let server = Server::start(0, Arc::new(Apis { shared: Arc::clone(&shared) }));
        Self { server, shared }
    }

    /// The port of all three.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Every call so far that has been answered, in the order of the answers.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls()
    }

    /// Ends what an extension may only do during Init.
    pub fn close_init(&self) {
        self.shared.with(|machine| {
            machine.registration_open = false;
            machine.telemetry.close();
        });
    }

    /// Lets the Telemetry API answer 202 and "not supported".
    pub fn without_telemetry(&self) {
        self.shared.with(|machine| machine.telemetry.refuses = Refuses::NotSupported);
    }

    /// Gives an invocation to whoever asks the Runtime API next, and returns its id.
    pub fn offer_invocation(&self, payload: &str) -> String {
        self.shared.with(|machine| {
            let request_id = machine.fresh_id();
            let work = Work {
                request_id: request_id.clone(),
                deadline_ms: super::clock::real_unix_ms() + 3000,
                arn: machine.function.arn(),
                trace: None,
                payload: payload.to_owned(),
            };
            machine.runtime.waiting.push_back(work);
            request_id
        })
    }

    /// Hands an INVOKE to the extensions.
    pub fn announce_invocation(&self, request_id: &str) {
        self.shared.with(|machine| {
            let arn = machine.function.arn();
            let deadline = super::clock::real_unix_ms() + 3000;
            let body = events::invoke_body(request_id, &arn, deadline, None);
            machine.announce(Event::Invoke, &body);
        });
    }

    /// Hands a SHUTDOWN to the extensions.
    pub fn announce_shutdown(&self, reason: &str) {
        let body = events::shutdown_body(reason, super::clock::real_unix_ms() + 2000);
        self.shared.with(|machine| machine.announce(Event::Shutdown, &body));
    }

    /// How many extensions wait for an event.
    pub fn waiting(&self) -> usize {
        self.shared.look(|machine| {
            let waiting = machine.extensions.iter().filter(|one| one.stage == Stage::Ready);
            waiting.count()
        })
    }

    /// Emits an event of the Telemetry API, or a text in the place of one.
    pub fn emit(&self, category: &'static str, event: &str) {
        let entry = super::subscription::Entry::raw(category, event);
        self.shared.with(|machine| machine.telemetry.emit(&entry));
    }

    /// The batches that the first subscriber has taken, and the records that were dropped.
    pub fn telemetry_account(&self) -> (usize, usize) {
        self.shared.look(|machine| {
            let first = machine.telemetry.subscriptions.first();
            first.map_or((0, 0), |one| (one.delivered_batches, one.dropped_records))
        })
    }

    /// Whether a batch is dropped while one is on its way, and how often one that was refused is sent again.
    pub fn telemetry_delivery(&self, drops_while_busy: bool, sends_again: u32) {
        self.shared.with(|machine| {
            machine.telemetry.drops_while_busy = drops_while_busy;
            machine.telemetry.sends_again = sends_again;
        });
    }
}

struct Apis {
    shared: Arc<Shared>,
}

impl Service for Apis {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            let at = Instant::now();
            let answered = self.route(&head, &body).await;
            let answered = answered.unwrap_or_else(|refusal| refusal.reply());
            self.shared.record(Call {
                what: format!("{} {}", head.method, head.uri.path()),
                body: String::from_utf8_lossy(&body).into_owned(),
                status: answered.status().as_u16(),
                at,
            });
            Some(answered)
        })
    }
}

impl Apis {
    async fn route(&self, head: &Parts, body: &Bytes) -> Result<Reply, Refusal> {
        let path = head.uri.path();
        match (head.method.as_str(), path) {
            ("POST", "/2020-01-01/extension/register") => self.register(head, body),
            ("GET", "/2020-01-01/extension/event/next") => self.extension_next(head).await,
            ("POST", "/2020-01-01/extension/init/error") => self.failed(head, true),
            ("POST", "/2020-01-01/extension/exit/error") => self.failed(head, false),
            ("PUT", "/2022-07-01/telemetry") => self.subscribe(head, body),
            ("GET", "/2018-06-01/runtime/invocation/next") => self.runtime_next().await,
            ("POST", "/2018-06-01/runtime/init/error") => {
                self.shared.with(|machine| machine.runtime.failed = true);
                Ok(accepted())
            }
            ("POST", _) => self.answered(path, body),
            _ => Ok(reply(404)),
        }
    }

    fn register(&self, head: &Parts, body: &[u8]) -> Result<Reply, Refusal> {
        let name = header(head, "lambda-extension-name").unwrap_or_default();
        let features = header(head, "lambda-extension-accept-feature").unwrap_or_default();
        let wants_account = features.split(',').any(|feature| feature.trim() == "accountId");
        let (id, answer) = self.shared.with(|machine| {
            let Function { name: function, version, handler, account, .. } =
                machine.function.clone();
            let id = machine.register(name, body)?.id.clone();
            let mut answer = json!({
                "functionName": function,
                "functionVersion": version,
                "handler": handler,
            });
            if let (true, Some(account), Some(object)) =
                (wants_account, account, answer.as_object_mut())
            {
                object.insert("accountId".to_owned(), account.into());
            }
            let registered = events::extension(name, "Registered", &machine.extensions);
            machine.telemetry.emit(&registered);
            Ok((id, answer))
        })?;
        let mut answer = json_reply(200, &answer.to_string());
        if let Ok(id) = HeaderValue::from_str(&id) {
            answer.headers_mut().insert(IDENTIFIER, id);
        }
        Ok(answer)
    }

    async fn extension_next(&self, head: &Parts) -> Result<Reply, Refusal> {
        let id = header(head, IDENTIFIER);
        let mut changes = self.shared.changes();
        let id = self.shared.with(|machine| {
            let extension = machine.identified(id)?;
            extension.call_next()?;
            Ok(extension.id.clone())
        })?;
        loop {
            changes.borrow_and_update();
            // The environment may have begun anew meanwhile, without this extension.
            let delivery = self.shared.with_quietly(|machine| {
                machine.identified(Some(&id)).map(|extension| extension.take_event())
            })?;
            if let Some(delivery) = delivery {
                return Ok(event_reply(delivery));
            }
            if changes.changed().await.is_err() {
                return Ok(reply(500));
            }
        }
    }

    fn failed(&self, head: &Parts, during_init: bool) -> Result<Reply, Refusal> {
        let (id, error_type) =
            (header(head, IDENTIFIER), header(head, "lambda-extension-function-error-type"));
        self.shared.with(|machine| {
            let extension = machine.identified(id)?;
            if during_init {
                extension.init_error(error_type)
            } else {
                extension.exit_error(error_type)
            }
        })?;
        Ok(accepted())
    }

    fn subscribe(&self, head: &Parts, body: &[u8]) -> Result<Reply, Refusal> {
        let id = header(head, IDENTIFIER);
        let subscribed = self.shared.with(|machine| {
            let name = machine.identified(id)?.name.clone();
            if machine.telemetry.refuses == Refuses::NotSupported {
                return Ok(None);
            }
            let (place, types) = machine.telemetry.subscribe(&name, body)?;
            machine.telemetry.emit(&events::subscribed(&name, &types));
            Ok(Some(place))
        })?;
        let Some(place) = subscribed else {
            let body = json!({
                "errorMessage": "Telemetry API is not supported",
                "errorType": "Telemetry.NotSupported",
            });
            return Ok(json_reply(202, &body.to_string()));
        };
        delivery::spawn(Arc::clone(&self.shared), place);
        Ok(json_reply(200, "\"OK\""))
    }

    async fn runtime_next(&self) -> Result<Reply, Refusal> {
        let mut changes = self.shared.changes();
        self.shared.with(|machine| {
            let runtime = &mut machine.runtime;
            runtime.ready = true;
            // A worker that asks again has answered.
            runtime.running.retain(|_, answered| answered.is_none());
            if machine.mode != Mode::ManagedInstances && !runtime.running.is_empty() {
                let message = "State transition from Running to Ready failed for runtime";
                return Err(Refusal::forbidden("InvalidStateTransition", message));
            }
            Ok(())
        })?;
        loop {
            changes.borrow_and_update();
            let work = self.shared.with_quietly(|machine| machine.runtime.take());
            if let Some(work) = work {
                return Ok(work_reply(&work));
            }
            if changes.changed().await.is_err() {
                return Ok(reply(500));
            }
        }
    }

    /// `/runtime/invocation/{id}/response` and `…/error`.
    fn answered(&self, path: &str, body: &Bytes) -> Result<Reply, Refusal> {
        let rest = path.strip_prefix("/2018-06-01/runtime/invocation/").unwrap_or_default();
        let Some((request_id, kind)) = rest.split_once('/') else { return Ok(reply(404)) };
        let text = String::from_utf8_lossy(body).into_owned();
        let answered = match kind {
            "response" => Answered::Response(text),
            "error" => Answered::Error(text),
            _ => return Ok(reply(404)),
        };
        self.shared.with(|machine| machine.runtime.answer(request_id, answered))?;
        Ok(accepted())
    }
}

fn accepted() -> Reply {
    json_reply(202, &json!({ "status": "OK" }).to_string())
}

/// INVOKE comes as JSON, SHUTDOWN as plain text, with JSON in both.
fn event_reply(delivery: Delivery) -> Reply {
    let mut answer = json_reply(200, &delivery.body.to_string());
    if delivery.event == Event::Shutdown {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        answer.headers_mut().insert("content-type", plain);
    }
    let id = delivery.event_id.and_then(|id| HeaderValue::from_str(&id).ok());
    if let Some(id) = id {
        answer.headers_mut().insert("lambda-extension-event-identifier", id);
    }
    answer
}

fn work_reply(work: &Work) -> Reply {
    let mut answer = json_reply(200, "");
    *answer.body_mut() = full(work.payload.clone());
    let deadline = work.deadline_ms.to_string();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", Some(work.request_id.as_str())),
        ("lambda-runtime-deadline-ms", Some(deadline.as_str())),
        ("lambda-runtime-invoked-function-arn", Some(work.arn.as_str())),
        ("lambda-runtime-trace-id", work.trace.as_deref()),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
