//! Batching inside the queue: payloads are joined until a batch is large or old enough.
//!
//! Sizes are kept as upstream's `exporterhelper/internal/queuebatch/partition_batcher.go` keeps them: from `min_size` on a batch is sent at once, and one
//! that would grow beyond `max_size` is filled up to it first. Payloads are joined without decoding, small ones by copying, which is cheap enough
//! for the caller to do.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use config::{Batch, Sizer};
use pdata::{Joiner, Payload};
use pipeline::{Client, Hold, Kept};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::custody::Custody;
use crate::queue::{Job, size_of};

/// Batches in the making, apart by metadata. There are never more than payloads in the queue.
pub(crate) struct Batcher {
    settings: Batch,
    /// Whether a batch takes the room of one request only.
    joins_requests: bool,
    open: HashMap<Key, Open>,
    /// When batches are old enough, in order of opening. Entries of batches that were closed earlier are passed over.
    deadlines: VecDeque<(Instant, Key)>,
}

/// For each metadata key the client's values.
type Key = Vec<Vec<String>>;

struct Open {
    joiner: Joiner,
    client: Arc<Client>,
    custody: Custody,
    hold: Hold,
    kept: Kept,
    room: Option<OwnedSemaphorePermit>,
    deadline: Instant,
}

impl Batcher {
    pub(crate) fn new(settings: Batch, joins_requests: bool) -> Self {
        Self { settings, joins_requests, open: HashMap::new(), deadlines: VecDeque::new() }
    }

    /// Whether no batch is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Joins a payload to its batch. Batches that are large enough thereby go to `ready`.
    pub(crate) fn add(&mut self, mut job: Job, now: Instant, ready: &mut VecDeque<Job>) {
        let key = self.key(&job.client);
        let max = self.settings.max_size.map(clamp).unwrap_or(usize::MAX);
        let min = clamp(self.settings.min_size);
        let sizer = self.settings.sizer;
        loop {
            let used = self.open.get(&key).map_or(0, |open| open.size(sizer));
            let room = max.saturating_sub(used);
            if size_of(&job.payload, sizer) <= room {
                if self.join(&key, job, now) >= min {
                    self.close(&key, ready);
                }
                return;
            }
            match items_within(&job.payload, sizer, room) {
                0 if used > 0 => {}
                // A single item larger than a batch may be is a batch of its own.
                items => {
                    let head = job.cut(items.max(1));
                    self.join(&key, head, now);
                }
            }
            self.close(&key, ready);
            if job.payload.is_empty() {
                return;
            }
        }
    }

    /// Sends the batches whose time is up to `ready`.
    pub(crate) fn close_expired(&mut self, now: Instant, ready: &mut VecDeque<Job>) {
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            if let Some((_, key)) = self.deadlines.pop_front() {
                self.close(&key, ready);
            }
        }
    }

    /// Sends every batch to `ready`, oldest first.
    pub(crate) fn close_all(&mut self, ready: &mut VecDeque<Job>) {
        while let Some((_, key)) = self.deadlines.pop_front() {
            self.close(&key, ready);
        }
    }

    /// When the oldest batch has to go.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        while let Some((deadline, key)) = self.deadlines.front() {
            if self.open.get(key).is_some_and(|open| open.deadline == *deadline) {
                return Some(*deadline);
            }
            self.deadlines.pop_front();
        }
        None
    }

    fn key(&self, client: &Client) -> Key {
        let keys = self.settings.metadata_keys.iter();
        keys.map(|key| client.metadata(key).map(str::to_owned).collect()).collect()
    }

    /// What is left of the clients of a batch: the metadata that they have in common.
    fn client(&self, key: &Key) -> Arc<Client> {
        if key.iter().all(Vec::is_empty) {
            return Client::unknown();
        }
        let named = self.settings.metadata_keys.iter().zip(key);
        let pairs = named.flat_map(|(name, values)| {
            values.iter().map(move |value| (name.clone(), value.clone()))
        });
        Arc::new(Client { metadata: pairs.collect(), ..Client::default() })
    }

    /// Joins a payload to its batch, which may be new, and returns the batch's size.
    fn join(&mut self, key: &Key, job: Job, now: Instant) -> usize {
        let sizer = self.settings.sizer;
        if let Some(open) = self.open.get_mut(key) {
            open.absorb(job, !self.joins_requests);
            return open.size(sizer);
        }
        let deadline = now + self.settings.flush_timeout;
        let client = self.client(key);
        let Job { payload, custody, hold, kept, room, .. } = job;
        let mut joiner = Joiner::new(payload.signal());
        joiner.push(payload);
        let open = Open { joiner, client, custody, hold, kept, room, deadline };
        let size = open.size(sizer);
        self.open.insert(key.clone(), open);
        self.deadlines.push_back((deadline, key.clone()));
        size
    }

    fn close(&mut self, key: &Key, ready: &mut VecDeque<Job>) {
        let Some(open) = self.open.remove(key) else { return };
        let Open { mut joiner, client, custody, hold, kept, room, .. } = open;
        ready.push_back(Job { payload: joiner.take(), client, custody, hold, kept, room });
    }
}

impl Open {
    fn size(&self, sizer: Sizer) -> usize {
        match sizer {
            Sizer::Bytes => self.joiner.encoded_len(),
            Sizer::Items | Sizer::Requests => self.joiner.items(),
        }
    }

    fn absorb(&mut self, job: Job, keeps_room: bool) {
        let Job { payload, custody, hold, kept, room, .. } = job;
        self.joiner.push(payload);
        self.custody.absorb(custody);
        self.hold.absorb(hold);
        self.kept.absorb(kept);
        match (&mut self.room, room.filter(|_| keeps_room)) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
    }
}

impl Job {
    /// Cuts off its first items, with their share of what hangs on the payload.
    fn cut(&mut self, items: usize) -> Job {
        let all = self.payload.items();
        let rest = self.payload.split_off(items);
        let payload = std::mem::replace(&mut self.payload, rest);
        let room = self.room.as_mut().and_then(|room| {
            let share = room.num_permits() as u128 * payload.items() as u128 / all.max(1) as u128;
            room.split(share as usize)
        });
        let custody = self.custody.split(payload.items());
        let kept = self.kept.split(payload.encoded_len());
        let (client, hold) = (self.client.clone(), self.hold.clone());
        Job { payload, client, custody, hold, kept, room }
    }
}

/// About how many of the payload's first items fit; never too many.
fn items_within(payload: &Payload, sizer: Sizer, room: usize) -> usize {
    if sizer != Sizer::Bytes {
        return payload.items().min(room);
    }
    let (mut items, mut bytes) = (payload.items(), payload.encoded_len());
    while items > 0 && bytes > room {
        items = items.min((items as u128 * room as u128 / bytes as u128) as usize + 1) - 1;
        let mut head = payload.clone();
        let _rest = head.split_off(items);
        bytes = head.encoded_len();
    }
    items
}

fn clamp(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
