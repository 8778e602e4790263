//! Spans by trace, until their trace is shown.
//!
//! A trace is shown when it looks complete (its root and every parent have arrived) and has been quiet for a moment, when it has
//! been quiet for longer, or when it has been held for long. Traces that were shown are remembered for a while, so that late spans can
//! say where they belong. Traces, bytes and memories are bounded: the oldest goes first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use pipeline::{Admission, Hold, MemoryBudget};
use tokio::time::Instant;

use super::render::{Earlier, Picture};
use super::row::{Key, Row};
use crate::config::TreeConfig;

/// What is held at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Traces that are gathered.
    pub(crate) traces: usize,
    /// Bytes of their spans.
    pub(crate) bytes: usize,
    /// Spans that are remembered after they were shown.
    pub(crate) memories: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { traces: 1_000, bytes: 8 << 20, memories: 10_000 }
    }
}

/// The spans that are held, and the memory of those that were shown.
#[derive(Debug)]
pub(crate) struct Store {
    rules: Rules,
    bounds: Bounds,
    budget: MemoryBudget,
    /// Spans without a trace id stand under none.
    traces: HashMap<Option<Key>, Trace>,
    bytes: usize,
    spans: usize,
    shown: HashMap<Key, Shown>,
    shown_in_order: VecDeque<Key>,
    memories: usize,
}

/// When a trace is shown.
#[derive(Clone, Copy, Debug)]
struct Rules {
    settle: Duration,
    quiet: Duration,
    max_wait: Duration,
}

/// A trace that is gathered.
#[derive(Debug)]
struct Trace {
    rows: Vec<Row>,
    bytes: usize,
    first: Instant,
    last: Instant,
    has_root: bool,
    ids: HashSet<Key>,
    /// Parents that have not arrived.
    missing: HashSet<Key>,
    hold: Hold,
}

/// A trace that was shown.
#[derive(Debug)]
struct Shown {
    name: Box<str>,
    spans: HashMap<Key, Box<str>>,
}

impl Store {
    pub(crate) fn new(config: &TreeConfig, bounds: Bounds, budget: MemoryBudget) -> Self {
        let TreeConfig { settle, quiet, max_wait, .. } = *config;
        Self {
            rules: Rules { settle, quiet, max_wait },
            bounds,
            budget,
            traces: HashMap::new(),
            bytes: 0,
            spans: 0,
            shown: HashMap::new(),
            shown_in_order: VecDeque::new(),
            memories: 0,
        }
    }

    /// Takes a span in.
    pub(crate) fn add(&mut self, trace: Option<Key>, row: Row, now: Instant) {
        let shown = trace.and_then(|trace| self.shown.get(&trace));
        let bytes = row.bytes();
        let entry = self.traces.entry(trace).or_insert_with(|| Trace::new(now));
        entry.last = now;
        entry.bytes += bytes;
        // The root of a trace that was shown in part may have been in that part.
        entry.has_root |= row.parent.is_none() || shown.is_some();
        if let Some(id) = row.id {
            entry.ids.insert(id);
            entry.missing.remove(&id);
        }
        if let Some(parent) = row.parent
            && !entry.ids.contains(&parent)
            && !shown.is_some_and(|shown| shown.spans.contains_key(&parent))
        {
            entry.missing.insert(parent);
        }
        entry.rows.push(row);
        self.bytes += bytes;
        self.spans += 1;
    }

    /// Takes the memory of what was added from the process's budget. False when the budget has no room for it.
    fn claim(&mut self) -> bool {
        for trace in self.traces.values_mut() {
            match trace.bytes.checked_sub(trace.hold.bytes()).filter(|more| *more > 0) {
                None => {}
                Some(more) => match self.budget.try_hold(more) {
                    Admission::Granted(hold) => trace.hold.absorb(hold),
                    Admission::Spent(_later) => return false,
                },
            }
        }
        true
    }

    /// Spans held.
    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    /// Whether it holds more than it should.
    pub(crate) fn is_surplus(&mut self) -> bool {
        self.traces.len() > self.bounds.traces || self.bytes > self.bounds.bytes || !self.claim()
    }

    /// When the next trace is to be shown.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.traces.values().map(|trace| trace.due(self.rules)).min()
    }

    /// Takes out a trace that is to be shown by now: the one that came first.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Picture> {
        let due = self.traces.iter().filter(|(_, trace)| trace.due(self.rules) <= now);
        let trace = due.min_by_key(|(key, trace)| (trace.first, **key)).map(|(key, _)| *key)?;
        self.take(trace)
    }

    /// Takes out the trace that came first.
    pub(crate) fn take_oldest(&mut self) -> Option<Picture> {
        let oldest = self.traces.iter().min_by_key(|(key, trace)| (trace.first, **key));
        let trace = oldest.map(|(key, _)| *key)?;
        self.take(trace)
    }

    fn take(&mut self, key: Option<Key>) -> Option<Picture> {
        let trace = self.traces.remove(&key)?;
        self.bytes -= trace.bytes;
        self.spans -= trace.rows.len();
        let rows = trace.rows;
        let Some(id) = key else {
            return Some(Picture { trace: None, rows, earlier: None });
        };
        let earlier = self.shown.get(&id).map(|shown| {
            let parents = rows.iter().filter_map(|row| row.parent);
            let named = |parent: Key| Some((parent, shown.spans.get(&parent)?.clone()));
            Earlier { name: shown.name.clone(), parents: parents.filter_map(named).collect() }
        });
        self.remember(id, &rows);
        Some(Picture { trace: key, rows, earlier })
    }

    /// Remembers spans that are about to be shown, and forgets the oldest ones.
    fn remember(&mut self, trace: Key, rows: &[Row]) {
        let root = rows.iter().find(|row| row.parent.is_none());
        let name = root.or_else(|| rows.iter().min_by_key(|row| row.start)).map(|row| &row.name);
        let order = &mut self.shown_in_order;
        let mut added = 0;
        let shown = self.shown.entry(trace).or_insert_with(|| {
            order.push_back(trace);
            // A trace takes room beside its spans.
            added += 1;
            Shown { name: name.cloned().unwrap_or_default(), spans: HashMap::new() }
        });
        // One trace does not drive out all others, and itself.
        for row in rows.iter().take(self.bounds.memories / 2) {
            if let Some(id) = row.id {
                added += usize::from(shown.spans.insert(id, row.name.clone()).is_none());
            }
        }
        self.memories += added;
        while self.memories > self.bounds.memories
            && let Some(oldest) = self.shown_in_order.pop_front()
        {
            if let Some(forgotten) = self.shown.remove(&oldest) {
                self.memories -= forgotten.spans.len() + 1;
            }
        }
    }
}

impl Trace {
    fn new(now: Instant) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            first: now,
            last: now,
            has_root: false,
            ids: HashSet::new(),
            missing: HashSet::new(),
            hold: Hold::none(),
        }
    }

    fn due(&self, rules: Rules) -> Instant {
        let looks_complete = self.has_root && self.missing.is_empty();
        let pause = if looks_complete { rules.settle } else { rules.quiet };
        (self.last + pause).min(self.first + rules.max_wait)
    }
}

#[cfg(test)]
mod tests;
