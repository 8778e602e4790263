//! What this crate's tests share: metadata services and STS on loopback, a clock to be set, files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use config::Compression;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use net::ReplyBody;
use net::body::{BodyLimits, read_body};
use net::server::{Listener, Peer, Server, ServerSettings, handler_fn};

use crate::cache::Clock;
use crate::{Environment, Session, Settings};

/// A request as a fake got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a key in a form.
    pub(crate) fn form(&self, key: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(&self.body);
        pairs.find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
    }
}

/// A server on loopback that answers by a function, and remembers what it was asked.
pub(crate) struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _server: Server,
}

impl Fake {
    pub(crate) fn start(answer: impl Fn(&Seen) -> (u16, String) + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (seen_too, answer) = (seen.clone(), Arc::new(answer));
        let handler = handler_fn(move |request: Request<Incoming>, _: Arc<Peer>| {
            let (seen, answer) = (seen_too.clone(), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                let limits = BodyLimits::of(1_000_000);
                let body = read_body(body, Compression::None, &limits, |_| Ok(())).await.unwrap();
                let request = Seen {
                    method: head.method,
                    path: head.uri.path().to_owned(),
                    headers: head.headers,
                    body,
                };
                seen.lock().unwrap().push(request.clone());
                let (status, text) = answer(&request);
                let mut response = Response::new(ReplyBody::from(text));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response
            }
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = ServerSettings::new("fake");
        let server = Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap();
        Self { url, seen, _server: server }
    }

    /// `http://host:port`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An instance metadata service with the role `web`, whose credentials are made of `n`, the number of times they were asked for.
pub(crate) fn instance(region: &'static str) -> Fake {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    Fake::start(move |request| {
        let roles = "/latest/meta-data/iam/security-credentials/";
        let has_token = request.header("x-aws-ec2-metadata-token") == "the-token";
        match request.path.as_str() {
            "/latest/api/token" if request.method == Method::PUT => (200, "the-token".to_owned()),
            _ if !has_token => (401, String::new()),
            "/latest/meta-data/placement/region" => (200, region.to_owned()),
            path if path == roles => (200, "web\nother".to_owned()),
            path if path == format!("{roles}web") => {
                let n = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                (200, json_credentials(&format!("ASIAINSTANCE{n}"), Some("2001-09-09T02:46:40Z")))
            }
            _ => (404, String::new()),
        }
    })
}

/// The answer of a metadata service.
pub(crate) fn json_credentials(key: &str, expiration: Option<&str>) -> String {
    let expiration = expiration.map_or(String::new(), |e| format!(r#","Expiration":"{e}""#));
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{key}","SecretAccessKey":"{SECRET}","Token":"{TOKEN}"{expiration}}}"#
    )
}

/// An STS that grants every role; the key tells the role and the session apart.
pub(crate) fn sts() -> Fake {
    Fake::start(|request| {
        let get = |key| request.form(key).unwrap_or_default();
        let action = get("Action");
        let role = get("RoleArn").rsplit('/').next().unwrap().to_uppercase();
        (200, sts_answer(&action, &format!("ASIA{role}")))
    })
}

pub(crate) fn sts_answer(action: &str, key: &str) -> String {
    format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser>
        <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}</SessionToken><Expiration>2001-09-09T02:46:40.000Z</Expiration></Credentials>
        </{action}Result></{action}Response>"#
    )
}

pub(crate) const SECRET: &str = "not-to-be-seen/secret";
pub(crate) const TOKEN: &str = "not-to-be-seen/token";

/// An hour before what the fakes give out expires: 2001-09-09T01:46:40Z.
pub(crate) fn epoch() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// A clock that stands still until it is set.
#[derive(Clone)]
pub(crate) struct SetClock(Arc<Mutex<SystemTime>>);

impl SetClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(epoch())))
    }

    /// So many seconds after [`epoch`].
    pub(crate) fn set(&self, seconds: u64) {
        *self.0.lock().unwrap() = epoch() + Duration::from_secs(seconds);
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = self.0.clone();
        Arc::new(move || *now.lock().unwrap())
    }
}

/// A session under a clock that stands at [`epoch`].
pub(crate) fn session(settings: Settings, variables: &[(&str, &str)]) -> Session {
    let environment = Environment::of(variables.iter().copied());
    Session::with_clock(settings, environment, SetClock::new().clock())
}

/// A folder with files in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}
