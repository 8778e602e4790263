//! Tests of the table of metrics, and of the README that shows it.

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_are_unique_valid_and_carry_one_of_the_two_prefixes() {
    let mut seen = BTreeSet::new();
    for family in all() {
        let name = family.name;
        assert!(seen.insert(name), "{name} is declared twice");
        assert!(name.starts_with("otelcol_") || name.starts_with("hikyaku_"), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        let suffixes = ["_total", "_bucket", "_sum", "_count"];
        assert!(!suffixes.iter().any(|suffix| name.ends_with(suffix)), "{name}");
        assert!(family.level > MetricsLevel::None, "{name} is exposed at level none");
        assert!(family.help.ends_with('.'), "{name}: the help is a sentence");
    }
    assert!(seen.len() > 50, "the walk over the table found only {} families", seen.len());
}

#[test]
fn labels_are_valid_and_listed_once() {
    for family in all() {
        let labels: BTreeSet<&str> = family.labels.iter().map(|label| label.name).collect();
        assert_eq!(labels.len(), family.labels.len(), "{} lists a label twice", family.name);
        assert!(!labels.contains("le"), "{}: le belongs to histograms", family.name);
        for label in labels {
            assert!(label.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{label}");
        }
    }
}

#[test]
fn histograms_and_only_they_have_bounds_that_ascend() {
    for family in all() {
        assert_eq!(family.bounds.is_empty(), family.kind != Kind::Histogram, "{}", family.name);
        assert!(family.bounds.is_sorted_by(|a, b| a < b), "{}", family.name);
    }
}

#[test]
fn a_family_of_seconds_or_bytes_says_so_in_its_name_once_units_are_asked_for() {
    let (mut seen, suffixes) = (0, Suffixes { counter: false, unit: true });
    for family in all() {
        let name = family.name_with(suffixes);
        let words = family.help.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
        for unit in words.filter(|word| ["seconds", "bytes"].contains(&word.as_str())) {
            seen += 1;
            assert_eq!(name.matches(&unit).count(), 1, "{name}: {}", family.help);
        }
    }
    assert!(seen >= 7, "only {seen} units were found");
}

#[test]
fn an_item_leads_to_the_family_named_after_it() {
    let cases = [
        (Item::Spans, "spans"),
        (Item::MetricPoints, "metric_points"),
        (Item::LogRecords, "log_records"),
    ];
    for (item, word) in cases {
        let expected = format!("otelcol_exporter_sent_{word}");
        assert_eq!(EXPORTER_SENT.of(item).0.name, expected);
    }
}

#[test]
fn the_delivery_equation_is_exposed_at_every_level_with_the_labels_that_it_adds_up_by() {
    let side = |prefix: &str, words: [&str; 5], by: &[Label]| {
        for word in words {
            let name = format!("{prefix}_{word}_items");
            let family = all().find(|family| family.name == name).expect(&name);
            assert_eq!(family.level, MetricsLevel::Basic, "{name}");
            for label in by {
                let listed = family.labels.iter().find(|listed| *listed == label);
                let listed = listed.unwrap_or_else(|| panic!("{name} without {}", label.name));
                assert!(listed.level == MetricsLevel::Basic && !listed.is_in_part, "{name}");
            }
        }
    };
    let of_exporter = ["accepted", "delivered", "refused", "dropped", "held"];
    side("otelcol_exporter", of_exporter, &[label::EXPORTER, label::DATA_TYPE]);
    let of_pipeline = ["accepted", "forwarded", "refused", "dropped", "held"];
    side("hikyaku_pipeline", of_pipeline, &[label::PIPELINE]);
}

#[test]
fn the_readme_shows_the_table_as_it_is() {
    let mut expected = String::from("| name | kind | labels | level | meaning |\n");
    expected.push_str("| --- | --- | --- | --- | --- |\n");
    for row in ROWS {
        let family = row[0];
        let name = match row.len() {
            1 => family.name.to_owned(),
            _ => {
                let stem = family.name.strip_suffix("spans").expect("a family per item");
                format!("{stem}{{spans,metric_points,log_records}}")
            }
        };
        let label = |label: &Label| match label.level {
            MetricsLevel::Basic if label.is_in_part => format!("`{}` (in part)", label.name),
            MetricsLevel::Basic => format!("`{}`", label.name),
            level => format!("`{}` ({})", label.name, level.as_str()),
        };
        let labels: Vec<String> = family.labels.iter().map(label).collect();
        let (kind, level) = (family.kind.as_str(), family.level.as_str());
        let labels = labels.join(", ");
        expected
            .push_str(&format!("| `{name}` | {kind} | {labels} | {level} | {} |\n", family.help));
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&expected), "README.md should contain this table:\n\n{expected}");
}

#[test]
fn the_readme_names_every_reason() {
    let readme = include_str!("../../README.md");
    let words = DropReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .chain(RefuseReason::ALL.iter().map(|reason| reason.as_str()))
        .chain(LogDropReason::ALL.iter().map(|reason| reason.as_str()))
        .chain(RequestOutcome::ALL.iter().map(|outcome| outcome.as_str()))
        .chain(ReloadOutcome::ALL.iter().map(|outcome| outcome.as_str()));
    for word in words {
        assert!(readme.contains(&format!("`{word}`")), "README.md does not explain {word}");
    }
}
