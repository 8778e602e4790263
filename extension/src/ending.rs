//! The last of it: everything that is held is sent within the time that the platform gives, and one line says what was not.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambda::api::Shutdown;
use lambda::telemetry::{Hub, Listener};
use pipeline::{Deadline, DrainReport, Stop};

use crate::pipelines::Pipelines;

/// Kept back of the platform's time, to say what was dropped and to end.
const MARGIN: Duration = Duration::from_millis(50);
/// The time there is where the platform does not say: it gives 2 s.
const TIME_UNTOLD: Duration = Duration::from_millis(1900);
/// How long events of the platform that have come are waited for.
const EVENTS_WITHIN: Duration = Duration::from_millis(100);

/// Drains the pipelines.
pub(crate) async fn end(
    pipelines: Pipelines,
    hub: Arc<Hub>,
    listener: Option<Listener>,
    shutdown: &Shutdown,
) {
    let deadline = deadline(shutdown, SystemTime::now());
    let given = deadline.left();
    if let Some(listener) = listener {
        listener.shutdown(deadline.within(EVENTS_WITHIN)).await;
    }
    let _in_time = hub.settled(deadline.within(EVENTS_WITHIN)).await;
    let service = pipelines.into_service(deadline.within(EVENTS_WITHIN)).await;
    let held = service.held();
    let before = held.count();
    let reason = shutdown.reason.as_str();
    let milliseconds = u64::try_from(given.as_millis()).unwrap_or(u64::MAX);
    match deadline.bound(service.shutdown(Stop::By(deadline))).await {
        Some(report) if report.is_complete() => tracing::info!(
            reason,
            delivered_items = delivered(&report),
            "The environment ends. Everything was delivered."
        ),
        Some(report) => tracing::warn!(
            reason,
            delivered_items = delivered(&report),
            dropped_items = dropped(&report),
            dropped_by = by_exporter(&report),
            milliseconds,
            "The environment ends. What backends had not taken when the time was over is dropped."
        ),
        None => tracing::warn!(
            reason,
            dropped_items = held.count(),
            held_items = before,
            milliseconds,
            "The environment ends. What was not sent when the time was over is dropped."
        ),
    }
}

fn deadline(shutdown: &Shutdown, now: SystemTime) -> Deadline {
    let left = match shutdown.deadline == SystemTime::UNIX_EPOCH {
        true => TIME_UNTOLD,
        false => shutdown.deadline.duration_since(now).unwrap_or_default(),
    };
    Deadline::after(left.saturating_sub(MARGIN))
}

fn delivered(report: &DrainReport) -> usize {
    report.exporters.iter().map(|exporter| exporter.delivered).sum()
}

fn dropped(report: &DrainReport) -> usize {
    let by_exporters: usize = report.exporters.iter().map(|exporter| exporter.undelivered).sum();
    report.given_up_before_exporters + by_exporters
}

fn by_exporter(report: &DrainReport) -> String {
    let lacking = report.exporters.iter().filter(|exporter| exporter.undelivered > 0);
    let mut texts: Vec<String> = lacking
        .map(|exporter| {
            format!("{} ({}): {}", exporter.id, exporter.signal.name(), exporter.undelivered)
        })
        .collect();
    if report.given_up_before_exporters > 0 {
        texts.push(format!("before exporters: {}", report.given_up_before_exporters));
    }
    texts.extend(report.overdue.iter().map(|component| format!("{component}: not known")));
    texts.join(", ")
}
