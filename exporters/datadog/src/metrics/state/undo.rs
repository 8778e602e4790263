//! What requests send of cumulative series, so that what does not arrive is sent with a later point.

use std::sync::{Arc, Mutex, PoisonError};

use super::point::{Exponential, Histogram};
use super::{Key, State};

/// What a request sends of cumulative series. Unless it is settled, dropping it gives everything back to the state: whatever became of the request, the
/// series' later points add up.
#[derive(Debug)]
pub(crate) struct Undo {
    state: Arc<Mutex<State>>,
    sent: Vec<Undone>,
}

/// What was sent for one point.
#[derive(Debug, PartialEq)]
pub(crate) struct Undone {
    /// The series.
    pub(crate) key: Key,
    /// When the series began to count.
    pub(crate) start: u64,
    /// The point's time.
    pub(crate) time: u64,
    /// The time of the point before; `None` when it was sent as the first.
    pub(crate) before: Option<u64>,
    /// What was sent.
    pub(crate) amount: Amount,
    /// Which entry of the request it stands in.
    pub(crate) entry: usize,
}

/// What a point adds.
#[derive(Debug, PartialEq)]
pub(crate) enum Amount {
    /// To a sum.
    Number(f64),
    /// To a summary.
    Summary {
        /// Values.
        count: f64,
        /// Their sum.
        sum: f64,
    },
    /// To a histogram with explicit bounds.
    Histogram(Box<Histogram>),
    /// To an exponential histogram.
    Exponential(Box<Exponential>),
}

impl Undo {
    /// What a request sends.
    pub(crate) fn new(state: Arc<Mutex<State>>, sent: Vec<Undone>) -> Self {
        Self { state, sent }
    }

    /// The request has arrived.
    pub(crate) fn settle(&mut self) {
        self.sent = Vec::new();
    }

    /// Cuts the request in two: what is left concerns the first `entries`.
    pub(crate) fn split_off(&mut self, entries: usize) -> Self {
        let at = self.sent.partition_point(|undone| undone.entry < entries);
        let mut sent = self.sent.split_off(at);
        sent.iter_mut().for_each(|undone| undone.entry -= entries);
        Self { state: self.state.clone(), sent }
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let heap: usize = self.sent.iter().map(|undone| undone.amount.heap_bytes()).sum();
        self.sent.capacity() * size_of::<Undone>() + heap
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Latest first, so that each series ends at what it was before the first.
        for undone in self.sent.drain(..).rev() {
            state.take_back(undone);
        }
    }
}

impl Amount {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Number(_) | Self::Summary { .. } => 0,
            Self::Histogram(histogram) => size_of::<Histogram>() + size_of_val(&*histogram.counts),
            Self::Exponential(histogram) => {
                let counts = histogram.positive.counts.len() + histogram.negative.counts.len();
                size_of::<Exponential>() + counts * size_of::<u64>()
            }
        }
    }
}
