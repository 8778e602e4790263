//! AWS's own runtime interface emulator with the extension in a layer and a real function, in a mount namespace of its own.
//!
//! The emulator takes extensions from `/opt/extensions` and nowhere else, so the layer is mounted there for it alone. Its second mode, which
//! `AWS_LAMBDA_MAX_CONCURRENCY` turns on, plays Lambda Managed Instances with a working Telemetry API; it starts everything as another user, and
//! wants the function in `/var/task`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::setup::binary;
use crate::parts::{Sdk, part, project};
use crate::process::{Ended, Process};
use crate::{ports, send, wait};

/// The shell's part: mounts, then the emulator in the shell's place. `$1` is the layer's and the function's folder.
const CLASSIC: &str = "mount --bind \"$1/opt\" /opt && shift && exec \"$@\"";

/// The same for managed instances: `/var` is made anew, since the function has its place there; `$2` is the interpreter's own folder, which need
/// not be readable for everybody where it is.
const MANAGED: &str = "base=$1 && interpreter=$2 && parts=$3 && shift 3 && mount -t tmpfs -o mode=755 tmpfs /var && \
    mkdir /var/task /var/lang /var/parts && mount --bind \"$base/task\" /var/task && \
    mount --bind \"$interpreter\" /var/lang && mount --bind \"$parts\" /var/parts && \
    mount --bind \"$base/opt\" /opt && exec \"$@\"";

/// A function in the emulator, before it is started.
#[derive(Debug)]
pub struct EmulatorSetup {
    folder: TempDir,
    sdk: Sdk,
    workers: Option<u32>,
    variables: Vec<(String, String)>,
}

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    process: Process,
    port: u16,
    _folder: TempDir,
}

/// What the caller of an invocation gets.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The function's answer, or the platform's word about it; null where it is not JSON.
    pub body: Value,
}

impl Reply {
    /// The ids of the spans that the function says it has handed over.
    ///
    /// # Panics
    ///
    /// When the answer is not the function's.
    pub fn spans(&self) -> Vec<[u8; 8]> {
        let spans = self.body.get("spans").and_then(Value::as_array);
        let spans = spans.unwrap_or_else(|| panic!("not the function's answer: {self:?}"));
        let ids = spans.iter().map(|id| u64::from_str_radix(id.as_str().unwrap_or_default(), 16));
        ids.map(|id| id.unwrap_or_else(|error| panic!("{self:?}: {error}")).to_be_bytes()).collect()
    }
}

impl EmulatorSetup {
    /// The function of an SDK, which sends to an OTLP port, and the extension with a configuration in `/opt/collector-config/config.yaml`.
    ///
    /// # Panics
    ///
    /// When a part is missing, or the folder cannot be made beside the extension's binary.
    pub fn new(sdk: Sdk, otlp_port: u16, yaml: &str) -> Self {
        let binary = binary();
        let beside = binary.parent().unwrap_or(Path::new("."));
        let folder = tempfile::Builder::new().prefix("emulated-").tempdir_in(beside);
        let folder = folder.unwrap_or_else(|error| panic!("no folder in {beside:?}: {error}"));
        let base = folder.path();
        let made = ["opt/extensions", "opt/collector-config", "task"]
            .into_iter()
            .try_for_each(|name| std::fs::create_dir_all(base.join(name)));
        let made = made
            .and_then(|()| std::fs::hard_link(&binary, base.join("opt/extensions/hikyaku")))
            .and_then(|()| std::fs::write(base.join("opt/collector-config/config.yaml"), yaml));
        made.unwrap_or_else(|error| panic!("{base:?}: {error}"));
        let endpoint = format!("http://127.0.0.1:{otlp_port}/v1/traces");
        let variables = vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT".to_owned(), endpoint)];
        Self { folder, sdk, workers: None, variables }
    }

    /// With these files in the place of the extension's binary and configuration, as a layer puts them at `/opt`.
    ///
    /// # Panics
    ///
    /// When they cannot be copied.
    #[must_use]
    pub fn layer(self, files: &Path) -> Self {
        let opt = self.folder.path().join("opt");
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--no-target-directory"]).arg(files).arg(&opt);
        let emptied = std::fs::remove_dir_all(&opt);
        emptied.unwrap_or_else(|error| panic!("{opt:?}: {error}"));
        let ended = Process::start("cp", copy).wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        self
    }

