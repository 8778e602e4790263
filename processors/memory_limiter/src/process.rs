//! The processor: one atomic load for each payload, and a task that measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pdata::Signal;
use pipeline::{
    BoxFuture, Class, Component, ConsumeError, Consumer, Context, Deadline, Envelope, MemoryBudget,
    Outlet, Processor, StartError, item,
};
use telemetry::Counter;
use telemetry::names::{self, label};
use tokio::time::MissedTickBehavior;

use crate::usage::{Limits, Source};

const MIB: u64 = 1 << 20;

/// The `memory_limiter` of one pipeline.
pub(crate) struct MemoryLimiter {
    check_interval: Duration,
    gate: Arc<Gate>,
    context: Context,
    next: Outlet,
    incoming: Counter,
    outgoing: Counter,
    accepted: Counter,
    refused: Counter,
}

/// Whether data may pass.
struct Gate {
    limits: Limits,
    source: Source,
    budget: MemoryBudget,
    refusing: AtomicBool,
}

/// What the last measurement said, for the log to tell what is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    Within,
    /// Above a limit, and what is held may go.
    Above {
        hard: bool,
    },
    /// Above a limit with nothing held, so that refusing would free nothing.
    AboveForNothing,
    Unknown,
}

impl MemoryLimiter {
    pub(crate) fn new(
        check_interval: Duration,
        limits: Limits,
        source: Source,
        context: Context,
        next: Outlet,
    ) -> Self {
        let signal = context.signal.unwrap_or(Signal::Traces);
        let (id, registry) = (context.id.to_string(), &context.process.registry);
        let processor = [(label::PROCESSOR, id.as_str())];
        let typed = [(label::PROCESSOR, id.as_str()), (label::OTEL_SIGNAL, signal.name())];
        let item = item(signal);
        let budget = context.process.budget.clone();
        let refusing = AtomicBool::new(false);
        Self {
            check_interval,
            gate: Arc::new(Gate { limits, source, budget, refusing }),
            incoming: registry.counter(&names::PROCESSOR_INCOMING, &typed),
            outgoing: registry.counter(&names::PROCESSOR_OUTGOING, &typed),
            accepted: registry.counter(names::MEMORY_LIMITER_ACCEPTED.of(item), &processor),
            refused: registry.counter(names::MEMORY_LIMITER_REFUSED.of(item), &processor),
            context,
            next,
        }
    }
}

impl Processor for MemoryLimiter {}

impl Consumer for MemoryLimiter {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        let items = envelope.items() as u64;
        self.incoming.add(items);
        if self.gate.refusing.load(Ordering::Relaxed) {
            self.refused.add(items);
            let refusal =
                ConsumeError::new(Class::Overloaded, "data refused due to high memory usage");
            return Box::pin(std::future::ready(Err(refusal.retry_after(self.check_interval))));
        }
        self.accepted.add(items);
        self.outgoing.add(items);
        self.next.consume(envelope)
    }
}

impl Component for MemoryLimiter {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        let (gate, context) = (self.gate.clone(), self.context.clone());
        let mut ticks = tokio::time::interval(self.check_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.context.tasks.spawn("memory check", async move {
            let mut before = Usage::Within;
            loop {
                tokio::select! {
                    () = context.tasks.stopped() => return,
                    _now = ticks.tick() => before = gate.check(before, &context),
                }
            }
        });
        Box::pin(std::future::ready(Ok(())))
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            self.context.tasks.join(deadline).await;
            0
        })
    }
}

impl Gate {
    fn check(&self, before: Usage, context: &Context) -> Usage {
        let used = (self.source)();
        let now = self.usage(used);
        if now != Usage::Unknown {
            self.refusing.store(matches!(now, Usage::Above { .. }), Ordering::Relaxed);
        }
        if now != before {
            tell(now, before, used.unwrap_or_default() / MIB, context);
        }
        now
    }

    fn usage(&self, used: Option<u64>) -> Usage {
        match used {
            None => Usage::Unknown,
            Some(used) if used < self.limits.soft => Usage::Within,
            // The allocator keeps freed memory for what comes next, and the kernel goes on charging for it. With nothing held, it is that or
            // something else that no sender can wait for.
            Some(_) if self.budget.held_bytes() == 0 => Usage::AboveForNothing,
            Some(used) => Usage::Above { hard: used >= self.limits.hard },
        }
    }
}

/// Texts are upstream's (`internal/memorylimiter/memorylimiter.go`) where it has one.
fn tell(now: Usage, before: Usage, used_mib: u64, context: &Context) {
    let id = &context.id;
    let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
    macro_rules! tell {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                "otelcol.component.id" = %id,
                "otelcol.component.kind" = "processor",
                "otelcol.pipeline.id" = pipeline,
                cur_mem_mib = used_mib,
                $text
            )
        };
    }
    match now {
        Usage::Above { hard: false } if matches!(before, Usage::Above { .. }) => {}
        Usage::Above { hard: false } => {
            tell!(warn, "Memory usage is above soft limit. Refusing data.")
        }
        Usage::Above { hard: true } => {
            tell!(warn, "Memory usage is above hard limit. Refusing data.")
        }
        Usage::AboveForNothing => tell!(
            warn,
            "Memory usage is above soft limit, but no telemetry is held that could go. Letting data pass."
        ),
        Usage::Within => {
            tell!(info, "Memory usage back within limits. Resuming normal operation.");
        }
        Usage::Unknown => tracing::warn!(
            "otelcol.component.id" = %id,
            "otelcol.component.kind" = "processor",
            "otelcol.pipeline.id" = pipeline,
            "Memory usage cannot be read. Going on as before."
        ),
    }
}

#[cfg(test)]
mod tests;
