//! Starts, flushes and stops instances.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, interval_at};

use super::{START_TIMEOUT, ServiceError};
use crate::context::{Process, StartError};
use crate::deadline::Deadline;
use crate::graph::{Graph, Instance, Key};

/// How often the log says who keeps everybody waiting.
const NAME_LAGGARDS_EVERY: Duration = Duration::from_secs(3);
/// How long past its deadline a component may take to say what it gave up.
const GRACE: Duration = Duration::from_millis(500);
/// Time to undo a start. Nothing but what came in meanwhile can be held.
const UNDO_TIMEOUT: Duration = Duration::from_secs(5);

/// How a component ended.
pub(super) struct Stopped {
    pub(super) key: Key,
    /// Items it gave up; nothing is known when it did not end in time, or failed.
    pub(super) given_up: Option<usize>,
}

/// Starts the instances of `graph` that `kept` does not have: extensions, then the stages from the last to the first. Makes the
/// extensions known in between. When one fails, those before it are stopped again.
pub(super) async fn start(
    graph: &Graph,
    kept: &Graph,
    process: &Process,
) -> Result<(), ServiceError> {
    let mut started: Vec<(Key, Arc<Instance>)> = Vec::new();
    let extensions = graph.members(&graph.extensions, kept);
    let extensions: Vec<_> =
        extensions.map(|(key, instance)| (key.clone(), instance.clone())).collect();
    if !extensions.is_empty() {
        tracing::info!("Starting extensions...");
    }
    let stages = graph.stages.iter().rev().flat_map(|stage| graph.members(stage, kept));
    let others: Vec<_> = stages.map(|(key, instance)| (key.clone(), instance.clone())).collect();
    let count = extensions.len();
    for (at, (key, instance)) in extensions.into_iter().chain(others).enumerate() {
        if at == count {
            process.set_extensions(graph.extensions().collect());
        }
        let result = Deadline::after(START_TIMEOUT).bound(instance.component.start()).await;
        let result = result.unwrap_or_else(|| {
            Err(StartError(format!("it did not start within {} s", START_TIMEOUT.as_secs())))
        });
        started.push((key.clone(), instance));
        if let Err(reason) = result {
            undo(started).await;
            return Err(ServiceError::Start { component: key.to_string(), reason });
        }
    }
    Ok(())
}

/// Stops what was started, the last first, which is with the flow of data.
async fn undo(started: Vec<(Key, Arc<Instance>)>) {
    let deadline = Deadline::after(UNDO_TIMEOUT);
    for (key, instance) in started.into_iter().rev() {
        for stopped in stop(vec![(key, instance)], deadline).await {
            report_given_up(&stopped);
        }
    }
}

/// Stops instances side by side, and waits for all of them until the deadline.
pub(super) async fn stop(members: Vec<(Key, Arc<Instance>)>, deadline: Deadline) -> Vec<Stopped> {
    let mut stopping = JoinSet::new();
    let mut waiting: HashMap<Id, Key> = HashMap::new();
    for (key, instance) in members {
        let component = instance.component.clone();
        let task = stopping.spawn(async move { component.shutdown(deadline).await });
        waiting.insert(task.id(), key);
    }
    let mut all = Vec::new();
    let mut name_laggards = interval_at(Instant::now() + NAME_LAGGARDS_EVERY, NAME_LAGGARDS_EVERY);
    let overdue = tokio::time::sleep_until(deadline.instant() + GRACE);
    tokio::pin!(overdue);
    loop {
        let joined = tokio::select! {
            joined = stopping.join_next_with_id() => joined,
            _tick = name_laggards.tick() => {
                log_laggards(&waiting, deadline);
                continue;
            }
            () = &mut overdue => None,
        };
        let (id, given_up) = match joined {
            Some(Ok((id, given_up))) => (id, Some(given_up)),
            Some(Err(failed)) => (failed.id(), None),
            None => break,
        };
        if let Some(key) = waiting.remove(&id) {
            all.push(Stopped { key, given_up });
        }
    }
    // Those that are left do not end: their tasks are aborted with the set.
    all.extend(waiting.into_values().map(|key| Stopped { key, given_up: None }));
    all
}

/// Flushes instances side by side. Returns the items they still hold at the deadline.
pub(super) async fn flush<'a>(
    members: impl Iterator<Item = (&'a Key, &'a Arc<Instance>)>,
    deadline: Deadline,
) -> usize {
    let mut flushing = JoinSet::new();
    for (_, instance) in members {
        let component = instance.component.clone();
        flushing.spawn(async move { component.flush(deadline).await });
    }
    let mut held = 0;
    let all = async {
        while let Some(flushed) = flushing.join_next().await {
            held += flushed.unwrap_or(0);
        }
    };
    // A component that overruns its deadline cannot be counted.
    let _in_time = deadline.within(deadline.left() + GRACE).bound(all).await;
    held
}

/// Says what a component gave up, exporters excepted, which have a report of their own.
pub(super) fn report_given_up(stopped: &Stopped) {
    let key = &stopped.key;
    match stopped.given_up {
        Some(0) => {}
        Some(items) => tracing::warn!(
            "otelcol.component.id" = %key.id(),
            "otelcol.component.kind" = key.kind().name(),
            undelivered_items = items,
            "Stopped with items that could not be passed on before the deadline."
        ),
        None => tracing::error!(
            "otelcol.component.id" = %key.id(),
            "otelcol.component.kind" = key.kind().name(),
            "Did not stop in time. What it held is lost."
        ),
    }
}

fn log_laggards(waiting: &HashMap<Id, Key>, deadline: Deadline) {
    let mut names: Vec<String> = waiting.values().map(ToString::to_string).collect();
    names.sort();
    tracing::info!(
        waiting_for = names.join(", "),
        seconds_left = deadline.left().as_secs(),
        "Still stopping."
    );
}
