//! The memory budget: one bound, in bytes, for everything the process holds.
//!
//! Up to the mark, payloads are admitted at once. Between the mark and the limit a flood is slowed: admission waits briefly, so
//! that senders run at the pace of the exporters. At the limit it is refused with a hint to come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::Notify;

mod branch;

pub use branch::{Branch, Kept};

/// How long an admission waits between mark and limit before it goes ahead.
const SLOWED_FOR: Duration = Duration::from_millis(250);
/// How long a refused sender is asked to stay away.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// The process-wide budget. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    held_bytes: AtomicUsize,
    mark_bytes: AtomicUsize,
    limit_bytes: AtomicUsize,
    eased: Notify,
    branches: Mutex<Vec<Weak<branch::State>>>,
}

/// A payload's share of the budget; clones share it, and it is given back with the last of them.
#[derive(Clone, Debug, Default)]
pub struct Hold(Option<Arc<Share>>);

#[derive(Debug)]
struct Share {
    budget: MemoryBudget,
    bytes: AtomicUsize,
}

/// What came of asking for room.
#[derive(Debug)]
pub enum Admission {
    /// There is room.
    Granted(Hold),
    /// The budget is spent; the delay is what to tell the sender.
    Spent(Duration),
}

impl MemoryBudget {
    /// A budget of `limit_bytes`, which slows its users from `mark_bytes` on. The mark is at most the limit.
    pub fn new(mark_bytes: usize, limit_bytes: usize) -> Self {
        let budget = Self { shared: Arc::default() };
        budget.set_bounds(mark_bytes, limit_bytes);
        budget
    }

    /// Changes mark and limit. What is held already stays.
    pub fn set_bounds(&self, mark_bytes: usize, limit_bytes: usize) {
        self.shared.limit_bytes.store(limit_bytes, Ordering::Relaxed);
        self.shared.mark_bytes.store(mark_bytes.min(limit_bytes), Ordering::Relaxed);
        self.shared.eased.notify_waiters();
    }

    /// Bytes held.
    pub fn held_bytes(&self) -> usize {
        self.shared.held_bytes.load(Ordering::Relaxed)
    }

    /// The limit, in bytes.
    pub fn limit_bytes(&self) -> usize {
        self.shared.limit_bytes.load(Ordering::Relaxed)
    }

    fn mark_bytes(&self) -> usize {
        self.shared.mark_bytes.load(Ordering::Relaxed)
    }

    /// Room for `bytes`, at once or not at all.
    pub fn try_hold(&self, bytes: usize) -> Admission {
        let before = self.shared.held_bytes.fetch_add(bytes, Ordering::Relaxed);
        // One payload may stand alone, however large: its receiver's own cap bounds it.
        if before > 0 && before.saturating_add(bytes) > self.limit_bytes() {
            self.give_back(bytes);
            return Admission::Spent(COME_BACK_AFTER);
        }
        Admission::Granted(Hold(Some(Arc::new(Share {
            budget: self.clone(),
            bytes: AtomicUsize::new(bytes),
        }))))
    }

    /// Waits while more is held than the mark allows beside what waits for backends that are down, at most a quarter of a second. Called by receivers before they answer, with what
    /// they took already held, so that each sender waits for the exporters. Dropping the future is harmless.
    pub async fn pace(&self) {
        if !self.is_flooded() {
            return;
        }
        let eased = async {
            loop {
                let notified = self.shared.eased.notified();
                if !self.is_flooded() {
                    return;
                }
                notified.await;
            }
        };
        let _slow_enough = tokio::time::timeout(SLOWED_FOR, eased).await;
    }

    fn give_back(&self, bytes: usize) {
        let before = self.shared.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
        if before > self.mark_bytes() {
            self.shared.eased.notify_waiters();
        }
    }

    /// Has those who are paced look again.
    fn ease(&self) {
        if self.held_bytes() > self.mark_bytes() {
            self.shared.eased.notify_waiters();
        }
    }
}

impl Default for MemoryBudget {
    /// Without bounds: for tests and tools.
    fn default() -> Self {
        Self::new(usize::MAX, usize::MAX)
    }
}

