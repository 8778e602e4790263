//! How big things may be, from `dist/budget.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::binary::{Arch, Binary};
use crate::failure::{About, Failure};
use crate::project;

/// Limits by distribution and binary.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Budget(BTreeMap<String, BTreeMap<String, Limits>>);

/// Limits of one binary in one distribution, in bytes, for either architecture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// The binary itself.
    binary: u64,
    /// What is downloaded: the layers of the agent's image, or the layer's zip.
    packed: u64,
    /// Any crate that has no limit of its own.
    #[serde(rename = "crate")]
    any_crate: u64,
    #[serde(default)]
    crates: BTreeMap<String, u64>,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) binary: Binary,
    pub(crate) arch: Arch,
    pub(crate) binary_bytes: u64,
    pub(crate) packed_bytes: u64,
    /// None when the binary was made elsewhere.
    pub(crate) crates: &'a [(String, u64)],
}

impl Budget {
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = project::root().join("dist/budget.toml");
        toml::from_str(&project::read_text(&path)?).at(&path)
    }

    /// What is over a limit. A distribution without limits is over none.
    pub(crate) fn excesses(&self, distribution: &str, measured: &Measured<'_>) -> Vec<String> {
        let name = measured.binary.name();
        let Some(limits) = self.0.get(distribution).and_then(|binaries| binaries.get(name)) else {
            return Vec::new();
        };
        let mut excesses = Vec::new();
        let mut check = |what: &str, bytes: u64, limit: u64| {
            if bytes > limit {
                excesses.push(format!(
                    "{distribution}, {name}, {}: {what} has {bytes} bytes, {limit} are allowed",
                    measured.arch
                ));
            }
        };
        check("the binary", measured.binary_bytes, limits.binary);
        check("what is downloaded", measured.packed_bytes, limits.packed);
        for (owner, bytes) in measured.crates {
            let limit = limits.crates.get(owner).copied().unwrap_or(limits.any_crate);
            check(owner, *bytes, limit);
        }
        excesses
    }
}

/// A table of sizes for people.
pub(crate) fn table(distribution: &str, measured: &Measured<'_>) -> String {
    let mut text = format!(
        "{distribution}: {} for {}\n{:>10}  the binary\n{:>10}  compressed, with its papers\n",
        measured.binary.name(),
        measured.arch,
        measured.binary_bytes,
        measured.packed_bytes
    );
    for (owner, bytes) in measured.crates {
        text.push_str(&format!("{bytes:>10}  {owner}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_its_limit_is_named() {
        let text = "[mine.hikyaku]\nbinary = 100\npacked = 50\ncrate = 10\ncrates = { std = 30 }\n";
        let budget: Budget = toml::from_str(text).unwrap();
        let crates = [("std".to_owned(), 30), ("tokio".to_owned(), 11), ("net".to_owned(), 10)];
        let mut measured = Measured {
            binary: Binary::Agent,
            arch: Arch::Amd64,
            binary_bytes: 101,
            packed_bytes: 50,
            crates: &crates,
        };
        let excesses = budget.excesses("mine", &measured);
        assert_eq!(
            excesses,
            [
                "mine, hikyaku, amd64: the binary has 101 bytes, 100 are allowed",
                "mine, hikyaku, amd64: tokio has 11 bytes, 10 are allowed",
            ]
        );
        assert!(budget.excesses("other", &measured).is_empty());
        measured.binary = Binary::Lambda;
        assert!(budget.excesses("mine", &measured).is_empty());
        let listed = table("mine", &measured);
        assert!(listed.contains("30  std") && listed.contains("101  the binary"), "{listed}");
    }

    #[test]
    fn the_projects_own_budget_can_be_read() {
        let budget = Budget::read().unwrap();
        assert!(budget.0.contains_key("agent"), "{budget:?}");
    }
}
