//! What each exporter's queue has of the budget, so that a backend that is down takes neither all
//! of the memory nor the other backends' pace.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, Weak};

use super::MemoryBudget;

/// How many times the memory that is left one branch may keep. With 2, one branch that is down
/// takes up to two thirds of the limit, three of them together up to 26 of 27 parts, and there is always
/// some left for the branches that deliver (dynamic thresholds: Choudhury and Hahne, IEEE/ACM
/// Transactions on Networking 6(2), 1998).
const TIMES_WHAT_IS_LEFT: usize = 2;

/// One exporter's queue, as the budget sees it. Clones share it.
#[derive(Clone, Debug)]
pub struct Branch {
    budget: MemoryBudget,
    state: Arc<State>,
}

/// A queue's numbers.
#[derive(Debug, Default)]
pub(super) struct State {
    kept_bytes: AtomicUsize,
    stalled: AtomicBool,
}

/// Bytes that a branch keeps until it is dropped.
#[derive(Debug)]
pub struct Kept {
    branch: Branch,
    bytes: usize,
}

impl MemoryBudget {
    /// A new branch, which is forgotten when its last clone and the last of its [`Kept`] are dropped.
    pub fn branch(&self) -> Branch {
        let state = Arc::new(State::default());
        let mut branches = self.shared.branches.lock().unwrap_or_else(PoisonError::into_inner);
        branches.retain(|branch| branch.strong_count() > 0);
        branches.push(Arc::downgrade(&state));
        Branch { budget: self.clone(), state }
    }

    /// Whether more is held than the mark allows, not counting what waits for backends that take nothing: no sender's patience
    /// makes that less.
    pub(super) fn is_flooded(&self) -> bool {
        let (held, mark) = (self.held_bytes(), self.mark_bytes());
        if held <= mark {
            return false;
        }
        let (mut moving, mut stalled) = (0_usize, 0_usize);
        let branches = self.shared.branches.lock().unwrap_or_else(PoisonError::into_inner);
        for branch in branches.iter().filter_map(Weak::upgrade) {
            let kept = branch.kept_bytes.load(Ordering::Relaxed);
            let sum =
                if branch.stalled.load(Ordering::Relaxed) { &mut stalled } else { &mut moving };
            *sum = sum.saturating_add(kept);
        }
        // Branches share payloads: what a stalled one keeps may be with a moving one, too.
        moving.max(held.saturating_sub(stalled)) > mark
    }

    fn has_several_branches(&self) -> bool {
        let branches = self.shared.branches.lock().unwrap_or_else(PoisonError::into_inner);
        branches.iter().filter(|branch| branch.strong_count() > 0).count() > 1
    }
}

impl Branch {
    /// Whether it may keep so many bytes more, which are held already. An only branch may keep whatever the budget admits, and an
    /// empty one any payload.
    pub fn has_room(&self, bytes: usize) -> bool {
        let kept = self.state.kept_bytes.load(Ordering::Relaxed);
        let left = self.budget.limit_bytes().saturating_sub(self.budget.held_bytes());
        kept == 0
            || kept.saturating_add(bytes) <= left.saturating_mul(TIMES_WHAT_IS_LEFT)
            || !self.budget.has_several_branches()
    }

    /// Keeps so many bytes more.
    #[must_use]
    pub fn keep(&self, bytes: usize) -> Kept {
        self.state.kept_bytes.fetch_add(bytes, Ordering::Relaxed);
        Kept { branch: self.clone(), bytes }
    }

    /// Says whether the backend takes nothing at present. Senders are not slowed for what waits meanwhile.
    pub fn set_stalled(&self, stalled: bool) {
        if self.state.stalled.swap(stalled, Ordering::Relaxed) != stalled {
            self.budget.shared.eased.notify_waiters();
        }
    }
}

impl Kept {
    /// Takes in what another payload of the same branch keeps.
    pub fn absorb(&mut self, mut other: Kept) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Cuts off so many bytes, or all if there are fewer.
    #[must_use]
    pub fn split(&mut self, bytes: usize) -> Kept {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Kept { branch: self.branch.clone(), bytes }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.branch.state.kept_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
            self.branch.budget.ease();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Admission, Hold};

    fn hold(budget: &MemoryBudget, bytes: usize) -> Hold {
        match budget.try_hold(bytes) {
            Admission::Granted(hold) => hold,
            Admission::Spent(_) => panic!("the budget has no room for {bytes} bytes"),
        }
    }

    /// Puts payloads of 10 bytes into a branch until it takes no more.
    fn fill(budget: &MemoryBudget, branch: &Branch) -> Vec<(Hold, Kept)> {
        let mut payloads = Vec::new();
        while let Admission::Granted(hold) = budget.try_hold(10) {
            if !branch.has_room(10) {
                break;
            }
            payloads.push((hold, branch.keep(10)));
        }
        payloads
    }

    #[test]
    fn branch_that_is_down_leaves_room_for_the_others() {
        let budget = MemoryBudget::new(3000, 3000);
        let (healthy, down, down_too) = (budget.branch(), budget.branch(), budget.branch());
        let _first = fill(&budget, &down);
        assert!((1900..=2000).contains(&budget.held_bytes()), "{}", budget.held_bytes());
        let _second = fill(&budget, &down_too);
        assert!(budget.held_bytes() < 2700, "{}", budget.held_bytes());
        let _held = hold(&budget, 100);
        assert!(healthy.has_room(100));
    }

    #[test]
    fn only_branch_may_keep_all_that_the_budget_admits() {
        let budget = MemoryBudget::new(1000, 1000);
        drop(budget.branch());
        let branch = budget.branch();
        let payloads = fill(&budget, &branch);
        assert_eq!(payloads.len(), 100);
        drop(payloads);
        assert_eq!(branch.state.kept_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn joined_and_cut_payloads_keep_their_bytes() {
        let branch = MemoryBudget::default().branch();
        let kept = || branch.state.kept_bytes.load(Ordering::Relaxed);
        let mut all = branch.keep(30);
        all.absorb(branch.keep(12));
        let head = all.split(40);
        assert_eq!(kept(), 42);
        drop(all);
        assert_eq!(kept(), 40);
        drop(head);
        assert_eq!(kept(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn sender_is_not_slowed_for_what_waits_for_a_backend_that_is_down() {
        let budget = MemoryBudget::new(50, 1000);
        let (down, _healthy) = (budget.branch(), budget.branch());
        let _held = (hold(&budget, 400), down.keep(400));
        assert!(budget.is_flooded(), "it may still deliver");
        down.set_stalled(true);
        let started = tokio::time::Instant::now();
        budget.pace().await;
        assert_eq!(started.elapsed(), std::time::Duration::ZERO);
        let _more = hold(&budget, 60);
        assert!(budget.is_flooded(), "what others hold counts by itself");
    }

    #[test]
    fn sender_is_slowed_for_a_backlog_that_a_stalled_branch_shares() {
        let budget = MemoryBudget::new(50, 1000);
        let (down, slow) = (budget.branch(), budget.branch());
        let _held = (hold(&budget, 400), down.keep(400), slow.keep(400));
        down.set_stalled(true);
        assert!(budget.is_flooded());
    }
}
