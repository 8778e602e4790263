//! The agent's own metrics, read from its Prometheus page.

mod query;

pub use self::query::{Query, Result};
use crate::{send, wait};

/// One reading of the page.
#[derive(Clone, Debug)]
pub struct Metrics {
    samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the page.
    ///
    /// # Panics
    ///
    /// When it is not there or not in the Prometheus text format.
    pub fn read(port: u16) -> Self {
        let reply = send::get(port, "/metrics");
        assert_eq!(reply.status, 200, "the page of own metrics");
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let samples = lines.map(|line| {
            Sample::parse(line).unwrap_or_else(|| panic!("not a Prometheus sample: {line:?}"))
        });
        Self { samples: samples.collect() }
    }

    /// The sum of a metric's samples that bear all these labels; 0 when there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let bears = |sample: &&Sample| {
            labels.iter().all(|(key, value)| {
                sample.labels.iter().any(|(known, found)| known == key && found == value)
            })
        };
        self.samples
            .iter()
            .filter(|sample| sample.name == name)
            .filter(bears)
            .map(|s| s.value)
            .sum()
    }

    /// Whether the page knows the metric at all.
    pub fn has(&self, name: &str) -> bool {
        self.samples.iter().any(|sample| sample.name == name)
    }
}

/// Waits until a metric's sum has a value.
///
/// # Panics
///
/// When it has not within the patience of [`wait`].
pub fn wait_for(port: u16, name: &str, labels: &[(&str, &str)], expected: f64) {
    let mut last = f64::NAN;
    let reached = wait::within(wait::PATIENCE, || {
        last = Metrics::read(port).sum(name, labels);
        (last == expected).then_some(())
    });
    if reached.is_none() {
        panic!("waited for {name} {labels:?} to be {expected}; it is {last}");
    }
}

/// The delivery equation of one exporter, in items, added up over its pipelines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// What entered it.
    pub accepted: f64,
    /// What the backend took.
    pub delivered: f64,
    /// What the backend refused, or went back to the sender.
    pub refused: f64,
    /// What the agent gave up.
    pub dropped: f64,
    /// What is on its way.
    pub held: f64,
}

impl Branch {
    /// Reads an exporter's branch, and checks the equation.
    ///
    /// # Panics
    ///
    /// When the numbers do not add up.
    pub fn read(port: u16, exporter: &str) -> Self {
        let metrics = Metrics::read(port);
        let of = |name: &str| {
            metrics.sum(&format!("otelcol_exporter_{name}_items"), &[("exporter", exporter)])
        };
        let branch = Self {
            accepted: of("accepted"),
            delivered: of("delivered"),
            refused: of("refused"),
            dropped: of("dropped"),
            held: of("held"),
        };
        let accounted = branch.delivered + branch.refused + branch.dropped + branch.held;
        assert_eq!(branch.accepted, accounted, "the delivery equation: {branch:?}");
        branch
    }

    /// Waits until so many items have entered an exporter's branch and none is on its way any more.
    ///
    /// # Panics
    ///
    /// When that does not happen within the patience of [`wait`].
    pub fn settled(port: u16, exporter: &str, accepted: usize) -> Self {
        let mut last = None;
        let settled = wait::within(wait::PATIENCE, || {
            let branch = Self::read(port, exporter);
            last = Some(branch);
            (branch.accepted == accepted as f64 && branch.held == 0.0).then_some(branch)
        });
        settled.unwrap_or_else(|| panic!("waited for {accepted} items to settle; last: {last:?}"))
    }
}

impl Sample {
    fn parse(line: &str) -> Option<Self> {
        let (series, value) = match line.split_once('}') {
            Some((series, value)) => (series, value),
            None => line.split_once(' ')?,
        };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Some(Self {
            name: name.to_owned(),
            labels: labels_of(labels)?,
            value: value.split_whitespace().next()?.parse().ok()?,
        })
    }
}

/// Pairs of `key="value"` separated by commas; no value in the tests holds a quotation mark.
fn labels_of(text: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        labels.push((key.trim().to_owned(), value.to_owned()));
        rest = after.trim_start_matches(',');
    }
    Some(labels)
}
