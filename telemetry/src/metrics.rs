//! Counters, gauges and histograms, and the registry that knows them all.
//!
//! A component asks the registry once for each series and keeps the handle: counting is one relaxed atomic operation on
//! it, without a lock or a look-up. Asking again for the same family and labels gives a handle on the same number, so a
//! count survives a reload that builds the component anew. Values that exist elsewhere (a queue's length, the process's
//! memory) are read by a callback when someone looks.
//!
//! Label values come from the configuration or from a closed set ([`names`](crate::names)), which bounds the number of
//! series; a value taken from a payload would be unbounded and is a defect.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use crate::names::{CounterFamily, Family, GaugeFamily, HistogramFamily, Label};

/// All series of the process. Clones share them.
#[derive(Clone, Default)]
pub struct Registry {
    state: Arc<Mutex<State>>,
}

impl Registry {
    /// A registry without series.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of a family with these labels, made on first use. A label that is left out, or has an empty value, is
    /// not exposed.
    ///
    /// # Panics
    ///
    /// In debug builds, when a label does not belong to the family.
    pub fn counter(&self, family: &'static CounterFamily, labels: &[(Label, &str)]) -> Counter {
        let mut state = self.lock();
        obtain(&mut state.counters, &family.0, labels, Counter::default)
    }

    /// The gauge of a family with these labels, made on first use.
    ///
    /// # Panics
    ///
    /// As [`Registry::counter`].
    pub fn gauge(&self, family: &'static GaugeFamily, labels: &[(Label, &str)]) -> Gauge {
        let mut state = self.lock();
        obtain(&mut state.gauges, &family.0, labels, Gauge::default)
    }

    /// The histogram of a family with these labels, made on first use.
    ///
    /// # Panics
    ///
    /// As [`Registry::counter`].
    pub fn histogram(
        &self,
        family: &'static HistogramFamily,
        labels: &[(Label, &str)],
    ) -> Histogram {
        self.histogram_of(&family.0, labels)
    }

    /// Exposes a counter that `read` tells, until the returned guard is dropped. `None` leaves the series out. `read` must
    /// be quick: it runs while a scrape waits, outside the registry's lock.
    ///
    /// # Panics
    ///
    /// As [`Registry::counter`].
    pub fn counter_fn(
        &self,
        family: &'static CounterFamily,
        labels: &[(Label, &str)],
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Registration {
        self.callback(&family.0, labels, Arc::new(read))
    }

    /// Exposes a gauge that `read` tells, until the returned guard is dropped; as [`Registry::counter_fn`].
    ///
    /// # Panics
    ///
    /// As [`Registry::counter`].
    pub fn gauge_fn(
        &self,
        family: &'static GaugeFamily,
        labels: &[(Label, &str)],
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Registration {
        self.callback(&family.0, labels, Arc::new(read))
    }

    /// Sets the attributes of the `target_info` series; none at all leaves it out.
    pub fn set_resource(&self, attributes: Vec<(String, String)>) {
        self.lock().resource = attributes;
    }

    /// Reads every series. The numbers are read one after the other while others count on.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (mut snapshot, callbacks) = {
            let state = self.lock();
            let mut samples = Vec::new();
            for (key, counter) in &state.counters {
                samples.push(key.sample(Reading::Number(counter.get() as f64)));
            }
            for (key, gauge) in &state.gauges {
                samples.push(key.sample(Reading::Number(gauge.get() as f64)));
            }
            for (key, histogram) in &state.histograms {
                samples.push(key.sample(histogram.read()));
            }
            let callbacks: Vec<_> = state.callbacks.values().cloned().collect();
            (Snapshot { resource: state.resource.clone(), samples }, callbacks)
        };
        for (key, read) in callbacks {
            if let Some(number) = read() {
                snapshot.samples.push(key.sample(Reading::Number(number)));
            }
        }
        snapshot
    }

    pub(crate) fn histogram_of(
        &self,
        family: &'static Family,
        labels: &[(Label, &str)],
    ) -> Histogram {
        let mut state = self.lock();
        obtain(&mut state.histograms, family, labels, || Histogram::new(family.bounds))
    }

