//! Upstream's keys: each is carried out, warned about, or refused by name; and no component has a key that is neither upstream's nor
//! listed as ours.
//!
//! The keys are data, `testdata/keys`; each is put into a config alone and judged by what `hikyaku validate` says of it.

use std::collections::BTreeSet;

use tests::agent::Setup;
use tests::parts::project;

mod catalogue;
mod judge;
mod tree;

use catalogue::{Case, Catalogue, Verdict};
use judge::Judged;

/// A key that nobody has.
const UNHEARD_OF: &str = "zzzzzzzz";

#[test]
fn every_key_of_the_collector_is_carried_out_warned_about_or_refused_by_name() {
    let mut complaints = Vec::new();
    let mut judged = 0;
    for catalogue in catalogues() {
        let trees = catalogue.cases.iter().map(Case::tree).collect();
        for (case, said) in catalogue.cases.iter().zip(judge::judge(&catalogue, trees)) {
            judged += 1;
            if let Some(complaint) = complaint(&catalogue, case, &said) {
                complaints.push(format!("{}: {}: {complaint}", catalogue.name, case.path));
            }
        }
    }
    assert_none(&complaints);
    assert!(judged > 700, "only {judged} keys were found");
}

#[test]
fn no_component_knows_a_key_that_is_not_listed() {
    let mut complaints = Vec::new();
    for catalogue in catalogues() {
        let sections = catalogue.sections();
        let trees = sections.iter().map(|section| section.with_key(UNHEARD_OF)).collect();
        for (section, said) in sections.iter().zip(judge::judge(&catalogue, trees)) {
            let place = format!("{}: {}", catalogue.name, section.path);
            match said.known_keys() {
                Some(known) => {
                    let surplus = known.into_iter().filter(|key| !section.keys.contains(key));
                    complaints.extend(surplus.map(|key| format!("{place}: knows {key}")));
                }
                None if section.is_carried => {
                    complaints.push(format!("{place}: takes a key that nobody has\n{said}"));
                }
                None => {}
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_component_has_its_keys_listed() {
    let listed: BTreeSet<String> =
        catalogues().iter().filter_map(|catalogue| catalogue.component()).collect();
    let ended = Setup::bare().arguments(["components"]).run();
    let mut kind = "";
    let mut contained = BTreeSet::new();
    for line in ended.stdout.lines() {
        match line.trim_start().strip_prefix("- name: ") {
            Some(name) => {
                contained.insert(format!("{kind}/{name}"));
            }
            None if line.starts_with(' ') => {}
            None => kind = line.trim_end_matches(':'),
        }
    }
    contained.retain(|component| !component.starts_with("providers/"));
    assert_eq!(listed, contained, "the lists in tests/testdata/keys, and the agent's components");
}

#[test]
fn every_settings_table_has_the_keys_that_are_carried_out() {
    let mut complaints = Vec::new();
    for catalogue in catalogues() {
        let Some(component) = catalogue.component() else { continue };
        let words = settings_words(&component);
        let carried = catalogue.cases.iter().filter(|case| case.verdict.is_carried());
        let keys: BTreeSet<&str> = carried.map(|case| case.path.top()).collect();
        let missing = keys.into_iter().filter(|key| !words.contains(*key));
        complaints.extend(missing.map(|key| format!("{component}/README.md: {key}")));
    }
    assert_none(&complaints);
}

/// What is wrong with what was said of a key.
fn complaint(catalogue: &Catalogue, case: &Case, said: &Judged) -> Option<String> {
    if said.known_keys().is_some() {
        return Some(format!("is unknown\n{said}"));
    }
    let is_named = |severity| said.of(severity).any(|d| catalogue.is_about(case, d));
    let is_right = match case.verdict {
        Verdict::Carried | Verdict::Ours => said.is_empty(),
        Verdict::Warned => said.of("error").next().is_none() && is_named("warning"),
        Verdict::Refused => is_named("error"),
    };
    (!is_right).then(|| format!("is not {:?}\n{said}", case.verdict))
}

fn catalogues() -> Vec<Catalogue> {
    Catalogue::all(&project().join("tests/testdata/keys"))
}

/// The words of the first column of the tables in a component's section on settings. `{a,b}_c` is `a_c` and `b_c`.
fn settings_words(component: &str) -> BTreeSet<String> {
    let readme = std::fs::read_to_string(project().join(component).join("README.md"));
    let readme = readme.unwrap_or_default();
    let settings = readme.split("## Settings").nth(1).unwrap_or_default();
    let settings = settings.split("\n## ").next().unwrap_or_default();
    let cells = settings.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut words = BTreeSet::new();
    for span in spans {
        if let Some((names, end)) = span.split_once('{').and_then(|(_, rest)| rest.split_once('}'))
        {
            words.extend(names.split(',').map(|name| format!("{}{end}", name.trim())));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        words.extend(span.split(|c| !is_word(c)).map(str::to_owned));
    }
    words
}

/// Fails with every complaint at once.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} keys:\n{}", complaints.len(), complaints.join("\n"));
}
