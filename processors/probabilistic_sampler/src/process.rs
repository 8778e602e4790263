//! The processor: decides on each item of a payload, and keeps account of what it decided.

use std::sync::Arc;

use pdata::{Payload, Signal};
use pipeline::{
    BoxFuture, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Outlet, Processor,
};
use telemetry::Counter;
use telemetry::names::{self, CounterFamily, DropReason, label};

use crate::config::Config;
use crate::sampler::{Decision, Fault, Policy, Sampler};
use crate::{log, span};

/// The `probabilistic_sampler` of one pipeline.
pub(crate) struct ProbabilisticSampler {
    config: Arc<Config>,
    next: Outlet,
    /// What log records are about: the component and the pipeline.
    id: String,
    pipeline: String,
    incoming: Counter,
    outgoing: Counter,
    decided: Vec<Decided>,
    sampled_out: Counter,
    failed_closed: Counter,
}

/// The counters of one policy.
struct Decided {
    policy: Policy,
    kept: Vec<Counter>,
    dropped: Vec<Counter>,
}

/// What was decided on the items of a payload.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// By policy: how many were kept, and how many not.
    policies: Vec<(Policy, u64, u64)>,
    /// By fault, the same.
    faults: Vec<(Fault, u64, u64)>,
    /// How many were dropped because of a fault.
    failed: u64,
}

impl ProbabilisticSampler {
    pub(crate) fn new(config: Arc<Config>, context: &Context, next: Outlet) -> Self {
        let signal = context.signal.unwrap_or(Signal::Traces);
        let (id, registry) = (context.id.to_string(), &context.process.registry);
        let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
        let typed = [(label::PROCESSOR, id.as_str()), (label::OTEL_SIGNAL, signal.name())];
        let dropped = |reason: DropReason| {
            let labels = &[(label::PIPELINE, pipeline.as_str()), (label::REASON, reason.as_str())];
            registry.counter(&names::PIPELINE_DROPPED_ITEMS, labels)
        };
        let decided = |policy: Policy| {
            // A name from the settings, so that there are only so many.
            let name = match (policy, &config.from_attribute) {
                (Policy::Attribute, Some(attribute)) => attribute.as_str(),
                _ => policy.name(),
            };
            let counters = |sampled| -> Vec<Counter> {
                let labels = [
                    (label::PROCESSOR, id.as_str()),
                    (label::POLICY, name),
                    (label::SAMPLED, sampled),
                ];
                let families = families(signal).into_iter();
                families.map(|family| registry.counter(family, &labels)).collect()
            };
            Decided { policy, kept: counters("true"), dropped: counters("false") }
        };
        Self {
            next,
            incoming: registry.counter(&names::PROCESSOR_INCOMING, &typed),
            outgoing: registry.counter(&names::PROCESSOR_OUTGOING, &typed),
            decided: policies(&config, signal).into_iter().map(decided).collect(),
            sampled_out: dropped(DropReason::Sampled),
            failed_closed: dropped(DropReason::FailClosed),
            id,
            pipeline,
            config,
        }
    }

    fn count(&self, tally: &Tally) {
        for (policy, kept, dropped) in &tally.policies {
            let decided = self.decided.iter().find(|decided| decided.policy == *policy);
            debug_assert!(decided.is_some(), "{policy:?} has no counters");
            if let Some(decided) = decided {
                decided.kept.iter().for_each(|counter| counter.add(*kept));
                decided.dropped.iter().for_each(|counter| counter.add(*dropped));
            }
        }
    }

    /// Once for each payload and fault; what is lost by it, or was never sound, is worth more attention than upstream's `debug`.
    fn tell(&self, signal: Signal, tally: &Tally) {
        let text = if signal == Signal::Logs { "logs sampler" } else { "traces sampler" };
        for (fault, kept, dropped) in &tally.faults {
            if *dropped > 0 || matches!(fault, Fault::Malformed(_)) {
                tracing::info!(
                    "otelcol.component.id" = self.id,
                    "otelcol.component.kind" = "processor",
                    "otelcol.pipeline.id" = self.pipeline,
                    error = %fault,
                    kept_items = kept,
                    dropped_items = dropped,
                    "{text}"
                );
            } else {
                tracing::debug!("otelcol.component.id" = self.id, error = %fault, kept_items = kept, "{text}");
            }
        }
    }
}

