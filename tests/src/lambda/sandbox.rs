//! An execution environment: the extension as a process, invocations one after the other or at once, freezes, resets and the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::api::Platform;
use super::clock::{self, Clock};
use super::events;
use super::invocation::{Ending, Invocation, RuntimeDone};
use super::machine::Event;
use super::setup::{Mode, Setup};
use super::shared::{Call, Shared};
use super::subscription::{Entry, Refuses};
use crate::process::Process;
use crate::wait;

/// What an extension has after SHUTDOWN.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// How long the platform waits for subscribers before it goes on with the shutdown.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// What `deadlineMs` says, unless a test says otherwise.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(15);

/// A running environment. When the test fails while it runs, the extension's log is printed with the failure.
#[derive(Debug)]
pub struct Sandbox {
    setup: Setup,
    platform: Platform,
    process: Option<Process>,
    frozen: bool,
    freezes: bool,
    boots: usize,
    timeout: Duration,
    /// Emitted when the environment thaws: it was made when it froze.
    late: Vec<Entry>,
    lines_told: usize,
}

/// How the extension ended.
#[derive(Debug)]
pub struct Gone {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output and standard error.
    pub log: String,
    /// From the SHUTDOWN event to the end.
    pub after: Duration,
    /// The platform had to kill it.
    pub killed: bool,
}

impl Sandbox {
    pub(super) fn new(setup: Setup) -> Self {
        let function = setup.function().clone();
        let platform = Platform::start(setup.mode(), function, &[setup.name()]);
        let freezes = setup.mode().freezes();
        Self {
            setup,
            platform,
            process: None,
            frozen: false,
            freezes,
            boots: 0,
            timeout: FUNCTION_TIMEOUT,
            late: Vec::new(),
            lines_told: 0,
        }
    }

    /// Whether the environment freezes when there is nothing to do, which it does by itself except on managed instances.
    pub fn set_freezing(&mut self, freezes: bool) {
        self.freezes = freezes;
    }

    /// What `deadlineMs` of the next invocations allows.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Lets the Telemetry API send what comes without waiting for more, where a test has no time for the subscriber's own 25 ms.
    pub fn deliver_at_once(&self) {
        self.shared().with(|machine| machine.telemetry.at_once = true);
    }

    /// Lets the Telemetry API say 202 and "not supported" to the next subscription.
    pub fn without_telemetry(&self) {
        self.platform.without_telemetry();
    }

    /// Lets the Telemetry API say 403 and "closed".
    pub fn with_telemetry_closed(&self) {
        self.shared().with(|machine| machine.telemetry.refuses = Refuses::Closed);
    }

    /// Lets the Telemetry API say 500.
    pub fn with_telemetry_broken(&self) {
        self.shared().with(|machine| machine.telemetry.refuses = Refuses::Broken);
    }

    /// The APIs themselves.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The clock that the setup asked for.
    ///
    /// # Panics
    ///
    /// When it asked for none.
    pub fn clock(&self) -> &Clock {
        self.setup.clock().unwrap_or_else(|| panic!("the setup has no clock"))
    }

