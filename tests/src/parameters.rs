//! A parameter store that takes nothing but what `GetParameters` is documented to take, and fails as AWS does when a test wants it to.
//!
//! The rules are those of the Systems Manager API reference (`GetParameters`, `Parameter`, common errors). Signatures are looked at for their
//! scope only; moto checks them whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::agent::Setup;
use crate::server::{Outcome, Server, Service, json_reply};

/// A running store, closed when it is dropped; a call that AWS would not have taken fails the test then.
#[derive(Debug)]
pub struct ParameterStore {
    state: Arc<Mutex<State>>,
    arrived: watch::Sender<usize>,
    server: Server,
}

/// A call that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The names, as they were written.
    pub names: Vec<String>,
    /// The region that it was signed for.
    pub region: String,
    /// The id of the key that it was signed with.
    pub key_id: String,
}

/// What AWS does in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many calls.
    Throttled,
    /// The session of the credentials is over.
    Expired,
    /// The credentials are not known.
    UnknownKey,
    /// Something is broken there.
    Internal,
    /// Nothing is said.
    Silence,
    /// The connection is closed.
    Close,
}

#[derive(Debug, Default)]
struct State {
    parameters: BTreeMap<String, Parameter>,
    denied: BTreeSet<String>,
    undecryptable: BTreeSet<String>,
    next: VecDeque<Fault>,
    always: Option<Fault>,
    calls: Vec<Call>,
    together: usize,
    violations: Vec<String>,
}

#[derive(Clone, Debug)]
struct Parameter {
    form: &'static str,
    versions: Vec<String>,
    labels: BTreeMap<String, usize>,
}

impl ParameterStore {
    /// Listens on any free port, with nothing in it.
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let arrived = watch::Sender::new(0);
        let responder = Responder { state: Arc::clone(&state), arrived: arrived.clone() };
        Self { state, arrived, server: Server::start(0, Arc::new(responder)) }
    }

    /// Puts a new version of a parameter in; its type is `String`, `StringList` or `SecureString`.
    pub fn put(&self, name: &str, form: &'static str, value: &str) {
        let mut state = self.lock();
        let new = Parameter { form, versions: Vec::new(), labels: BTreeMap::new() };
        let parameter = state.parameters.entry(name.to_owned()).or_insert(new);
        parameter.versions.push(value.to_owned());
    }

    /// Gives the newest version of a parameter a label.
    ///
    /// # Panics
    ///
    /// When there is no such parameter.
    pub fn label(&self, name: &str, label: &str) {
        let mut state = self.lock();
        let parameter = state.parameters.get_mut(name);
        let parameter = parameter.unwrap_or_else(|| panic!("there is no {name}"));
        parameter.labels.insert(label.to_owned(), parameter.versions.len());
    }

    /// Takes a parameter away.
    pub fn remove(&self, name: &str) {
        self.lock().parameters.remove(name);
    }

    /// Refuses every call that has this parameter among its names.
    pub fn deny(&self, name: &str) {
        self.lock().denied.insert(name.to_owned());
    }

    /// Has this parameter encrypted with a key that the caller may not use.
    pub fn encrypt_with_another_key(&self, name: &str) {
        self.lock().undecryptable.insert(name.to_owned());
    }

    /// What the next calls meet.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().next.extend(faults);
    }

    /// What every further call meets; none to answer again.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.lock().always = fault;
    }

    /// Answers no call before this many have come: who makes one after the other waits for ever.
    pub fn answer_together(&self, calls: usize) {
        self.lock().together = calls;
    }

    /// Every call that came, whatever became of it.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Waits until so many calls have come.
    ///
    /// # Panics
    ///
    /// When they have not within the patience of [`crate::wait`].
    pub fn wait_for_calls(&self, count: usize) {
        crate::wait::until(&format!("{count} calls of GetParameters"), || {
            (*self.arrived.borrow() >= count).then_some(())
        });
    }

    /// An agent's environment with this store and credentials for it.
    pub fn environment_of(&self, setup: Setup) -> Setup {
        setup
            .variable("AWS_ENDPOINT_URL_SSM", &format!("http://127.0.0.1:{}", self.server.port()))
            .variable("AWS_REGION", "eu-west-1")
            .variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .variable("AWS_SECRET_ACCESS_KEY", "not-to-be-seen")
            .variable("HOME", "/nonexistent")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ParameterStore {
    fn drop(&mut self) {
        let violations = std::mem::take(&mut self.lock().violations);
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("AWS would not have taken this: {violations:#?}");
        }
    }
}

struct Responder {
    state: Arc<Mutex<State>>,
    arrived: watch::Sender<usize>,
}

