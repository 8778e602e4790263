//! A component's tasks: spawned by name, joined by their owner, their panics caught.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use telemetry::Counter;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::deadline::Deadline;

/// The tasks of one component. Clones share them.
#[derive(Clone, Debug)]
pub struct Tasks {
    owner: Arc<str>,
    running: Arc<Mutex<JoinSet<()>>>,
    stopping: Arc<watch::Sender<bool>>,
    failures: Counter,
}

impl Tasks {
    /// No tasks yet. `owner` names the component in the log.
    pub fn new(owner: impl Into<Arc<str>>) -> Self {
        let (stopping, _) = watch::channel(false);
        let (owner, stopping) = (owner.into(), Arc::new(stopping));
        Self { owner, running: Arc::default(), stopping, failures: Counter::default() }
    }

    /// The same, with tasks that panic counted there.
    #[must_use]
    pub fn counting_failures(self, failures: Counter) -> Self {
        Self { failures, ..self }
    }

    /// Runs a task. A panic in it is logged and ends this task alone.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (owner, failures) = (self.owner.clone(), self.failures.clone());
        let task = Guarded { owner, name, failures, task: Box::pin(task) };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// Completes when the tasks are asked to stop.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // An error means that the sender is gone, which is the end, too.
        let _ended = stopping.wait_for(|stop| *stop).await;
    }

    /// Whether the tasks have been asked to stop.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Asks the tasks to stop, without waiting.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends the tasks wherever they are, without waiting.
    pub(crate) fn abort(&self) {
        self.stop();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Asks the tasks to stop and waits for them until the deadline; those still running then are aborted. True when all ended
    /// by themselves.
    pub async fn join(&self, deadline: Deadline) -> bool {
        self.stop();
        let mut running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let all = deadline.bound(async { while running.join_next().await.is_some() {} }).await;
        if all.is_none() {
            running.shutdown().await;
        }
        all.is_some()
    }
}

/// A task that logs its panic.
struct Guarded {
    owner: Arc<str>,
    name: &'static str,
    failures: Counter,
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match catch_unwind(AssertUnwindSafe(|| this.task.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_panic) => {
                this.failures.increment();
                tracing::error!(
                    "otelcol.component.id" = %this.owner,
                    task = this.name,
                    "a task panicked and was ended; please report this with the lines above"
                );
                Poll::Ready(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn join_asks_tasks_to_stop_and_waits_for_them() {
        let tasks = Tasks::new("test");
        let (done, mut seen) = tokio::sync::mpsc::channel(1);
        let stopper = tasks.clone();
        tasks.spawn("waits", async move {
            stopper.stopped().await;
            done.send(()).await.unwrap();
        });
        assert!(tasks.join(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(seen.try_recv(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn join_aborts_what_does_not_end_by_the_deadline() {
        let tasks = Tasks::new("test");
        tasks.spawn("hangs", std::future::pending());
        assert!(!tasks.join(Deadline::after(Duration::from_secs(1))).await);
    }

    #[tokio::test]
    async fn panic_ends_its_own_task_only_and_is_counted() {
        let failures = Counter::default();
        let tasks = Tasks::new("test").counting_failures(failures.clone());
        tasks.spawn("panics", async { panic!("on purpose") });
        let (done, mut seen) = tokio::sync::mpsc::channel(1);
        tasks.spawn("goes on", async move { done.send(()).await.unwrap() });
        assert!(tasks.join(Deadline::after(Duration::from_secs(5))).await);
        assert_eq!(seen.try_recv(), Ok(()));
        assert_eq!(failures.get(), 1);
    }
}
