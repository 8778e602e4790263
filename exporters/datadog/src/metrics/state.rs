//! What is remembered of cumulative series: for each its last point, so that the next one is sent as the difference.
//!
//! Points are found by a hash of all that identifies a series. They are kept in two generations: what is written goes to the younger one; when
//! that is as old as a point may get, or takes half of the memory there is, the older one is forgotten and the younger one takes
//! its place. So the series that are written least recently go first, at no cost for the others.

mod forgotten;
mod point;
mod undo;

pub(crate) use point::{Buckets, Exponential, Histogram, Point, Value};
pub(crate) use undo::{Amount, Undo, Undone};

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use forgotten::Forgotten;

/// A hash of what identifies a series.
pub(crate) type Key = u128;

/// The last points of cumulative series.
#[derive(Debug)]
pub(crate) struct State {
    young: Generation,
    old: Generation,
    /// When the young generation began, in nanoseconds since 1970.
    turned: u64,
    /// How long a point counts without another, in nanoseconds.
    ttl: u64,
    /// The most bytes to take.
    limit_bytes: usize,
    /// Series forgotten for want of memory, since this was last asked.
    evicted: usize,
    forgotten: Forgotten,
}

/// What a point replaces.
#[derive(Debug, PartialEq)]
pub(crate) enum Replaced {
    /// Nothing: there is one that is as new.
    Newer,
    /// Nothing: it is the first.
    Nothing,
    /// Nothing that is still known; there may have been something.
    Forgotten,
    /// The one before it.
    Point(Point),
}

#[derive(Debug, Default)]
struct Generation {
    points: HashMap<Key, Point, BuildHasherDefault<Folded>>,
    /// What the points hold beside themselves.
    heap_bytes: usize,
}

/// Makes a map's hash of one that is there already.
#[derive(Debug, Default)]
struct Folded(u64);

impl State {
    /// Nothing yet.
    pub(crate) fn new(ttl: std::time::Duration, limit_bytes: usize) -> Self {
        let ttl = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
        let (young, old) = (Generation::default(), Generation::default());
        let forgotten = Forgotten::default();
        Self { young, old, turned: 0, ttl, limit_bytes, evicted: 0, forgotten }
    }

    /// Remembers a point of a series at a time of the clock. What it replaces is returned; a point that is no newer than the one
    /// remembered replaces nothing.
    pub(crate) fn replace(&mut self, key: Key, mut point: Point, now: u64) -> Replaced {
        self.turn(now);
        let is_alive = |point: &Point| point.seen.saturating_add(self.ttl) > now;
        point.seen = now;
        let heap_bytes = point.value.heap_bytes();
        let earlier = match self.young.points.entry(key) {
            Entry::Occupied(entry) if is_alive(entry.get()) && entry.get().time >= point.time => {
                return Replaced::Newer;
            }
            Entry::Occupied(mut entry) => {
                let earlier = entry.insert(point);
                self.young.heap_bytes -= earlier.value.heap_bytes();
                Some(earlier)
            }
            Entry::Vacant(entry) => match self.old.remove(key) {
                Some(earlier) if is_alive(&earlier) && earlier.time >= point.time => {
                    self.young.heap_bytes += earlier.value.heap_bytes();
                    entry.insert(earlier);
                    return Replaced::Newer;
                }
                earlier => {
                    entry.insert(point);
                    earlier
                }
            },
        };
        self.young.heap_bytes += heap_bytes;
        match earlier {
            Some(earlier) if is_alive(&earlier) => Replaced::Point(earlier),
            Some(_) => Replaced::Forgotten,
            None if self.forgotten.may_contain(key) => Replaced::Forgotten,
            None => Replaced::Nothing,
        }
    }

    /// When the last of the series was forgotten of which it is not known any more which they were, in nanoseconds since 1970.
    pub(crate) fn forgot(&self) -> u64 {
        self.forgotten.since()
    }

    /// The value of the point that was remembered last for a series.
    pub(crate) fn value_mut(&mut self, key: Key) -> Option<&mut Value> {
        self.young.points.get_mut(&key).map(|point| &mut point.value)
    }

    /// Takes back what was sent for a point and has not arrived: the next point's difference is larger by it.
    pub(crate) fn take_back(&mut self, undone: Undone) {
        for generation in [&mut self.young, &mut self.old] {
            let Some(point) = generation.points.get_mut(&undone.key) else { continue };
            // After a reset the series counts from zero again, and what came before it is gone.
            if point.start != undone.start {
                return;
            }
            let is_last = point.time == undone.time;
            match undone.before {
                None if is_last => drop(generation.remove(undone.key)),
                before => {
                    point.value.subtract(&undone.amount);
                    if let Some(before) = before.filter(|_| is_last) {
                        point.time = before;
                    }
                }
            }
            return;
        }
    }

    /// Bytes taken.
    pub(crate) fn bytes(&self) -> usize {
        self.young.bytes() + self.old.bytes() + self.forgotten.bytes()
    }

    /// Series remembered, those included that are too old to count.
    pub(crate) fn len(&self) -> usize {
        self.young.points.len() + self.old.points.len()
    }

    /// Series forgotten for want of memory, since this was last asked.
    pub(crate) fn take_evicted(&mut self) -> usize {
        std::mem::take(&mut self.evicted)
    }

    /// Begins a new generation when it is time for one.
    fn turn(&mut self, now: u64) {
        let is_full = self.young.next_bytes() > self.limit_bytes / 2;
        if now.saturating_sub(self.turned) < self.ttl && !is_full {
            return;
        }
        let alive = |point: &Point| point.seen.saturating_add(self.ttl) > now;
        self.evicted += self.old.points.values().filter(|point| alive(point)).count();
        self.old.points.keys().for_each(|key| self.forgotten.add(*key, now));
        self.old = std::mem::take(&mut self.young);
        self.turned = now;
    }
}

impl Generation {
    fn remove(&mut self, key: Key) -> Option<Point> {
        let point = self.points.remove(&key)?;
        self.heap_bytes -= point.value.heap_bytes();
        Some(point)
    }

    fn bytes(&self) -> usize {
        self.table_bytes() + self.heap_bytes
    }

    /// Bytes that it takes with one more series. A full table doubles.
    fn next_bytes(&self) -> usize {
        let is_full = self.points.len() == self.points.capacity();
        self.bytes() + if is_full { self.table_bytes() } else { 0 }
    }

    fn table_bytes(&self) -> usize {
        // A table has an eighth of its places free, and a byte for each.
        self.points.capacity() / 7 * 8 * (size_of::<(Key, Point)>() + 1)
    }
}

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

#[cfg(test)]
mod tests;
