//! The groups of one time bucket, at most as many as the caps allow.

use std::collections::{HashMap, HashSet};

use std::hash::RandomState;

use super::input::StatSpan;
use super::key::{BLOCKED, GroupKey};
use super::sketch::{Bins, Sketch};

/// How much one bucket may tell apart. What comes beyond that is counted under `tracer_blocked_value`. The kinds are those of libdatadog
/// (`libdd-trace-stats`), which counts for one process; the numbers are for a gateway that counts for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Groups.
    pub groups: usize,
    /// Resources.
    pub resources: usize,
    /// HTTP endpoints.
    pub http_endpoints: usize,
    /// Combinations of peer tags.
    pub peer_tags: usize,
    /// Bytes of all buckets; beyond that no bucket takes new groups.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups: 50_000,
            resources: 20_000,
            http_endpoints: 10_000,
            peer_tags: 10_000,
            bytes: 64 << 20,
        }
    }
}

/// Spans that a cap kept out of a group of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collapsed {
    /// Spans of deployments that there was no room for.
    pub payloads: u64,
    /// Spans for whose group there was no room.
    pub groups: u64,
    /// Spans whose resource there was no room for.
    pub resources: u64,
    /// Spans whose HTTP endpoint there was no room for.
    pub http_endpoints: u64,
    /// Spans whose peer tags there was no room for.
    pub peer_tags: u64,
}

impl Collapsed {
    /// Spans of any of the kinds; one that is of several counts as many times.
    pub fn total(&self) -> u64 {
        self.payloads + self.groups + self.resources + self.http_endpoints + self.peer_tags
    }
}

/// One bucket.
pub(crate) struct Bucket {
    /// Where it begins, in nanoseconds since 1970.
    pub(crate) start: u64,
    groups: HashMap<Box<[u8]>, Group, RandomState>,
    /// Hashes of the values let in so far. Two values with one hash would let in one more than the cap says.
    resources: HashSet<u64, RandomState>,
    http_endpoints: HashSet<u64, RandomState>,
    peer_tags: HashSet<u64, RandomState>,
}

/// What is counted of a group. Weights make halves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) hits: f64,
    pub(crate) errors: f64,
    pub(crate) duration: f64,
    pub(crate) top_level_hits: f64,
    pub(crate) ok: Sketch,
    pub(crate) failed: Sketch,
}

/// What all buckets share.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) bins: Bins,
    pub(crate) hash: RandomState,
    pub(crate) collapsed: Collapsed,
    /// Bytes of all buckets.
    pub(crate) bytes: usize,
    /// A key in the making.
    pub(crate) key: Vec<u8>,
}

impl Bucket {
    pub(crate) fn new(start: u64, hash: &RandomState) -> Self {
        Self {
            start,
            groups: HashMap::with_hasher(hash.clone()),
            resources: HashSet::with_hasher(hash.clone()),
            http_endpoints: HashSet::with_hasher(hash.clone()),
            peer_tags: HashSet::with_hasher(hash.clone()),
        }
    }

    /// Counts a span of the deployment numbered `payload`.
    #[inline]
    pub(crate) fn add(&mut self, payload: u32, span: &StatSpan<'_>, shared: &mut Shared) {
        GroupKey::of(span).write(payload, &mut shared.key);
        if let Some(group) = self.groups.get_mut(shared.key.as_slice()) {
            let grown = group.add(span, &shared.bins);
            shared.bytes = shared.bytes.saturating_add_signed(grown);
            return;
        }
        self.add_new(payload, span, shared);
    }

    /// A span that is the first of its group, or has none of its own.
    #[inline(never)]
    fn add_new(&mut self, payload: u32, span: &StatSpan<'_>, shared: &mut Shared) {
        let (limits, mut key) = (shared.limits, GroupKey::of(span));
        let (hash, collapsed) = (&shared.hash, &mut shared.collapsed);
        let admit = |set: &mut HashSet<u64, RandomState>, max: usize, value: u64| {
            set.contains(&value) || (set.len() < max && set.insert(value))
        };
        let hash_of = |value: &str| std::hash::BuildHasher::hash_one(hash, value);
        if !admit(&mut self.resources, limits.resources, hash_of(key.resource)) {
            key.resource = BLOCKED;
            collapsed.resources += 1;
        }
        if !key.http_endpoint.is_empty()
            && !admit(&mut self.http_endpoints, limits.http_endpoints, hash_of(key.http_endpoint))
        {
            key.http_endpoint = BLOCKED;
            collapsed.http_endpoints += 1;
        }
        let peers = std::hash::BuildHasher::hash_one(hash, key.peer_tags);
        if !key.peer_tags.is_empty() && !admit(&mut self.peer_tags, limits.peer_tags, peers) {
            key.peer_tags = GroupKey::OVERFLOW.peer_tags;
            collapsed.peer_tags += 1;
        }
        key.write(payload, &mut shared.key);
        let has_room = self.groups.len() < limits.groups && shared.bytes < limits.bytes;
        if !has_room && !self.groups.contains_key(shared.key.as_slice()) {
            collapsed.groups += 1;
            GroupKey::OVERFLOW.write(payload, &mut shared.key);
        }
        if !self.groups.contains_key(shared.key.as_slice()) {
            shared.bytes += bytes_of(&shared.key, &Group::default());
            self.groups.insert(shared.key.as_slice().into(), Group::default());
        }
        if let Some(group) = self.groups.get_mut(shared.key.as_slice()) {
            let grown = group.add(span, &shared.bins);
            shared.bytes = shared.bytes.saturating_add_signed(grown);
        }
    }

    /// Its groups with their keys.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(key, group)| (&**key, group))
    }

    /// Bytes that it takes, as counted in [`Shared::bytes`].
    pub(crate) fn bytes(&self) -> usize {
        self.groups.iter().map(|(key, group)| bytes_of(key, group)).sum()
    }
}

impl Group {
    /// Counts a span. Returns the bytes that the group grew by.
    #[inline]
    fn add(&mut self, span: &StatSpan<'_>, bins: &Bins) -> isize {
        let weight = if span.weight >= 1.0 { span.weight } else { 1.0 };
        self.hits += weight;
        self.duration += span.duration as f64 * weight;
        if span.top_level {
            self.top_level_hits += weight;
        }
        // Not weighted, as upstream: quantiles of a fair sample are those of the whole.
        if span.error {
            self.errors += weight;
            self.failed.add(bins, span.duration)
        } else {
            self.ok.add(bins, span.duration)
        }
    }
}

/// Bytes of a group and its entry, slack of the table included.
fn bytes_of(key: &[u8], group: &Group) -> usize {
    let entry = size_of::<Box<[u8]>>() + size_of::<Group>();
    key.len() + entry + entry / 2 + group.ok.bytes() + group.failed.bytes()
}
