//! The real parts that `cargo xtask test` sets up: the Python and Node SDKs of OpenTelemetry and of X-Ray, and a Zipkin server. moto has [a module](crate::moto) of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Deserialize;

use crate::process::Process;
use crate::{send, wait};

/// A real OpenTelemetry SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// `tests/clients/python/journey.py`.
    Python,
    /// `tests/clients/node/journey.cjs`.
    Node,
}

/// What a client program says it has sent.
#[derive(Debug, Deserialize)]
pub struct Account {
    /// In the order in which they ended.
    pub spans: Vec<SentSpan>,
}

/// One span as its SDK made it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentSpan {
    /// 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// 16 digits, or empty for the root.
    pub parent_span_id: String,
    /// The name as it was given.
    pub name: String,
    /// The kind's name in OpenTelemetry.
    pub kind: String,
    /// Nanoseconds since 1970, in decimal.
    pub start_nanos: String,
    /// Nanoseconds since 1970, in decimal.
    pub end_nanos: String,
    /// The status code's name in OpenTelemetry.
    pub status: String,
    /// In the order of the span.
    pub events: Vec<SentEvent>,
}

/// One event of a span.
#[derive(Debug, Deserialize)]
pub struct SentEvent {
    /// The name.
    pub name: String,
    /// Nanoseconds since 1970, in decimal.
    pub nanos: String,
}

impl Sdk {
    /// Sends the journey and returns what was sent, once the SDK's exporter has reported success.
    ///
    /// # Panics
    ///
    /// When the part is missing, or the exporter reports a failure.
    pub fn send(self, protocol: &str, endpoint: &str) -> Account {
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(part("python/bin/python"));
                command.arg(project().join("tests/clients/python/journey.py"));
                command
            }
            Self::Node => {
                let mut command = Command::new("node");
                command.arg(project().join("tests/clients/node/journey.cjs"));
                command.env("NODE_PATH", part("node/node_modules"));
                command
            }
        };
        command.args([protocol, endpoint]);
        let ended = Process::start(&format!("the {self:?} client"), command).wait();
        assert_eq!(ended.code, Some(0), "{self:?} over {protocol}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("the account of {self:?}: {error}: {}", ended.stdout))
    }
}

/// A real X-Ray SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XRaySdk {
    /// `tests/clients/xray-python/journey.py`.
    Python,
    /// `tests/clients/xray-node/journey.cjs`.
    Node,
}

impl XRaySdk {
    /// Sends the journey to a daemon, once the SDK has got the sampling rule from it, and returns the documents as they were sent.
    ///
    /// # Panics
    ///
    /// When the part is missing, or the SDK does not get the rule.
    pub fn send(self, daemon: u16, rule: &str) -> Vec<serde_json::Value> {
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(part("xray-python/bin/python"));
                command.arg(project().join("tests/clients/xray-python/journey.py"));
                command
            }
            Self::Node => {
                let mut command = Command::new("node");
                command.arg(project().join("tests/clients/xray-node/journey.cjs"));
                command.env("NODE_PATH", part("xray-node/node_modules"));
                command
            }
        };
        command.arg(format!("127.0.0.1:{daemon}")).arg(rule);
        // The machine that the tests run on may be an instance of EC2, which the SDK is not to ask.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        let ended = Process::start(&format!("the X-Ray {self:?} client"), command).wait();
        assert_eq!(ended.code, Some(0), "X-Ray's {self:?}: {}", ended.stderr);
        let account: XRayAccount = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| {
            panic!("the account of X-Ray's {self:?}: {error}: {}", ended.stdout)
        });
        account.documents
    }
}

#[derive(Deserialize)]
struct XRayAccount {
    documents: Vec<serde_json::Value>,
}

/// A running Zipkin server, shared by the tests that need one at the same time.
#[derive(Debug)]
pub struct ZipkinServer {
    port: u16,
    _process: Process,
}

impl ZipkinServer {
    /// Starts the server, or joins the one that runs.
    ///
    /// # Panics
    ///
    /// When the part is missing or the server does not come up.
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<ZipkinServer>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *running = Arc::downgrade(&server);
        server
    }

    fn start() -> Self {
        let mut command = Command::new("java");
        // Any port, on the loopback interface only; the cheaper compiler, since it runs for seconds.
        command
            .args(["-Xmx256m", "-XX:TieredStopAtLevel=1"])
            .args(["-Darmeria.ports[0].ip=127.0.0.1", "-Darmeria.ports[0].port=0"])
            .args(["-Darmeria.ports[0].protocols[0]=http", "-jar"])
            .arg(part("zipkin/server.jar"));
        let mut process = Process::start("the Zipkin server", command);
        process.wait_for_output("Serving HTTP at ");
        let log = process.stdout() + &process.stderr();
        let port = log
            .split_once("http://127.0.0.1:")
            .and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
        let port = port.unwrap_or_else(|| panic!("Zipkin does not name its port: {log}"));
        Self { port, _process: process }
    }

    /// The port of the API and the collector.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A trace as the query API returns it, once it has so many spans.
    ///
    /// # Panics
    ///
    /// When it has not within the patience of [`wait`].
    pub fn trace(&self, trace_id: &str, spans: usize) -> Vec<serde_json::Value> {
        wait::until(&format!("the trace {trace_id} of {spans} spans in Zipkin"), || {
            let reply = send::get(self.port, &format!("/api/v2/trace/{trace_id}"));
            let trace: Vec<serde_json::Value> = serde_json::from_slice(&reply.body).ok()?;
            (trace.len() >= spans).then_some(trace)
        })
    }
}

/// A file or folder of a part.
///
/// # Panics
///
/// When it is not there.
pub(crate) fn part(path: &str) -> PathBuf {
    let path = project().join(".parts").join(path);
    assert!(path.exists(), "{path:?} is missing: run `cargo xtask parts`");
    path
}

/// The project's folder.
pub fn project() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
