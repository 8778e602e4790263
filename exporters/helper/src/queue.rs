//! The sending queue: bounded, in the unit of its sizer, with batching inside where that is on.
//!
//! What is popped goes on counting until its outcome is known, as upstream's memory queue has it
//! (`exporterhelper/internal/queue/memory_queue.go`), so the capacity bounds all that the exporter holds.
//!
//! Consumers are tasks. There are as many as have been needed so far, `num_consumers` at most; whoever adds work or takes some says
//! whether one more is needed ([`Summon`]).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::Sizer;
use pdata::Payload;
use pipeline::{Branch, Client, ConsumeError, Envelope, Hold, Kept};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::batch::Batcher;
use crate::custody::{Custody, closed};

/// The queue of one exporter and signal.
pub(crate) struct Queue {
    capacity: usize,
    sizer: Sizer,
    block_on_overflow: bool,
    consumers_max: usize,
    room: Arc<Semaphore>,
    branch: Branch,
    work: Notify,
    state: Mutex<State>,
}

struct State {
    ready: VecDeque<Job>,
    batcher: Option<Batcher>,
    closed: bool,
    /// Consumers there are, and those of them that wait for work.
    consumers: usize,
    idle: usize,
    /// Whether one of the idle ones keeps the time for batches.
    timekeeper: bool,
}

/// A payload with everything that hangs on it.
pub(crate) struct Job {
    pub(crate) payload: Payload,
    pub(crate) client: Arc<Client>,
    pub(crate) custody: Custody,
    /// Its share of the memory budget.
    pub(crate) hold: Hold,
    /// Its bytes in the share of this queue.
    pub(crate) kept: Kept,
    /// Its room in the queue; a part of a payload may have none of its own.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// What has to be done so that work is taken.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Summon {
    /// Nothing: somebody is on it.
    Nobody,
    /// Start one more consumer.
    Consumer,
}

/// Why the queue did not take a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("sending queue is full")]
    Full,
    #[error(
        "element size too large: {size} {unit}, and the sending queue holds {capacity}; raise sending_queue::queue_size"
    )]
    TooLarge { size: usize, capacity: usize, unit: &'static str },
    #[error(
        "the sending queue has its share of the memory budget; it takes more when its backend takes something, or with a larger service::memory::limit_mib"
    )]
    NoMemory,
    #[error("the exporter is shutting down")]
    Closed,
}

impl Queue {
    /// With `is_joined`, a batch counts as one request, and not as those that it was made of.
    pub(crate) fn new(settings: &config::Queue, branch: Branch, is_joined: bool) -> Self {
        let joins_requests = is_joined && settings.sizer == Sizer::Requests;
        let capacity = usize::try_from(settings.queue_size).unwrap_or(usize::MAX);
        // A payload takes permits up to `u32::MAX`, and no receiver takes one of more bytes or items than that.
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        Self {
            capacity,
            sizer: settings.sizer,
            block_on_overflow: settings.block_on_overflow,
            consumers_max: settings.num_consumers,
            room: Arc::new(Semaphore::new(capacity)),
            branch,
            work: Notify::new(),
            state: Mutex::new(State {
                ready: VecDeque::new(),
                batcher: settings
                    .batch
                    .clone()
                    .map(|settings| Batcher::new(settings, joins_requests)),
                closed: false,
                consumers: 0,
                idle: 0,
                timekeeper: false,
            }),
        }
    }

    /// Room for a payload: at once, or, with `block_on_overflow`, when there is some, in the order of asking. May be dropped part-way.
    pub(crate) async fn room(&self, payload: &Payload) -> Result<OwnedSemaphorePermit, OfferError> {
        let size = size_of(payload, self.sizer);
        if size > self.capacity {
            let unit = match self.sizer {
                Sizer::Requests => "requests",
                Sizer::Items => "items",
                Sizer::Bytes => "bytes",
            };
            return Err(OfferError::TooLarge { size, capacity: self.capacity, unit });
        }
        if !self.block_on_overflow && !self.branch.has_room(payload.encoded_len()) {
            return Err(OfferError::NoMemory);
        }
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        match self.room.clone().try_acquire_many_owned(permits) {
            Ok(room) => Ok(room),
            Err(_) if self.room.is_closed() => Err(OfferError::Closed),
            Err(_) if !self.block_on_overflow => Err(OfferError::Full),
            Err(_) => {
                let room = self.room.clone().acquire_many_owned(permits).await;
                room.map_err(|_| OfferError::Closed)
            }
        }
    }

