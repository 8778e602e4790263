//! What became of the items that were offered to one branch of a fan-out.

use pdata::Signal;
use telemetry::names::{self, DropReason, RefuseReason, label};
use telemetry::{Counter, Registry};

use crate::consumer::{Class, ConsumeError};
use crate::id::{ComponentId, PipelineId};

/// The counters of one branch.
pub(crate) struct Account {
    offered: Counter,
    /// Counted for branches that do not count what they deliver themselves.
    delivered: Option<Counter>,
    returned: Counter,
    dropped: Dropped,
}

/// Counters for items that another branch took and this one did not.
struct Dropped {
    no_room: Counter,
    failed: Counter,
    permanent: Counter,
    closed: Counter,
}

impl Account {
    /// Of a pipeline that receivers or connectors feed.
    pub(crate) fn of_pipeline(registry: &Registry, pipeline: &PipelineId) -> Self {
        let id = pipeline.to_string();
        let of_pipeline = &[(label::PIPELINE, id.as_str())];
        let dropped = |reason: DropReason| {
            let labels = &[(label::PIPELINE, id.as_str()), (label::REASON, reason.as_str())];
            registry.counter(&names::PIPELINE_DROPPED_ITEMS, labels)
        };
        // Only some processors hold anything; the delivery equation has a term for it in every pipeline.
        let _held = registry.gauge(&names::PIPELINE_HELD_ITEMS, of_pipeline);
        Self {
            offered: registry.counter(&names::PIPELINE_ACCEPTED_ITEMS, of_pipeline),
            delivered: None,
            returned: registry.counter(&names::PIPELINE_REFUSED_ITEMS, of_pipeline),
            dropped: Dropped {
                no_room: dropped(DropReason::QueueFull),
                failed: dropped(DropReason::RetriesExhausted),
                permanent: dropped(DropReason::ComponentFailed),
                closed: dropped(DropReason::Shutdown),
            },
        }
    }

    /// Of an exporter that a pipeline feeds.
    pub(crate) fn of_exporter(
        registry: &Registry,
        pipeline: &PipelineId,
        exporter: &ComponentId,
    ) -> Self {
        Self::of_branch(registry, pipeline, (exporter, pipeline.signal().name()), false)
    }

    /// Of a connector that a pipeline feeds, by what it makes of the data: one connector may be two branches of a pipeline. What a
    /// connector took is delivered: it has been passed on, or has become something else, which the connector answers for.
    pub(crate) fn of_connector(
        registry: &Registry,
        pipeline: &PipelineId,
        connector: &ComponentId,
        to: Signal,
    ) -> Self {
        let from = pipeline.signal();
        let data_type = if from == to { from.to_string() } else { format!("{from}_to_{to}") };
        Self::of_branch(registry, pipeline, (connector, &data_type), true)
    }

    fn of_branch(
        registry: &Registry,
        pipeline: &PipelineId,
        (branch, data_type): (&ComponentId, &str),
        passes_on: bool,
    ) -> Self {
        let (pipeline_name, id) = (pipeline.to_string(), branch.to_string());
        let labels = [
            (label::PIPELINE, pipeline_name.as_str()),
            (label::EXPORTER, id.as_str()),
            (label::DATA_TYPE, data_type),
        ];
        // What the exporter counts: there at 0 for one that never holds anything, and for connectors, so that the delivery equation has
        // all its terms in every branch.
        let [_, exporter, kind] = labels;
        let _delivered = registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &[exporter, kind]);
        let _held = registry.gauge(&names::EXPORTER_HELD_ITEMS, &[exporter, kind]);
        let with = |reason: &'static str| {
            let [pipeline, exporter, data_type] = labels;
            [pipeline, exporter, data_type, (label::REASON, reason)]
        };
        let dropped = |reason: DropReason| {
            registry.counter(&names::EXPORTER_DROPPED_ITEMS, &with(reason.as_str()))
        };
        let refused = |reason: RefuseReason| {
            registry.counter(&names::EXPORTER_REFUSED_ITEMS, &with(reason.as_str()))
        };
        Self {
            offered: registry.counter(&names::EXPORTER_ACCEPTED_ITEMS, &labels),
            delivered: passes_on
                .then(|| registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &labels)),
            returned: refused(RefuseReason::Returned),
            dropped: Dropped {
                no_room: dropped(DropReason::QueueFull),
                failed: dropped(DropReason::RetriesExhausted),
                permanent: refused(RefuseReason::Permanent),
                closed: dropped(DropReason::Shutdown),
            },
        }
    }

    /// Items enter the branch.
    pub(crate) fn offered(&self, items: u64) {
        self.offered.add(items);
    }

    /// The branch took them.
    pub(crate) fn taken(&self, items: u64) {
        if let Some(delivered) = &self.delivered {
            delivered.add(items);
        }
    }

    /// No branch took them, so the sender still has them.
    pub(crate) fn returned(&self, items: u64) {
        self.returned.add(items);
    }

    /// This branch did not take them, another one did, so that the sender will not offer them again.
    pub(crate) fn dropped(&self, items: u64, error: &ConsumeError) {
        let counter = match error.class {
            Class::Overloaded => &self.dropped.no_room,
            Class::Retryable => &self.dropped.failed,
            Class::Permanent => &self.dropped.permanent,
            Class::Closed => &self.dropped.closed,
        };
        counter.add(items);
    }
}