    /// As a managed instance with so many invocations at once.
    #[must_use]
    pub fn managed(mut self, workers: u32) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets a variable of the function.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the emulator and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it does not, or the namespace cannot be made.
    pub fn start(self) -> Emulator {
        let (port, api) = (ports::free(), ports::free());
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let base = self.folder.path().to_owned();
        self.write_bootstrap(&base);
        let script = if self.workers.is_some() { MANAGED } else { CLASSIC };
        command.args(["sh", "-c", script, "sh"]).arg(&base);
        if self.workers.is_some() {
            command.arg(self.interpreter()).arg(project());
        }
        command.arg(part("emulator/aws-lambda-rie"));
        command.args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")]);
        command.args(["--runtime-api-address", &format!("127.0.0.1:{api}")]);
        if self.workers.is_none() {
            command.arg(base.join("task/bootstrap"));
        }
        command.arg("function.handler").current_dir("/").env_clear();
        command.envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
        ]);
        if let Some(workers) = self.workers {
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", workers.to_string());
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start("the emulator", command);
        wait::until("the emulator to listen", || {
            assert!(process.is_running(), "{}", process.account());
            ports::is_taken(port).then_some(())
        });
        Emulator { process, port, _folder: self.folder }
    }

    /// The folder with the interpreter's `bin` and `lib`.
    fn interpreter(&self) -> String {
        if self.sdk == Sdk::Node {
            return "/usr".to_owned();
        }
        let mut python = Command::new(part("python/bin/python"));
        python.args(["-c", "import sys; print(sys.base_prefix)"]);
        Process::start("python", python).wait().stdout.trim().to_owned()
    }

    fn write_bootstrap(&self, base: &Path) {
        let root = if self.workers.is_some() { Path::new("/var/parts") } else { project() };
        let clients = root.join("tests/clients/lambda");
        let (clients, parts) = (clients.display(), root.join(".parts"));
        let parts = parts.display();
        let script = match (self.sdk, self.workers.is_some()) {
            (Sdk::Python, false) => format!("exec {parts}/python/bin/python {clients}/function.py"),
            // The environment's own interpreter is a link to a place that is not everybody's.
            (Sdk::Python, true) => format!(
                "PYTHONPATH=$(echo {parts}/python/lib/python3*/site-packages) PYTHONDONTWRITEBYTECODE=1 \
                 exec /var/lang/bin/python3 {clients}/function.py"
            ),
            (Sdk::Node, _) => {
                format!("NODE_PATH={parts}/node/node_modules exec node {clients}/function.cjs")
            }
        };
        let path = base.join("task/bootstrap");
        let written = std::fs::write(&path, format!("#!/bin/sh\n{script}\n"));
        let everybody = || std::fs::Permissions::from_mode(0o755);
        let written = written
            .and_then(|()| std::fs::set_permissions(&path, everybody()))
            .and_then(|()| std::fs::set_permissions(base, everybody()));
        written.unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
}

impl Emulator {
    /// Invokes the function and waits for its answer. One that has not come up yet, which only managed instances admit to, is asked again.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn invoke(&self, event: &Value) -> Reply {
        wait::until("a runtime that is available", || {
            let reply = self.invoke_once(event);
            (reply.body.get("errorType").and_then(Value::as_str) != Some("Runtime.Unavailable"))
                .then_some(reply)
        })
    }

    fn invoke_once(&self, event: &Value) -> Reply {
        let path = "/2015-03-31/functions/function/invocations";
        let reply = send::http(self.port, path, &[], event.to_string());
        let body = serde_json::from_slice(&reply.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&reply.body).into_owned()));
        Reply { status: reply.status, body }
    }

    /// The port of the function's front.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The emulator's process, whose output holds the extension's and the function's.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What has been written so far.
    pub fn log(&self) -> String {
        self.process.stderr() + &self.process.stdout()
    }

    /// The environment's orderly end.
    ///
    /// # Panics
    ///
    /// When the emulator does not end within the patience of [`wait`].
    pub fn stop(self) -> Ended {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.wait()
    }
}