    /// Puts a payload in, unless the queue has been closed meanwhile.
    pub(crate) fn push(
        &self,
        envelope: Envelope,
        custody: Custody,
        room: OwnedSemaphorePermit,
    ) -> Result<Summon, OfferError> {
        let Envelope { payload, client, hold } = envelope;
        let kept = self.branch.keep(payload.encoded_len());
        let mut job = Job { payload, client, custody, hold, kept, room: Some(room) };
        let mut state = self.lock();
        if state.closed {
            job.custody.held.disown();
            return Err(OfferError::Closed);
        }
        let State { batcher, ready, .. } = &mut *state;
        match batcher {
            Some(batcher) => batcher.add(job, Instant::now(), ready),
            None => ready.push_back(job),
        }
        Ok(self.summon(&mut state))
    }

    /// The next payload to send, and whether another consumer is needed beside the caller. `None` once the queue is closed and empty. May
    /// be dropped part-way only when the consumer ends with it.
    pub(crate) async fn next(&self) -> Option<(Job, Summon)> {
        loop {
            let work = self.work.notified();
            let alarm = {
                let mut state = self.lock();
                let State { batcher, ready, .. } = &mut *state;
                if let Some(batcher) = batcher {
                    batcher.close_expired(Instant::now(), ready);
                }
                if let Some(job) = state.ready.pop_front() {
                    let summon = self.summon(&mut state);
                    return Some((job, summon));
                }
                if state.closed {
                    return None;
                }
                state.idle += 1;
                let alarm = state.batcher.as_mut().and_then(Batcher::next_deadline);
                let alarm = alarm.filter(|_| !state.timekeeper);
                state.timekeeper |= alarm.is_some();
                alarm
            };
            match alarm {
                None => work.await,
                Some(alarm) => {
                    tokio::select! {
                        () = work => {}
                        () = tokio::time::sleep_until(alarm) => {}
                    }
                }
            }
            let mut state = self.lock();
            state.idle -= 1;
            state.timekeeper &= alarm.is_none();
        }
    }

    /// Closes every batch, however small.
    pub(crate) fn close_batches(&self) -> Summon {
        let mut state = self.lock();
        let State { batcher, ready, .. } = &mut *state;
        if let Some(batcher) = batcher {
            batcher.close_all(ready);
        }
        self.summon(&mut state)
    }

    /// Takes nothing more. Consumers end when they have emptied it.
    pub(crate) fn close(&self) -> Summon {
        self.room.close();
        self.lock().closed = true;
        let summon = self.close_batches();
        self.work.notify_waiters();
        summon
    }

    /// Drops what nobody took, which counts it.
    pub(crate) fn clear(&self) {
        let left = std::mem::take(&mut self.lock().ready);
        drop(left);
    }

    /// What it can hold, in its sizer's unit.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// What it holds, in its sizer's unit, counted until the outcome is known.
    pub(crate) fn size(&self) -> usize {
        self.capacity - self.room.available_permits().min(self.capacity)
    }

    fn summon(&self, state: &mut State) -> Summon {
        let opened = state.batcher.as_ref().is_some_and(|batcher| !batcher.is_empty());
        if state.ready.is_empty() && (!opened || state.timekeeper) {
            return Summon::Nobody;
        }
        if state.idle > 0 {
            self.work.notify_one();
            return Summon::Nobody;
        }
        if state.consumers >= self.consumers_max {
            return Summon::Nobody;
        }
        state.consumers += 1;
        Summon::Consumer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<OfferError> for ConsumeError {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Full => ConsumeError::overloaded("sending queue is full"),
            OfferError::NoMemory => ConsumeError::overloaded(error.to_string()),
            OfferError::TooLarge { .. } => ConsumeError::permanent(error.to_string()),
            OfferError::Closed => closed(),
        }
    }
}

/// The size of a payload as a sizer counts it.
pub(crate) fn size_of(payload: &Payload, sizer: Sizer) -> usize {
    match sizer {
        Sizer::Requests => 1,
        Sizer::Items => payload.items(),
        Sizer::Bytes => payload.encoded_len(),
    }
}
