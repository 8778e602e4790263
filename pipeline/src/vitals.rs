//! Who has work and does not get on with it.
//!
//! A backend that is away does not make a component stuck: trying again, and waiting before the next try, is getting on. Stuck is what only a
//! restart helps: a lock that is never let go of, a loop without an end, a task that is gone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::id::{ComponentId, ComponentKind};

/// How long a component may be late for what it said it would do. Long, since who asks may have the process ended.
const GRACE: Duration = Duration::from_secs(60);

/// Nothing is expected later than this, so that times stay within the clock's range.
const LATEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The components that are watched. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    watched: Arc<Mutex<Vec<Weak<Watched>>>>,
}

/// A component's sign of life. Dropping it ends the watch.
#[derive(Debug)]
pub struct Pulse(Arc<Watched>);

struct Watched {
    name: String,
    /// How long it may hold things on purpose.
    holds_for: Duration,
    /// How much it holds.
    work: Box<dyn Fn() -> usize + Send + Sync>,
    /// By when something will have happened.
    due: Mutex<Instant>,
}

impl Vitals {
    /// Watches a component that may hold things for this long without doing anything, to join them for instance. `work` tells how many items it
    /// holds, and is asked whenever somebody asks about it.
    #[must_use = "dropping the pulse ends the watch"]
    pub fn watch(
        &self,
        kind: ComponentKind,
        id: &ComponentId,
        holds_for: Duration,
        work: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Pulse {
        let name = format!("{} \"{id}\"", kind.name());
        let due = Mutex::new(Instant::now());
        let holds_for = holds_for.min(LATEST);
        let watched = Arc::new(Watched { name, holds_for, work: Box::new(work), due });
        let mut all = lock(&self.watched);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&watched));
        Pulse(watched)
    }

    /// What is stuck, each with how much it holds and for how long nothing has happened.
    #[must_use]
    pub fn stuck(&self) -> Vec<String> {
        let all: Vec<_> = lock(&self.watched).iter().filter_map(Weak::upgrade).collect();
        let now = Instant::now();
        all.iter().filter_map(|watched| watched.stuck(now)).collect()
    }
}

impl Pulse {
    /// Something happens now, and the next thing within this time.
    pub fn beat(&self, within: Duration) {
        let next = Instant::now() + within.min(LATEST);
        let mut due = lock(&self.0.due);
        *due = next.max(*due);
    }
}

impl Watched {
    fn stuck(&self, now: Instant) -> Option<String> {
        let late = now.saturating_duration_since(*lock(&self.due));
        let items = if late > self.holds_for + GRACE { (self.work)() } else { 0 };
        let name = &self.name;
        (items > 0).then(|| {
            format!("{name} holds {items} items and has done nothing for {} s", late.as_secs())
        })
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("name", &self.name).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stuck_is_who_holds_something_and_is_late() {
        let vitals = Vitals::default();
        let items = Arc::new(AtomicUsize::new(0));
        let held = items.clone();
        let work = move || held.load(Ordering::Relaxed);
        let id = "otlp/a".parse().unwrap();
        let pulse = vitals.watch(ComponentKind::Exporter, &id, Duration::ZERO, work);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(vitals.stuck().is_empty(), "idle is not stuck");
        pulse.beat(Duration::from_secs(30));
        items.store(7, Ordering::Relaxed);
        tokio::time::advance(Duration::from_secs(30) + GRACE).await;
        assert!(vitals.stuck().is_empty(), "it said so, and there is grace");
        tokio::time::advance(Duration::from_secs(1)).await;
        let told = "exporter \"otlp/a\" holds 7 items and has done nothing for 61 s";
        assert_eq!(vitals.stuck(), [told]);
        pulse.beat(Duration::ZERO);
        assert!(vitals.stuck().is_empty(), "it moves again");
        tokio::time::advance(Duration::from_secs(3600)).await;
        drop(pulse);
        assert!(vitals.stuck().is_empty(), "it is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_late_who_holds_things_on_purpose_or_has_said_so_once() {
        let vitals = Vitals::default();
        let id = "otlp".parse().unwrap();
        let hour = Duration::from_secs(3600);
        let watch = |holds_for| vitals.watch(ComponentKind::Exporter, &id, holds_for, || 1);
        let joining = watch(hour);
        let waiting = watch(Duration::ZERO);
        waiting.beat(hour);
        // A nearer time does not take back a farther one: several requests are under way.
        waiting.beat(Duration::ZERO);
        let forever = watch(Duration::MAX);
        forever.beat(Duration::MAX);
        tokio::time::advance(hour).await;
        assert!(vitals.stuck().is_empty());
        tokio::time::advance(GRACE + Duration::from_secs(1)).await;
        assert_eq!(vitals.stuck().len(), 2);
        drop((joining, waiting));
        assert!(vitals.stuck().is_empty());
    }
}