    /// The extension's process.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap_or_else(|| panic!("the extension does not run"))
    }

    /// What the extension wrote so far, since its last start.
    pub fn log(&self) -> String {
        self.process
            .as_ref()
            .map(|process| process.stderr() + &process.stdout())
            .unwrap_or_default()
    }

    /// The calls to the three APIs so far.
    pub fn calls(&self) -> Vec<Call> {
        self.platform.calls()
    }

    /// Waits until the extension has written the text.
    ///
    /// # Panics
    ///
    /// When it ends before, or has not within the patience of [`wait`].
    pub fn wait_for_log(&mut self, text: &str) {
        self.process().wait_for_output(text);
    }

    /// Init: starts the extension, lets the function initialise once it has registered, and waits for both.
    ///
    /// # Panics
    ///
    /// When the extension ends, or does not get there within the patience of [`wait`].
    pub fn boot(&mut self, work: impl FnOnce()) {
        self.launch();
        self.wait_for_registration();
        let (kind, phase) = (self.setup.mode().initialization_type(), self.phase());
        work();
        self.emit(events::at(
            self.unix_ms(),
            "platform.initRuntimeDone",
            json!({ "initializationType": kind, "phase": phase, "status": "success" }),
        ));
        self.wait_until_ready();
        let name = self.setup.name();
        self.shared().with(|machine| {
            machine.runtime.ready = true;
            let ready = events::extension(name, "Ready", &machine.extensions);
            machine.telemetry.emit(&ready);
        });
        self.emit(events::at(
            self.unix_ms(),
            "platform.initReport",
            json!({
                "initializationType": kind,
                "phase": phase,
                "status": "success",
                "metrics": { "durationMs": 78.25 },
            }),
        ));
        self.platform.close_init();
        if matches!(self.setup.mode(), Mode::Provisioned | Mode::SnapStart) {
            self.freeze_when_allowed();
        }
    }

    /// Starts the extension and waits for nothing.
    pub fn launch(&mut self) {
        self.boots += 1;
        let record = json!({
            "initializationType": self.setup.mode().initialization_type(),
            "phase": self.phase(),
            "runtimeVersion": "python:3.13.v51",
            "runtimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:5eaca0ecada617668d4d59f66bf32f963e95d17ca326aad52b85465d04c429f5",
            "functionName": self.setup.function().name,
            "functionVersion": self.setup.function().version,
        });
        self.emit(events::at(self.unix_ms(), "platform.initStart", record));
        let command = self.setup.command(self.platform.port());
        self.lines_told = 0;
        self.process = Some(Process::start("the extension", command));
    }

    /// Waits until the extension has registered.
    ///
    /// # Panics
    ///
    /// When it ends, or does not within the patience of [`wait`].
    pub fn wait_for_registration(&mut self) {
        self.wait_for("the extension to register", |machine| {
            (!machine.extensions.is_empty()).then_some(())
        });
        let (clock, process) = (self.setup.clock(), self.process.as_ref());
        if let (Some(clock), Some(process)) = (clock, process) {
            let moves = process.maps(clock.library());
            assert!(moves, "the clock of a statically linked extension cannot be moved");
        }
    }

    /// Waits until the extension has called `next` and there is nothing for it to fetch.
    ///
    /// # Panics
    ///
    /// When it ends, reports an error, or does not within the patience of [`wait`].
    pub fn wait_until_ready(&mut self) {
        self.wait_for("the extension to call next", |machine| {
            let failed = machine.extensions.iter().find_map(|one| one.error_type.clone());
            assert_eq!(failed, None, "the extension reported an error to the platform");
            (!machine.extensions.is_empty() && machine.all_ready()).then_some(())
        });
    }

    /// One whole invocation that succeeds. `handler` does the function's work.
    ///
    /// # Panics
    ///
    /// When the extension ends or does not call `next` within the patience of [`wait`].
    pub fn invoke<T>(&mut self, handler: impl FnOnce(&Invocation) -> T) -> T {
        let invocation = self.begin(None);
        let value = handler(&invocation);
        self.finish(invocation, &Ending::Success, &RuntimeDone::Sent);
        value
    }

    /// Begins an invocation, after a new Init when there was a reset, and thaws what is frozen.
    ///
    /// # Panics
    ///
    /// When the extension does not come up again.
    pub fn begin(&mut self, trace: Option<&str>) -> Invocation {
        if self.process.is_none() {
            self.boot(|| {});
        }
        let (now, timeout) = (self.unix_ms(), self.timeout);
        let late = std::mem::take(&mut self.late);
        let managed = self.setup.mode() == Mode::ManagedInstances;
        let request_id = self.shared().with(|machine| {
            late.iter().for_each(|entry| machine.telemetry.emit(entry));
            let (request_id, arn) = (machine.fresh_id(), machine.function.arn());
            let mut record =
                json!({ "requestId": request_id, "version": machine.function.version });
            if let Some(object) = record.as_object_mut() {
                if managed {
                    object.insert("functionArn".to_owned(), arn.clone().into());
                }
                if let Some(trace) = trace {
                    object.insert("tracing".to_owned(), events::tracing(trace));
                }
            }
            machine.telemetry.emit(&events::at(now, "platform.start", record));
            let deadline = now + u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            let body = events::invoke_body(&request_id, &arn, deadline, trace);
            machine.announce(Event::Invoke, &body);
            request_id
        });
        self.thaw();
        let trace = trace.map(str::to_owned);
        Invocation { request_id, trace, started: Instant::now(), shared: Arc::clone(self.shared()) }
    }

    /// The handler has ended: waits for the extension, and freezes the environment.
    ///
    /// # Panics
    ///
    /// When the extension ends or does not call `next` within the patience of [`wait`].
    pub fn finish(&mut self, invocation: Invocation, ending: &Ending, runtime_done: &RuntimeDone) {
        self.end_handler(&invocation, ending, runtime_done);
        self.settle(&invocation, ending);
    }

    /// What follows on [`Sandbox::end_handler`]: waits for the extension, and freezes the environment.
    ///
    /// # Panics
    ///
    /// When the extension ends or does not call `next` within the patience of [`wait`].
    pub fn settle(&mut self, invocation: &Invocation, ending: &Ending) {
        self.wait_until_ready();
        self.report(invocation, ending);
        self.freeze_when_allowed();
    }

    /// The handler's end only: the response is there, and the platform says so.
    pub fn end_handler(&mut self, one: &Invocation, ending: &Ending, runtime_done: &RuntimeDone) {
        let (status, error_type) = ending.status();
        self.tell_extension_lines();
        if self.setup.mode() == Mode::ManagedInstances || *runtime_done == RuntimeDone::Missing {
            return;
        }
        let mut record = one.record(status, error_type);
        if let (RuntimeDone::OfAnother, Some(object)) = (runtime_done, record.as_object_mut()) {
            let other = self.shared().with(|machine| machine.fresh_id());
            object.insert("requestId".to_owned(), other.into());
        }
        self.emit(events::at(self.unix_ms(), "platform.runtimeDone", record));
    }

    fn report(&mut self, invocation: &Invocation, ending: &Ending) {
        let (status, error_type) = ending.status();
        let mut record = invocation.record(status, error_type);
        let managed = self.setup.mode() == Mode::ManagedInstances;
        let memory = self.setup.function().memory_mb;
        let metrics = record.get_mut("metrics").and_then(|metrics| metrics.as_object_mut());
        if let (Some(metrics), false) = (metrics, managed) {
            metrics.insert("billedDurationMs".to_owned(), 100.into());
            metrics.insert("memorySizeMB".to_owned(), memory.into());
            metrics.insert("maxMemoryUsedMB".to_owned(), 64.into());
        }
        let entry = events::at(self.unix_ms(), "platform.report", record);
        if self.freezes {
            self.late.push(entry);
        } else {
            self.emit(entry);
        }
    }

    /// The function's time is over: the runtime is killed, and the extension told to end. The next invocation begins with a new Init.
    ///
    /// # Panics
    ///
    /// When the extension does not end within the patience of [`wait`].
    pub fn time_out(&mut self, invocation: Invocation) -> Gone {
        self.reset(&invocation, "timeout", None, "timeout")
    }

    /// The runtime's process ends in the middle of the handler.
    ///
    /// # Panics
    ///
    /// As [`Sandbox::time_out`].
    pub fn crash(&mut self, invocation: Invocation) -> Gone {
        self.reset(&invocation, "failure", Some("Runtime.ExitError"), "failure")
    }

    fn reset(
        &mut self,
        invocation: &Invocation,
        status: &str,
        error_type: Option<&str>,
        reason: &str,
    ) -> Gone {
        for name in ["platform.runtimeDone", "platform.report"] {
            self.emit(events::at(self.unix_ms(), name, invocation.record(status, error_type)));
        }
        let gone = self.end(reason);
        self.shared().with(|machine| machine.begin_anew());
        gone
    }

    /// Stops every thread of the extension, as the platform does with the whole environment.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub fn freeze(&mut self) {
        self.shared().with(|machine| machine.telemetry.held = true);
        self.process().signal(Signal::STOP);
        self.process().wait_for_state('T');
        self.frozen = true;
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        if !self.frozen {
            return;
        }
        self.process().signal(Signal::CONT);
        self.frozen = false;
        self.shared().with(|machine| machine.telemetry.held = false);
    }

    /// Lets a snapshot come to life: the events of a restore, before the first invocation of this copy.
    pub fn restore(&mut self) {
        let now = self.unix_ms();
        let function = self.setup.function().name.clone();
        for (name, record) in [
            ("platform.restoreStart", json!({ "functionName": function, "functionVersion": "1" })),
            ("platform.restoreRuntimeDone", json!({ "status": "success" })),
            (
                "platform.restoreReport",
                json!({ "status": "success", "metrics": { "durationMs": 70.87 } }),
            ),
        ] {
            self.emit(events::at(now, name, record));
        }
        self.thaw();
    }

    /// The environment's orderly end.
    ///
    /// # Panics
    ///
    /// When the extension does not end within the patience of [`wait`].
    pub fn shutdown(mut self) -> Gone {
        self.end("spindown")
    }

    /// The same, by a platform that kills what has not ended after two seconds.
    ///
    /// # Panics
    ///
    /// When the extension cannot even be killed.
    pub fn shutdown_strictly(mut self) -> Gone {
        self.end_within("spindown", SHUTDOWN_LIMIT)
    }

    fn end(&mut self, reason: &str) -> Gone {
        // Whether two seconds suffice is for a test that asks it; a busy machine must not decide the others.
        self.end_within(reason, wait::PATIENCE)
    }

    fn end_within(&mut self, reason: &str, limit: Duration) -> Gone {
        self.thaw();
        for entry in std::mem::take(&mut self.late) {
            self.emit(entry);
        }
        self.flush_telemetry();
        let limit_ms = u64::try_from(SHUTDOWN_LIMIT.as_millis()).unwrap_or_default();
        let body = events::shutdown_body(reason, self.unix_ms() + limit_ms);
        self.shared().with(|machine| {
            machine.runtime = super::machine::Runtime::default();
            machine.announce(Event::Shutdown, &body);
        });
        let told = Instant::now();
        let mut process = self.process.take().unwrap_or_else(|| panic!("nothing runs"));
        let ended = wait::within(limit, || (!process.is_running()).then_some(()));
        let (after, killed) = (told.elapsed(), ended.is_none());
        if killed {
            process.signal(Signal::KILL);
        }
        let ended = process.wait();
        Gone { code: ended.code, log: ended.stderr + &ended.stdout, after, killed }
    }

    /// Gives subscribers what is there for them, within the platform's limit.
    fn flush_telemetry(&mut self) {
        self.tell_extension_lines();
        self.shared().with(|machine| {
            let all = &mut machine.telemetry.subscriptions;
            all.iter_mut().for_each(|subscription| subscription.flush = true);
        });
        let drained = || self.shared().look(|machine| machine.telemetry.is_drained());
        // What is left then is lost, as on the platform.
        let _ = wait::within(FLUSH_LIMIT, || drained().then_some(()));
    }

    /// Waits until subscribers have all there is for them.
    ///
    /// # Panics
    ///
    /// When they have not within the patience of [`wait`].
    pub fn wait_until_telemetry_is_delivered(&mut self) {
        self.wait_for("the events to be delivered", |machine| {
            machine.telemetry.is_drained().then_some(())
        });
    }

    fn freeze_when_allowed(&mut self) {
        self.tell_extension_lines();
        if self.freezes {
            self.freeze();
        }
    }

    /// What the extension writes is telemetry, too.
    fn tell_extension_lines(&mut self) {
        let log = self.log();
        let whole = log.rfind('\n').map_or(0, |end| end + 1);
        let fresh = log.get(self.lines_told..whole).unwrap_or_default().to_owned();
        self.lines_told = self.lines_told.max(whole);
        let now = self.unix_ms();
        for line in fresh.lines() {
            self.emit(events::line(now, "extension", json!(format!("{line}\n"))));
        }
    }

    fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut super::machine::Machine) -> Option<T>,
    ) -> T {
        let shared = Arc::clone(self.shared());
        let process = &mut self.process;
        let seen = shared.wait(
            |state| look(&mut state.machine),
            || process.as_mut().is_none_or(|process| !process.is_running()),
        );
        seen.unwrap_or_else(|| {
            let account = self.process.as_ref().map(Process::account).unwrap_or_default();
            panic!("waited for {what}; {account}\ncalls: {:#?}", last(&self.platform.calls()))
        })
    }

    fn emit(&self, entry: Entry) {
        self.shared().with(|machine| machine.telemetry.emit(&entry));
    }

    fn phase(&self) -> &'static str {
        if self.boots > 1 { "invoke" } else { "init" }
    }

    fn unix_ms(&self) -> u64 {
        self.setup.clock().map_or_else(clock::real_unix_ms, Clock::unix_ms)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.platform.shared
    }
}

impl Drop for Sandbox {
    /// A stopped process would not take note of anything but SIGKILL, which the process's own end sends.
    fn drop(&mut self) {
        self.frozen = false;
    }
}

fn last(calls: &[Call]) -> &[Call] {
    calls.get(calls.len().saturating_sub(10)..).unwrap_or_default()
}
