//! The sending queue in the environment of a function.
//!
//! There, the caller of the function waits for whoever sends telemetry. So every exporter has a queue, and nobody waits for it. Where the
//! platform freezes the process between invocations, what is queued is joined until somebody asks for a flush: one request then carries
//! what many small ones would.

use std::time::Duration;

use config::{Batch, Queue, Sizer};
use pipeline::{Context, Hosting};

/// From which size on a batch is sent without a flush.
const BATCH_BYTES: u64 = 512 << 10;
/// Batches are closed by flushes, not by their age: a timer means nothing over a freeze.
const NO_TIMER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Whether the queue joins payloads until a flush. What is joined counts as one request then, which is what it will be.
pub(crate) fn joins(configured: Option<&Queue>, context: &Context) -> bool {
    context.process.hosting == Hosting::Function
        && context.process.gate.is_kept()
        && configured.is_none_or(|queue| queue.batch.is_none())
}

/// The queue that an exporter has, after what its settings say.
pub(crate) fn queue(configured: Option<Queue>, context: &Context) -> Option<Queue> {
    if context.process.hosting != Hosting::Function {
        return configured;
    }
    let mut queue = configured.unwrap_or_else(|| {
        warn(context, "sending_queue::enabled", "the queue is on");
        Queue::default()
    });
    if std::mem::take(&mut queue.wait_for_result) {
        warn(context, "sending_queue::wait_for_result", "senders are answered at once");
    }
    if std::mem::take(&mut queue.block_on_overflow) {
        warn(context, "sending_queue::block_on_overflow", "a full queue refuses");
    }
    if context.process.gate.is_kept() {
        // One connection that stays warm, and no more than one request to be recalled.
        queue.num_consumers = 1;
        let _joined = queue.batch.get_or_insert_with(|| Batch {
            flush_timeout: NO_TIMER,
            sizer: Sizer::Bytes,
            min_size: BATCH_BYTES,
            max_size: None,
            metadata_keys: Vec::new(),
        });
    }
    Some(queue)
}

fn warn(context: &Context, key: &str, instead: &str) {
    tracing::warn!(
        "otelcol.component.id" = %context.id,
        "otelcol.component.kind" = "exporter",
        key,
        "A setting is not carried out in AWS Lambda, where the function's caller would wait for the backend: {instead}."
    );
}
