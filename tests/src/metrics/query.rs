//! Queries as the documentation shows them, with the meaning that they have in PromQL, as far as it goes: families that are
//! added up by labels, and the sums added and subtracted.

use std::collections::{BTreeMap, BTreeSet};

use super::Metrics;

/// `sum by (label, …) (family)`, with others of its kind added or subtracted.
#[derive(Clone, Debug)]
pub struct Query {
    terms: Vec<Term>,
}

/// A value for each combination of labels.
pub type Result = BTreeMap<BTreeSet<(String, String)>, f64>;

#[derive(Clone, Debug)]
struct Term {
    sign: f64,
    by: Vec<String>,
    family: String,
}

impl Query {
    /// Reads a query.
    ///
    /// # Panics
    ///
    /// When it is not of this form.
    pub fn parse(text: &str) -> Self {
        let (mut terms, mut rest, mut sign) = (Vec::new(), text.trim(), 1.0);
        loop {
            let (term, after) = Term::parse(sign, rest)
                .unwrap_or_else(|| panic!("not \"sum by (…) (…)\": {rest:?} in:\n{text}"));
            terms.push(term);
            let after = after.trim();
            (sign, rest) = match (after.strip_prefix('-'), after.strip_prefix('+')) {
                (Some(rest), _) => (-1.0, rest),
                (_, Some(rest)) => (1.0, rest),
                (None, None) if after.is_empty() => return Self { terms },
                (None, None) => panic!("neither an end nor a sign: {after:?} in:\n{text}"),
            };
        }
    }

    /// What it gives for a scrape. As in PromQL, a combination of labels that one of the terms does not have is not in the result.
    pub fn evaluate(&self, metrics: &Metrics) -> Result {
        let mut terms = self.terms.iter().map(|term| term.evaluate(metrics));
        let mut result = terms.next().unwrap_or_default();
        for term in terms {
            result.retain(|labels, _| term.contains_key(labels));
            for (labels, value) in &mut result {
                *value += term.get(labels).copied().unwrap_or(f64::NAN);
            }
        }
        result
    }
}

impl Term {
    fn parse(sign: f64, text: &str) -> Option<(Self, &str)> {
        let rest = text.trim_start().strip_prefix("sum")?.trim_start().strip_prefix("by")?;
        let (by, rest) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
        let (family, rest) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        let by: Vec<String> = by.split(',').map(|label| label.trim().to_owned()).collect();
        let family = family.trim().to_owned();
        let is_sound = is_name(&family) && by.iter().all(|label| is_name(label));
        is_sound.then_some((Self { sign, by, family }, rest))
    }

    fn evaluate(&self, metrics: &Metrics) -> Result {
        let mut sums = Result::new();
        for sample in metrics.samples.iter().filter(|sample| sample.name == self.family) {
            let labels = sample.labels.iter();
            let labels = labels.filter(|(name, value)| self.by.contains(name) && !value.is_empty());
            *sums.entry(labels.cloned().collect()).or_default() += self.sign * sample.value;
        }
        sums
    }
}