impl Consumer for ProbabilisticSampler {
    fn consume(&self, mut envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            let (signal, before) = (envelope.signal(), envelope.items() as u64);
            self.incoming.add(before);
            let len = envelope.payload.encoded_len();
            let tally = sample(&self.config, &mut envelope.payload);
            self.count(&tally);
            self.tell(signal, &tally);
            if envelope.payload.encoded_len() != len {
                envelope.hold.replace(envelope.payload.encoded_len());
            }
            let items = envelope.items() as u64;
            if items > 0 {
                self.next.consume(envelope).await?;
            }
            // Not before the rest is taken: a sender that is refused still has all of it.
            self.outgoing.add(items);
            self.failed_closed.add(tally.failed);
            self.sampled_out.add(before.saturating_sub(items).saturating_sub(tally.failed));
            Ok(())
        })
    }
}

impl Component for ProbabilisticSampler {
    fn shutdown(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl Processor for ProbabilisticSampler {}

/// Decides on every item of a payload, and removes those that are not kept, with what they leave empty.
pub(crate) fn sample(config: &Config, payload: &mut Payload) -> Tally {
    let (signal, mut tally, mut text) = (payload.signal(), Tally::default(), Vec::new());
    payload.edit(|mut group| {
        if group.is_empty() {
            return group.resource().remove();
        }
        group.scopes(|_, mut group| {
            if group.is_empty() {
                return group.scope().remove();
            }
            match signal {
                Signal::Traces => {
                    group.spans(|_, span| tally.add(span::sample(config, span, &mut text)));
                }
                Signal::Logs => {
                    group.log_records(|_, record| tally.add(log::sample(config, record)));
                }
                Signal::Metrics => {}
            }
        });
    });
    tally
}

impl Tally {
    fn add(&mut self, decision: Decision) {
        add(&mut self.policies, decision.policy, decision.sampled);
        if let Some(fault) = decision.fault {
            add(&mut self.faults, fault, decision.sampled);
        }
        self.failed += u64::from(decision.failed);
    }
}

/// The lists stay as short as the enums.
fn add<T: PartialEq>(counts: &mut Vec<(T, u64, u64)>, what: T, kept: bool) {
    let place = match counts.iter().position(|(known, _, _)| *known == what) {
        Some(place) => place,
        None => {
            counts.push((what, 0, 0));
            counts.len() - 1
        }
    };
    if let Some((_, of_kept, of_dropped)) = counts.get_mut(place) {
        *of_kept += u64::from(kept);
        *of_dropped += u64::from(!kept);
    }
}

/// The policies that decisions can be taken by.
fn policies(config: &Config, signal: Signal) -> Vec<Policy> {
    let of_logs = signal == Signal::Logs;
    let mut policies = match &config.sampler {
        Sampler::Never => vec![Policy::SamplingPriority],
        Sampler::HashSeed { .. } => vec![Policy::TraceIdHash, Policy::MissingRandomness],
        Sampler::Equalizing { .. } | Sampler::Proportional { .. } => {
            vec![Policy::TraceIdW3c, Policy::SamplingRandomness, Policy::MissingRandomness]
        }
    };
    if matches!(config.sampler, Sampler::HashSeed { .. }) && of_logs {
        policies.retain(|policy| *policy != Policy::TraceIdHash || config.by_trace_id);
        policies.extend(config.from_attribute.as_ref().map(|_| Policy::Attribute));
    }
    if config.sampler != Sampler::Never && (!of_logs || config.sampling_priority.is_some()) {
        policies.push(Policy::SamplingPriority);
    }
    policies
}

/// Spans are counted twice: upstream has renamed their family and keeps the old one for the time being.
fn families(signal: Signal) -> Vec<&'static CounterFamily> {
    match signal {
        Signal::Logs => vec![&names::SAMPLER_LOGS_SAMPLED],
        _ => vec![&names::SAMPLER_TRACES_SAMPLED, &names::SAMPLER_SPANS_PROCESSED],
    }
}

#[cfg(test)]
mod tests;