impl Hold {
    /// A share of nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Bytes it stands for.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |share| share.bytes.load(Ordering::Relaxed))
    }

    /// Makes it stand for as many bytes as its payload has now, for instance after decompression. Never refused: the payload is
    /// there already.
    pub fn resize(&self, bytes: usize) {
        let Some(share) = &self.0 else { return };
        let before = share.bytes.swap(bytes, Ordering::Relaxed);
        let shared = &share.budget.shared;
        if bytes >= before {
            shared.held_bytes.fetch_add(bytes - before, Ordering::Relaxed);
        } else {
            share.budget.give_back(before - bytes);
        }
    }

    /// Makes it stand for what its payload was made into: `bytes` in a copy of its own. What others still hold of the original stays held.
    pub fn replace(&mut self, bytes: usize) {
        let Some(share) = &mut self.0 else { return };
        if Arc::get_mut(share).is_some() {
            return self.resize(bytes);
        }
        let budget = share.budget.clone();
        budget.shared.held_bytes.fetch_add(bytes, Ordering::Relaxed);
        *share = Arc::new(Share { budget, bytes: AtomicUsize::new(bytes) });
    }

    /// As [`Hold::resize`], but only while there is room. False when the budget is spent; the share stays as it was then.
    pub fn try_resize(&self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes());
        let room = self.0.as_ref().is_none_or(|share| {
            let (held, limit) = (share.budget.held_bytes(), share.budget.limit_bytes());
            // The same exception as in `try_hold`: one payload may stand alone.
            more == 0 || held <= self.bytes() || held.saturating_add(more) <= limit
        });
        if room {
            self.resize(bytes);
        }
        room
    }

    /// Takes in the share of a payload that is joined with this one's. Bytes that somebody else still holds, too, count for both
    /// from here on, since joining may copy them.
    pub fn absorb(&mut self, other: Hold) {
        let Some(theirs) = other.0 else { return };
        let Some(ours) = &self.0 else {
            self.0 = Some(theirs);
            return;
        };
        match Arc::try_unwrap(theirs) {
            Ok(share) => {
                let bytes = share.bytes.swap(0, Ordering::Relaxed);
                ours.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Err(shared) => {
                let bytes = shared.bytes.load(Ordering::Relaxed);
                ours.bytes.fetch_add(bytes, Ordering::Relaxed);
                ours.budget.shared.held_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        if bytes > 0 {
            self.budget.give_back(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(budget: &MemoryBudget, bytes: usize) -> Hold {
        match budget.try_hold(bytes) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => panic!("the budget has no room for {bytes} bytes"),
        }
    }

    #[test]
    fn bytes_come_back_with_the_last_clone() {
        let budget = MemoryBudget::new(50, 100);
        let first = hold(&budget, 60);
        let second = first.clone();
        drop(first);
        assert_eq!(budget.held_bytes(), 60);
        drop(second);
        assert_eq!(budget.held_bytes(), 0);
    }

    #[test]
    fn spent_budget_refuses_and_holds_nothing_of_the_refused() {
        let budget = MemoryBudget::new(50, 100);
        let _held = hold(&budget, 60);
        assert!(matches!(budget.try_hold(41), Admission::Spent(_)));
        assert_eq!(budget.held_bytes(), 60);
    }

    #[test]
    fn one_payload_larger_than_the_budget_may_stand_alone() {
        let budget = MemoryBudget::new(50, 100);
        let _alone = hold(&budget, 150);
        assert!(matches!(budget.try_hold(1), Admission::Spent(_)));
    }

    #[test]
    fn absorbed_shares_are_counted_once_when_owned_and_twice_when_shared() {
        let budget = MemoryBudget::new(500, 1000);
        let mut all = hold(&budget, 10);
        all.absorb(hold(&budget, 20));
        assert_eq!((all.bytes(), budget.held_bytes()), (30, 30));
        let shared = hold(&budget, 5);
        all.absorb(shared.clone());
        assert_eq!((all.bytes(), budget.held_bytes()), (35, 40));
        drop((all, shared));
        assert_eq!(budget.held_bytes(), 0);
    }

    #[test]
    fn resize_moves_the_budget_by_the_difference() {
        let budget = MemoryBudget::new(500, 1000);
        let held = hold(&budget, 10);
        held.resize(40);
        assert_eq!(budget.held_bytes(), 40);
        held.resize(4);
        assert_eq!(budget.held_bytes(), 4);
    }

    #[test]
    fn replaced_share_leaves_the_others_what_they_hold() {
        let budget = MemoryBudget::new(500, 1000);
        let mut held = hold(&budget, 40);
        held.replace(4);
        assert_eq!((held.bytes(), budget.held_bytes()), (4, 4));
        let mut other = held.clone();
        other.replace(3);
        assert_eq!((held.bytes(), other.bytes(), budget.held_bytes()), (4, 3, 7));
        drop(held);
        assert_eq!(budget.held_bytes(), 3);
    }

    #[test]
    fn share_grows_only_while_there_is_room_unless_it_stands_alone() {
        let budget = MemoryBudget::new(50, 100);
        let growing = hold(&budget, 0);
        assert!(growing.try_resize(300), "it stands alone");
        assert!(growing.try_resize(10), "less is always possible");
        let _other = hold(&budget, 60);
        assert!(growing.try_resize(40));
        assert!(!growing.try_resize(41));
        assert_eq!((growing.bytes(), budget.held_bytes()), (40, 100));
    }

    #[tokio::test(start_paused = true)]
    async fn paced_sender_goes_on_as_soon_as_the_exporters_have_made_room() {
        let budget = MemoryBudget::new(50, 100);
        let held = hold(&budget, 60);
        let pacing = tokio::spawn({
            let budget = budget.clone();
            async move {
                let start = tokio::time::Instant::now();
                budget.pace().await;
                start.elapsed()
            }
        });
        tokio::task::yield_now().await;
        drop(held);
        let waited = pacing.await.unwrap();
        assert!(waited < SLOWED_FOR, "waited {waited:?} although there was room");
    }

    #[test]
    fn bounds_can_change_while_bytes_are_held() {
        let budget = MemoryBudget::new(50, 100);
        let _held = hold(&budget, 60);
        budget.set_bounds(500, 70);
        assert!(matches!(budget.try_hold(20), Admission::Spent(_)));
        budget.set_bounds(50, 90);
        assert!(matches!(budget.try_hold(20), Admission::Granted(_)));
        assert_eq!(budget.limit_bytes(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn paced_sender_is_let_go_when_no_room_is_made() {
        let budget = MemoryBudget::new(50, 100);
        let _held = hold(&budget, 60);
        budget.pace().await;
        assert_eq!(budget.held_bytes(), 60);
    }
}