    pub(crate) fn callback(
        &self,
        family: &'static Family,
        labels: &[(Label, &str)],
        read: Callback,
    ) -> Registration {
        let key = Key::new(family, labels);
        let mut state = self.lock();
        let id = state.next_callback;
        state.next_callback += 1;
        let _: Option<_> = state.callbacks.insert(id, (key, read));
        Registration { state: Arc::downgrade(&self.state), id }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        let _: u64 = self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds one.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: i64) {
        let _: i64 = self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes `n` away.
    #[inline]
    pub fn sub(&self, n: i64) {
        let _: i64 = self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// Replaces the number.
    #[inline]
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of observations in fixed buckets, and their sum.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0) }))
    }

    /// Counts one observation.
    pub fn observe(&self, value: u64) {
        let bucket = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.0.counts.get(bucket) {
            let _: u64 = count.fetch_add(1, Ordering::Relaxed);
            let _: u64 = self.0.sum.fetch_add(value, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Reading {
        Reading::Distribution {
            counts: self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.0.sum.load(Ordering::Relaxed),
        }
    }
}

#[derive(Debug)]
struct Buckets {
    bounds: &'static [u64],
    /// One for each bound and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Keeps a callback series exposed; dropping it takes the series away. A scrape that has already begun may still call the
/// callback once.
#[must_use = "the series disappears with its registration"]
pub struct Registration {
    state: Weak<Mutex<State>>,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(state) = self.state.upgrade() {
            // What the callback owns is dropped after the lock is released.
            let _removed = lock(&state).callbacks.remove(&self.id);
        }
    }
}

/// All series at about one moment.
pub(crate) struct Snapshot {
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) samples: Vec<Sample>,
}

/// One series and its reading.
pub(crate) struct Sample {
    pub(crate) family: &'static Family,
    /// A value for each label of the family, empty where there is none.
    pub(crate) values: Vec<String>,
    pub(crate) reading: Reading,
}

/// What a series says.
pub(crate) enum Reading {
    /// Of a counter or a gauge. The exposition's numbers are 64-bit floats, so whole numbers are exact below 2^53.
    Number(f64),
    /// Of a histogram; the counts are not cumulative.
    Distribution { counts: Vec<u64>, sum: u64 },
}

pub(crate) type Callback = Arc<dyn Fn() -> Option<f64> + Send + Sync>;

#[derive(Default)]
struct State {
    resource: Vec<(String, String)>,
    counters: BTreeMap<Key, Counter>,
    gauges: BTreeMap<Key, Gauge>,
    histograms: BTreeMap<Key, Histogram>,
    callbacks: BTreeMap<u64, (Key, Callback)>,
    next_callback: u64,
}

/// Identity of a series.
#[derive(Clone)]
struct Key {
    family: &'static Family,
    values: Vec<String>,
}

impl Key {
    fn new(family: &'static Family, labels: &[(Label, &str)]) -> Self {
        for (label, _) in labels {
            debug_assert!(
                family.labels.contains(label),
                "{} has no label {}",
                family.name,
                label.name
            );
        }
        let value_of = |wanted: &Label| {
            let found = labels.iter().find(|(label, _)| label == wanted);
            found.map_or_else(String::new, |(_, value)| (*value).to_owned())
        };
        Self { family, values: family.labels.iter().map(value_of).collect() }
    }

    fn sample(&self, reading: Reading) -> Sample {
        Sample { family: self.family, values: self.values.clone(), reading }
    }

    fn order(&self) -> (&str, &[String]) {
        (self.family.name, &self.values)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

fn obtain<T: Clone>(
    series: &mut BTreeMap<Key, T>,
    family: &'static Family,
    labels: &[(Label, &str)],
    make: impl FnOnce() -> T,
) -> T {
    series.entry(Key::new(family, labels)).or_insert_with(make).clone()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // No code that can panic runs while the lock is held, and every state in between is a valid one.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
