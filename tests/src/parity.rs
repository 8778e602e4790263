//! Parity with the reference Collector: what we send, compared by meaning with what was recorded of it (`tests/parity`), and the
//! list of the differences that there are meant to be.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

pub mod awsxray;
pub mod datadog;
mod keeper;
mod listed;

pub use keeper::Keeper;
pub use listed::{Listed, Unreadable};

/// Texts and lists that are sets of tags.
const TAGS: [&str; 4] = ["tags", "peer_tags", "ddtags", "_dd.tags.container"];
/// How far the middle of a bin of one sketch may be from that of the other one's that holds the same value: both promise 1 %.
const BINS_APART: f64 = 0.022;
/// Doubles are the same but for their last digits.
const DIGITS_APART: f64 = 1e-9;

/// One place at which two values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Keys and places in lists, with `/` between them. Where a list has no order it is the place in the reference.
    pub path: String,
    /// Ours; nothing when it is not there.
    pub ours: Option<Value>,
    /// The reference; nothing when it is not there.
    pub reference: Option<Value>,
}

/// How values are compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// A member with the default of its type is the same as none, as on a wire with protobuf.
    pub defaults_are_absent: bool,
}

impl Comparison {
    /// All differences of two values.
    ///
    /// Objects are compared by their keys. Lists of objects have no order, nor have tags: each member is compared with the one of the other
    /// list that it is most alike. A text that is a JSON object or list is compared as that, and sketches of durations by their values.
    pub fn differences(self, ours: &Value, reference: &Value) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare("", ours, reference, &mut found);
        found
    }

    fn compare(self, path: &str, ours: &Value, reference: &Value, found: &mut Vec<Difference>) {
        if self.defaults_are_absent && is_default(ours) && is_default(reference) {
            return;
        }
        let key = path.rsplit('/').next().unwrap_or(path);
        match (ours, reference) {
            (Value::Object(ours), Value::Object(reference)) => {
                self.compare_objects(path, ours, reference, found);
                return;
            }
            (Value::Array(ours), Value::Array(reference)) if TAGS.contains(&key) => {
                compare_sets(path, texts(ours), texts(reference), found);
                return;
            }
            (Value::Array(ours), Value::Array(reference)) => {
                self.compare_lists(path, ours, reference, found);
                return;
            }
            (Value::String(ours), Value::String(reference)) if TAGS.contains(&key) => {
                compare_sets(path, tags(ours), tags(reference), found);
                return;
            }
            (Value::String(ours), Value::String(reference)) => {
                if let (Some(ours), Some(reference)) = (document(ours), document(reference)) {
                    self.compare(path, &ours, &reference, found);
                    return;
                }
            }
            _ => {}
        }
        if !is_same(ours, reference) {
            found.push(Difference::new(path, Some(ours), Some(reference)));
        }
    }

    fn compare_objects(
        self,
        path: &str,
        ours: &Map<String, Value>,
        reference: &Map<String, Value>,
        found: &mut Vec<Difference>,
    ) {
        if let (Some(ours), Some(reference)) = (durations(ours), durations(reference)) {
            if !are_near(&ours, &reference) {
                found.push(Difference::new(path, Some(&ours.into()), Some(&reference.into())));
            }
            return;
        }
        let keys: BTreeSet<&String> = ours.keys().chain(reference.keys()).collect();
        for key in keys {
            let path = inside(path, key);
            match (ours.get(key), reference.get(key)) {
                (Some(ours), Some(reference)) => self.compare(&path, ours, reference, found),
                (Some(one), None) | (None, Some(one))
                    if self.defaults_are_absent && is_default(one) => {}
                (ours, reference) => found.push(Difference::new(&path, ours, reference)),
            }
        }
    }

    fn compare_lists(
        self,
        path: &str,
        ours: &[Value],
        reference: &[Value],
        found: &mut Vec<Difference>,
    ) {
        if !ours.iter().chain(reference).all(Value::is_object) {
            let in_order = ours.iter().zip(reference).enumerate();
            if ours.len() == reference.len() {
                for (place, (ours, reference)) in in_order {
                    self.compare(&inside(path, &place.to_string()), ours, reference, found);
                }
            } else {
                let lists = (Value::from(ours), Value::from(reference));
                found.push(Difference::new(path, Some(&lists.0), Some(&lists.1)));
            }
            return;
        }
        let mut pairs = Vec::new();
        for (left, ours) in ours.iter().enumerate() {
            for (right, reference) in reference.iter().enumerate() {
                let differences = self.differences(ours, reference).len();
                pairs.push((differences, left.abs_diff(right), left, right));
            }
        }
        pairs.sort_unstable();
        let (mut taken_left, mut taken_right) = (BTreeSet::new(), BTreeSet::new());
        for (_, _, left, right) in pairs {
            if taken_left.contains(&left) || taken_right.contains(&right) {
                continue;
            }
            taken_left.insert(left);
            taken_right.insert(right);
            if let (Some(ours), Some(reference)) = (ours.get(left), reference.get(right)) {
                self.compare(&inside(path, &right.to_string()), ours, reference, found);
            }
        }
        for (place, ours) in ours.iter().enumerate().filter(|(at, _)| !taken_left.contains(at)) {
            found.push(Difference::new(&inside(path, &format!("+{place}")), Some(ours), None));
        }
        for (place, reference) in
            reference.iter().enumerate().filter(|(at, _)| !taken_right.contains(at))
        {
            found.push(Difference::new(&inside(path, &place.to_string()), None, Some(reference)));
        }
    }
}