impl Service for Responder {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            let (call, fault, together) = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let call = match Call::read(&head, &body) {
                    Ok(call) => call,
                    Err(rule) => {
                        state.violations.push(rule);
                        return Some(refusal("ValidationException", "not a call of GetParameters"));
                    }
                };
                state.calls.push(call.clone());
                let fault = state.next.pop_front().or(state.always);
                (call, fault, state.together)
            };
            self.arrived.send_modify(|arrived| *arrived += 1);
            let mut arrived = self.arrived.subscribe();
            // The sender is this responder's own, so it is there.
            let _ = arrived.wait_for(|arrived| *arrived >= together).await;
            match fault {
                Some(Fault::Silence) => std::future::pending().await,
                Some(Fault::Close) => None,
                Some(fault) => Some(fault.reply()),
                None => {
                    let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    Some(state.answer(&call))
                }
            }
        })
    }
}

impl Call {
    /// Reads a call, or finds the first rule that it breaks.
    fn read(head: &Parts, body: &[u8]) -> Result<Self, String> {
        let header = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        if (head.method.as_str(), head.uri.path()) != ("POST", "/") {
            return Err(format!("{} {}", head.method, head.uri));
        }
        if header("content-type") != "application/x-amz-json-1.1" {
            return Err(format!("content type {:?}", header("content-type")));
        }
        if header("x-amz-target") != "AmazonSSM.GetParameters" {
            return Err(format!("target {:?}", header("x-amz-target")));
        }
        let authorization = header("authorization");
        let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=");
        let scope: Vec<&str> =
            scope.and_then(|rest| rest.split(',').next()).unwrap_or_default().split('/').collect();
        let [key_id, _date, region, "ssm", "aws4_request"] = scope.as_slice() else {
            return Err(format!("not signed for ssm: {scope:?}"));
        };
        let input: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let keys: Vec<&String> =
            input.as_object().map_or_else(Vec::new, |input| input.keys().collect());
        if keys != ["Names", "WithDecryption"]
            || input.get("WithDecryption") != Some(&Value::Bool(true))
        {
            return Err(format!("input with {keys:?}, or without decryption"));
        }
        let names = input.get("Names").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let names: Vec<String> =
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let distinct: BTreeSet<&String> = names.iter().collect();
        if !(1..=10).contains(&names.len()) || distinct.len() != names.len() {
            return Err(format!("{} names, {} of them distinct", names.len(), distinct.len()));
        }
        Ok(Self { names, region: (*region).to_owned(), key_id: (*key_id).to_owned() })
    }
}

impl State {
    fn answer(&self, call: &Call) -> crate::server::Reply {
        let arn = |name: &str| {
            let region = &call.region;
            format!("arn:aws:ssm:{region}:111122223333:parameter/{}", name.trim_start_matches('/'))
        };
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for written in &call.names {
            let own = self.parameters.iter().find_map(|(name, parameter)| {
                let rest = written
                    .strip_prefix(&arn(name))
                    .or_else(|| written.strip_prefix(name.as_str()))?;
                (rest.is_empty() || rest.starts_with(':')).then_some((name, parameter, rest))
            });
            let Some((name, parameter, selector)) = own else {
                invalid.push(written);
                continue;
            };
            if self.denied.contains(name) {
                let message = format!(
                    "User: arn:aws:sts::111122223333:assumed-role/shop/task is not authorized to perform: ssm:GetParameters on resource: {} because no identity-based policy allows the ssm:GetParameters action",
                    arn(name)
                );
                return refusal("AccessDeniedException", &message);
            }
            if self.undecryptable.contains(name) {
                let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)";
                return refusal("AccessDeniedException", message);
            }
            let selected = selector.trim_start_matches(':');
            let version = match selected {
                "" => Some(parameter.versions.len()),
                _ => selected.parse().ok().or_else(|| parameter.labels.get(selected).copied()),
            };
            let value = version.and_then(|version| {
                Some((version, parameter.versions.get(version.checked_sub(1)?)?))
            });
            let Some((version, value)) = value else {
                invalid.push(written);
                continue;
            };
            let mut object = json!({
                "Name": name, "ARN": arn(name), "Type": parameter.form, "Value": value, "Version": version,
                "DataType": "text", "LastModifiedDate": 1.7e9,
            });
            if let (false, Some(object)) = (selector.is_empty(), object.as_object_mut()) {
                object.insert("Selector".to_owned(), selector.into());
            }
            // No order is promised.
            found.insert(0, object);
        }
        json_reply(200, &json!({"Parameters": found, "InvalidParameters": invalid}).to_string())
    }
}

impl Fault {
    fn reply(self) -> crate::server::Reply {
        match self {
            Self::Throttled => refusal("ThrottlingException", "Rate exceeded"),
            Self::Expired => refusal(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            Self::UnknownKey => refusal(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            Self::Internal => json_reply(500, r#"{"__type":"InternalServerError"}"#),
            Self::Silence | Self::Close => json_reply(500, ""),
        }
    }
}

fn refusal(code: &str, message: &str) -> crate::server::Reply {
    json_reply(400, &json!({"__type": code, "message": message}).to_string())
}
