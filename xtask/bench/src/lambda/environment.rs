//! One environment: a platform of its own and an extension's process.

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::platform::Platform;
use crate::run::Bench;

/// How long an extension may take to end after SHUTDOWN: the platform's own limit.
const END_WITHIN: Duration = Duration::from_secs(2);

/// An extension to be started.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    path: PathBuf,
    argument: Option<String>,
    config: Option<PathBuf>,
}

/// A started extension that has called next once.
pub(super) struct Environment {
    pub(super) platform: Platform,
    /// From just before the process was made until it called next.
    pub(super) ready_after: Duration,
    child: Child,
    log: PathBuf,
    name: &'static str,
    invocations: u64,
}

impl Program {
    pub(super) fn new(name: &'static str, path: &Path) -> Self {
        Self { name, path: path.to_owned(), argument: None, config: None }
    }

    pub(super) fn with_argument(self, argument: String) -> Self {
        Self { argument: Some(argument), ..self }
    }

    pub(super) fn with_config(self, bench: &Bench, yaml: &str) -> std::io::Result<Self> {
        let path = bench.folder().join(format!("lambda-{}.yaml", self.name));
        std::fs::write(&path, yaml)?;
        Ok(Self { config: Some(path), ..self })
    }
}

impl Environment {
    /// Starts the extension and waits for its first call of next.
    pub(super) async fn start(bench: &Bench, program: &Program) -> Result<Self, Box<dyn Error>> {
        let platform = Platform::listen().await?;
        let log = bench.folder().join(format!("lambda-{}.log", program.name));
        let output = File::create(&log)?;
        let mut command = Command::new(&program.path);
        command.args(&program.argument).env_clear().current_dir("/").stdin(Stdio::null());
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", platform.port).as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIABENCH"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            ("OPENTELEMETRY_EXTENSION_LOG_LEVEL", "warn"),
        ]);
        if let Some(config) = &program.config {
            command.env("OPENTELEMETRY_COLLECTOR_CONFIG_URI", config);
        }
        command.stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{:?}: {error}", program.path))?;
        let (name, ready_after) = (program.name, Duration::ZERO);
        let mut environment = Self { platform, ready_after, child, log, name, invocations: 0 };
        let called = environment.platform.next_called().await;
        environment.ready_after = called
            .map_err(|error| format!("{}: {error}; {}", program.name, environment.log_text()))?
            .saturating_duration_since(started);
        let log = environment.log_text();
        if log.contains("Telemetry is off") {
            return Err(format!("{} runs without telemetry: {log}", program.name).into());
        }
        Ok(environment)
    }

    /// Begins an invocation: the waiting call of next is answered. Returns its id.
    pub(super) async fn begin(&mut self) -> Result<String, Box<dyn Error>> {
        self.invocations += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.invocations);
        let deadline = unix_ms() + 15_000;
        let event = format!(
            "{{\"eventType\":\"INVOKE\",\"deadlineMs\":{deadline},\"requestId\":\"{id}\",\
             \"invokedFunctionArn\":\"arn:aws:lambda:eu-west-1:123456789012:function:orders\"}}"
        );
        self.platform.give(event).await?;
        Ok(id)
    }

    /// Ends an invocation. Returns how long it was from the platform's word about it to the next call of next.
    pub(super) async fn finish(&mut self, id: &str) -> Result<Duration, Box<dyn Error>> {
        let event = format!(
            "[{{\"time\":\"2026-01-01T00:00:00.000Z\",\"type\":\"platform.runtimeDone\",\"record\":\
             {{\"requestId\":\"{id}\",\"status\":\"success\",\"metrics\":{{\"durationMs\":7.5}}}}}}]"
        );
        let told = Instant::now();
        self.platform.tell(event).await?;
        let called = self.platform.next_called().await;
        let called = called.map_err(|error| format!("{}: {error}", self.name))?;
        Ok(called.saturating_duration_since(told))
    }

    /// Whether it has subscribed to the platform's events.
    pub(super) fn is_told(&self) -> bool {
        self.platform.has_subscriber()
    }

    /// Processor time of all its threads so far, by the scheduler's account in nanoseconds.
    pub(super) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let mut nanos = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let account = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += account.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// One of the kernel's memory figures, in MiB.
    pub(super) fn memory_mib(&self, key: &str) -> Result<f64, Box<dyn Error>> {
        crate::process::memory_mib(self.child.id(), key)
            .ok_or_else(|| format!("{} has no {key}", self.name).into())
    }

    /// The environment's orderly end.
    pub(super) async fn end(mut self) -> Result<(), Box<dyn Error>> {
        let deadline = unix_ms() + 2000;
        let event = format!(
            "{{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"spindown\",\"deadlineMs\":{deadline}}}"
        );
        self.platform.give(event).await?;
        let told = Instant::now();
        while told.elapsed() < END_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                return Err(
                    format!("{} ended with {status}: {}", self.name, self.log_text()).into()
                );
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err(format!("{} runs on after SHUTDOWN: {}", self.name, self.log_text()).into())
    }

    fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Environment {
    /// Nothing outlives its measurement. Both calls fail on a process that is gone already, which is what is wanted.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unix_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
