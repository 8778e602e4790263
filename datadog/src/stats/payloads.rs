//! The deployments that groups belong to, by number: a group's key holds the number in the place of eight texts.

use std::collections::HashMap;

use pdata::wire::Reader;

use super::bucket::Bucket;
use super::input::PayloadKey;
use super::key;

/// Deployments at most. Spans of further ones are counted under one that bears `tracer_blocked_value`.
pub(super) const PAYLOADS_MAX: usize = 2048;
/// Bytes of their texts at most.
const BYTES_MAX: usize = 4 << 20;

/// The deployments that the buckets' groups refer to by number.
#[derive(Default)]
pub(super) struct Payloads {
    numbers: HashMap<Box<[u8]>, u32>,
    entries: Vec<Payload>,
    free: Vec<u32>,
    /// A key in the making.
    key: Vec<u8>,
    /// Bytes of all keys.
    bytes: usize,
    /// The number of the key asked for last.
    last: Option<u32>,
}

/// A deployment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payload {
    pub(crate) key: Box<[u8]>,
    pub(crate) container_tags: Box<[Box<str>]>,
}

impl Payloads {
    /// The number of a deployment; false when it has to share one, since there are too many.
    pub(super) fn number(&mut self, key: &PayloadKey<'_>) -> (u32, bool) {
        key::write_payload_key(key, &mut self.key);
        let last = self.last.and_then(|last| self.entries.get(last as usize).map(|e| (last, e)));
        let number = match last {
            Some((last, entry)) if *entry.key == *self.key => last,
            _ => match self.look_up() {
                Some(number) => number,
                None => return (self.overflow(), false),
            },
        };
        self.last = Some(number);
        if !key.container_id.is_empty()
            && !key.container_tags.is_empty()
            && let Some(entry) = self.entries.get_mut(number as usize)
            && !entry.container_tags.iter().map(|tag| &**tag).eq(key.container_tags.iter().copied())
        {
            entry.container_tags = key.container_tags.iter().map(|tag| (*tag).into()).collect();
        }
        (number, true)
    }

    /// The number of the deployment whose key is at hand, unless there are too many.
    fn look_up(&mut self) -> Option<u32> {
        if let Some(number) = self.numbers.get(self.key.as_slice()) {
            return Some(*number);
        }
        let has_room = self.numbers.len() < PAYLOADS_MAX
            && self.bytes.saturating_add(self.key.len()) <= BYTES_MAX;
        has_room.then(|| self.take_in())
    }

    /// The number of the deployment that others share.
    fn overflow(&mut self) -> u32 {
        key::write_payload_key(&OVERFLOW, &mut self.key);
        self.look_up().unwrap_or_else(|| self.take_in())
    }

    /// Gives a number to the deployment whose key is at hand.
    fn take_in(&mut self) -> u32 {
        self.bytes += self.key.len();
        let entry = Payload { key: self.key.as_slice().into(), ..Payload::default() };
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(slot) = self.entries.get_mut(number as usize) {
                    *slot = entry;
                }
                number
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        self.numbers.insert(self.key.as_slice().into(), number);
        number
    }

    /// Forgets the deployments that these buckets have no group of.
    pub(super) fn keep_those_of(&mut self, buckets: &[Bucket]) {
        let mut used = vec![false; self.entries.len()];
        for (key, _) in buckets.iter().flat_map(Bucket::groups) {
            let number = Reader::new(key).varint();
            if let Some(used) = number.and_then(|number| used.get_mut(number as usize)) {
                *used = true;
            }
        }
        let is_used = |number: &u32| used.get(*number as usize).copied().unwrap_or(false);
        self.numbers.retain(|_, number| is_used(number));
        self.bytes = self.numbers.keys().map(|key| key.len()).sum();
        self.free = (0..self.entries.len() as u32).filter(|number| !is_used(number)).collect();
        self.last = None;
        if self.numbers.is_empty() {
            *self = Self::default();
        }
    }

    /// The deployments by number.
    pub(super) fn entries(&self) -> &[Payload] {
        &self.entries
    }
}

/// The deployment of spans for whose own there was no room.
const OVERFLOW: PayloadKey<'static> = PayloadKey {
    env: key::BLOCKED,
    hostname: key::BLOCKED,
    version: key::BLOCKED,
    container_id: "",
    lang: "",
    git_commit_sha: "",
    image_tag: "",
    base_service: "",
    container_tags: &[],
};
