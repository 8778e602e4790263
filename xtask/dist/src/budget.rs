//! How big things may be, from `dist/budget.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::binary::{Arch, Binary};
use crate::failure::{About, Failure};
use crate::project;
use crate::selection::{self, Distribution};

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
    /// Reads `dist/budget.toml`.
    ///
    /// # Errors
    /// A file that cannot be read, or limits of what is never made.
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = project::root().join("dist/budget.toml");
        let budget: Self = toml::from_str(&project::read_text(&path)?).at(&path)?;
        let mut builds = BTreeMap::new();
        for name in selection::names()? {
            // Others may be half written; they are not asked.
            let binaries = match budget.0.contains_key(&name) {
                true => Distribution::read(&name)?.binaries,
                false => BTreeMap::new(),
            };
            builds.insert(name, binaries.keys().map(|binary| binary.name()).collect());
        }
        budget.check(&builds).at(&path)?;
        Ok(budget)
    }

    /// Whether all limits are for one of these distributions, and a binary that it builds.
    fn check(&self, builds: &BTreeMap<String, Vec<&str>>) -> Result<(), Failure> {
        for (distribution, binaries) in &self.0 {
            let Some(built) = builds.get(distribution) else {
                let known: Vec<&str> = builds.keys().map(String::as_str).collect();
                return Err(Failure::new(format!(
                    "[{distribution}] limits nothing: there is no distribution {distribution}; there are {}",
                    known.join(", ")
                )));
            };
            if let Some(other) = binaries.keys().find(|name| !built.contains(&name.as_str())) {
                return Err(Failure::new(format!(
                    "[{distribution}.{other}] limits nothing: {distribution} builds {}",
                    built.join(" and ")
                )));
            }
        }
        Ok(())
    }

    /// What is over a limit, and which limits hold for nothing that is linked. A distribution without limits is over none.
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
        for unknown in limits.crates.keys().filter(|name| !is_linked(name, measured)) {
            let near = |name: &&str| strsim::damerau_levenshtein(name, unknown);
            let linked = measured.crates.iter().map(|(name, _)| name.as_str());
            let nearest = linked.min_by_key(near).filter(|name| near(name) <= 3);
            let hint = nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
            excesses.push(format!(
                "{distribution}, {name}, {}: the limit of {unknown} holds for nothing, as no such crate is linked{hint}",
                measured.arch
            ));
        }
        excesses
    }
}

/// Whether a name is one that sizes are listed under. Without a list, it may be.
fn is_linked(name: &str, measured: &Measured<'_>) -> bool {
    measured.crates.is_empty() || measured.crates.iter().any(|(owner, _)| owner == name)
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
    fn a_limit_of_a_crate_that_is_not_linked_is_told() {
        let text = "[mine.hikyaku]\nbinary = 9\npacked = 9\ncrate = 9\ncrates = { tokoi = 9, std = 9, aws_lc = 9 }\n";
        let budget: Budget = toml::from_str(text).unwrap();
        let crates = [("std".to_owned(), 3), ("tokio".to_owned(), 2)];
        let mut measured = Measured {
            binary: Binary::Agent,
            arch: Arch::Amd64,
            binary_bytes: 5,
            packed_bytes: 5,
            crates: &crates,
        };
        let [aws, tokio] = &budget.excesses("mine", &measured)[..] else { panic!() };
        assert!(aws.contains("the limit of aws_lc holds for nothing"), "{aws}");
        assert!(!aws.contains("did you mean"), "{aws}");
        assert!(tokio.contains("tokoi") && tokio.contains("did you mean tokio?"), "{tokio}");
        measured.crates = &[];
        assert!(budget.excesses("mine", &measured).is_empty());
    }

    #[test]
    fn limits_of_what_is_never_made_are_refused() {
        let builds = BTreeMap::from([
            ("agent".to_owned(), vec!["hikyaku"]),
            ("mine".to_owned(), vec!["hikyaku", "hikyaku-lambda"]),
        ]);
        for (section, expected) in [
            ("agnet.hikyaku", "there is no distribution agnet; there are agent, mine"),
            ("agent.hikyaku-lambda", "agent builds hikyaku"),
            ("mine.hikyaku_lambda", "mine builds hikyaku and hikyaku-lambda"),
        ] {
            let text = format!("[{section}]\nbinary = 1\npacked = 1\ncrate = 1\n");
            let budget: Budget = toml::from_str(&text).unwrap();
            let error = budget.check(&builds).unwrap_err().to_string();
            assert!(error.contains("limits nothing") && error.contains(expected), "{error}");
        }
        let text = "[mine.hikyaku-lambda]\nbinary = 1\npacked = 1\ncrate = 1\n";
        toml::from_str::<Budget>(text).unwrap().check(&builds).unwrap();
    }

    #[test]
    fn the_projects_own_budget_can_be_read() {
        let budget = Budget::read().unwrap();
        assert!(budget.0.contains_key("agent"), "{budget:?}");
    }
}
