use std::sync::Mutex;

use pipeline::testing::{Recorder, envelope, within_patience};
use pipeline::{Admission, ComponentKind, Hold, Process};

use super::*;

const LIMITS: Limits = Limits { hard: 100, soft: 80 };
const INTERVAL: Duration = Duration::from_secs(1);

/// A limiter whose measurements are the test's.
struct Rig {
    limiter: MemoryLimiter,
    used: Arc<Mutex<Option<u64>>>,
    measured: tokio::sync::watch::Receiver<usize>,
    next: Recorder,
    budget: MemoryBudget,
    hold: Hold,
}

impl Rig {
    async fn new() -> Self {
        let budget = MemoryBudget::new(1000, 1000);
        let Admission::Granted(hold) = budget.try_hold(10) else { panic!("no room") };
        let mut process = Process::default();
        process.budget = budget.clone();
        let id = "memory_limiter".parse().unwrap();
        let pipeline = "traces".parse().unwrap();
        let kind = ComponentKind::Processor;
        let context = Context::new(process, kind, id, Some(Signal::Traces), Some(pipeline));
        let used = Arc::new(Mutex::new(Some(0)));
        let (count, measured) = tokio::sync::watch::channel(0);
        let source: Source = Box::new({
            let used = used.clone();
            move || {
                count.send_modify(|count| *count += 1);
                *used.lock().unwrap()
            }
        });
        let next = Recorder::default();
        let outlet = Outlet::to(Arc::new(next.clone()));
        let limiter = MemoryLimiter::new(INTERVAL, LIMITS, source, context, outlet);
        limiter.start().await.unwrap();
        let mut rig = Self { limiter, used, measured, next, budget, hold };
        rig.measure(Some(0)).await;
        rig
    }

    /// Has the next measurement say this.
    async fn measure(&mut self, used: Option<u64>) {
        *self.used.lock().unwrap() = used;
        self.measured.mark_unchanged();
        within_patience("a measurement", self.measured.changed()).await.unwrap();
        tokio::task::yield_now().await;
    }

    async fn offer(&self, items: usize) -> Result<(), ConsumeError> {
        self.limiter.consume(envelope(Signal::Traces, items)).await
    }

    fn exposed(&self) -> String {
        let registry = &self.limiter.context.process.registry;
        telemetry::render(registry, telemetry::MetricsLevel::Detailed)
    }
}

#[tokio::test(start_paused = true)]
async fn data_passes_below_the_soft_limit_and_is_refused_from_it_on() {
    let mut rig = Rig::new().await;
    for (used, passes) in
        [(79, true), (80, false), (99, false), (100, false), (80, false), (79, true)]
    {
        rig.measure(Some(used)).await;
        assert_eq!(rig.offer(1).await.is_ok(), passes, "{used} used");
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_is_worth_another_try_after_the_next_check() {
    let mut rig = Rig::new().await;
    rig.measure(Some(80)).await;
    let refusal = rig.offer(3).await.unwrap_err();
    assert!(refusal.is_retryable());
    assert_eq!(refusal.message, "data refused due to high memory usage");
    assert_eq!(refusal.retry_after, Some(INTERVAL));
    assert_eq!(rig.next.offers(), 0);
}

#[tokio::test(start_paused = true)]
async fn accepted_and_refused_items_are_counted() {
    let mut rig = Rig::new().await;
    rig.offer(2).await.unwrap();
    rig.next.refuse(Some(ConsumeError::overloaded("full")));
    rig.offer(3).await.unwrap_err();
    rig.measure(Some(100)).await;
    rig.offer(5).await.unwrap_err();
    let exposed = rig.exposed();
    let of = "{processor=\"memory_limiter\"}";
    for (name, items) in [("accepted", 5), ("refused", 5)] {
        let line = format!("otelcol_processor_memory_limiter_{name}_spans{of} {items}\n");
        assert!(exposed.contains(&line), "{exposed}");
    }
    let of = "{processor=\"memory_limiter\",otel_signal=\"traces\"}";
    for (name, items) in [("incoming", 10), ("outgoing", 5)] {
        let line = format!("otelcol_processor_{name}_items{of} {items}\n");
        assert!(exposed.contains(&line), "{exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn data_passes_when_nothing_is_held_that_could_go() {
    let mut rig = Rig::new().await;
    rig.measure(Some(100)).await;
    rig.offer(1).await.unwrap_err();
    rig.hold = Hold::none();
    assert_eq!(rig.budget.held_bytes(), 0);
    rig.measure(Some(100)).await;
    rig.offer(1).await.unwrap();
    let Admission::Granted(hold) = rig.budget.try_hold(10) else { panic!("no room") };
    rig.hold = hold;
    rig.measure(Some(100)).await;
    rig.offer(1).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn unknown_usage_changes_nothing() {
    let mut rig = Rig::new().await;
    rig.measure(None).await;
    rig.offer(1).await.unwrap();
    rig.measure(Some(80)).await;
    rig.measure(None).await;
    rig.offer(1).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn measuring_ends_with_the_processor() {
    let rig = Rig::new().await;
    let deadline = Deadline::after(Duration::from_secs(5));
    assert_eq!(rig.limiter.shutdown(deadline).await, 0);
    let before = *rig.measured.borrow();
    tokio::time::sleep(10 * INTERVAL).await;
    assert_eq!(*rig.measured.borrow(), before);
}