impl Difference {
    fn new(path: &str, ours: Option<&Value>, reference: Option<&Value>) -> Self {
        Self { path: path.to_owned(), ours: ours.cloned(), reference: reference.cloned() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(value) => {
                let text = value.to_string();
                let shown: String = text.chars().take(200).collect();
                if shown.len() < text.len() { format!("{shown}...") } else { shown }
            }
        };
        write!(f, "{}: ours {}, reference {}", self.path, shown(&self.ours), shown(&self.reference))
    }
}

fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}/{key}") }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.values().all(is_default),
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= DIGITS_APART * a.abs().max(b.abs())
        }
        (a, b) => a == b,
    }
}

/// The JSON object or list that a text is.
fn document(text: &str) -> Option<Value> {
    let begins = text.starts_with('{') || text.starts_with('[');
    serde_json::from_str(text).ok().filter(|_| begins)
}

fn tags(text: &str) -> BTreeSet<String> {
    text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn texts(values: &[Value]) -> BTreeSet<String> {
    values
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect()
}

fn compare_sets(
    path: &str,
    ours: BTreeSet<String>,
    reference: BTreeSet<String>,
    found: &mut Vec<Difference>,
) {
    for tag in ours.difference(&reference) {
        found.push(Difference::new(&inside(path, tag), Some(&tag.as_str().into()), None));
    }
    for tag in reference.difference(&ours) {
        found.push(Difference::new(&inside(path, tag), None, Some(&tag.as_str().into())));
    }
}

/// The values of a sketch in ascending order, each the middle of its bin; nothing for any other object.
fn durations(object: &Map<String, Value>) -> Option<Vec<f64>> {
    let (gamma, bins) = (object.get("gamma")?.as_f64()?, object.get("bins")?.as_object()?);
    let offset = object.get("indexOffset").and_then(Value::as_f64).unwrap_or_default();
    let zeros = object.get("zeroCount").and_then(Value::as_f64).unwrap_or_default();
    let mut values = vec![0.0; zeros as usize];
    for (index, count) in bins {
        let from = gamma.powf(index.parse::<f64>().ok()? - offset);
        values.extend(vec![from * 2.0 * gamma / (gamma + 1.0); count.as_f64()? as usize]);
    }
    values.sort_by(f64::total_cmp);
    Some(values)
}

fn are_near(ours: &[f64], reference: &[f64]) -> bool {
    let near = |(a, b): (&f64, &f64)| a == b || (a / b - 1.0).abs() < BINS_APART;
    ours.len() == reference.len() && ours.iter().zip(reference).all(near)
}
