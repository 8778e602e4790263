use confmap::{Diagnostics, Node};

use super::*;

fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let path = "processors::memory_limiter";
    let config = Config::read(Section::new(Some(&node), path, &diagnostics));
    (config, diagnostics.to_string())
}

#[test]
fn every_key_of_upstream_is_read() {
    let (config, report) = read(
        "{check_interval: 1s, limit_mib: 400, limit_percentage: 75, spike_limit_mib: 100, spike_limit_percentage: 20}",
    );
    assert!(!report.contains("error"), "{report}");
    let expected = Config {
        check_interval: Duration::from_secs(1),
        limit: Bound { mib: 400, percentage: 75 },
        spike: Bound { mib: 100, percentage: 20 },
    };
    assert_eq!(config, expected);
}

#[test]
fn what_the_form_of_the_limit_leaves_out_is_warned_about() {
    let report = |yaml: &str| read(&format!("{{check_interval: 1s, {yaml}}}")).1;
    let both = report("limit_mib: 400, limit_percentage: 75, spike_limit_percentage: 20");
    assert_eq!(both.matches("has no effect: the limit is limit_mib").count(), 2, "{both}");
    let mixed = report("limit_percentage: 75, spike_limit_mib: 20");
    assert!(mixed.contains("spike_limit_mib: is accepted and has no effect"), "{mixed}");
    assert_eq!(report("limit_percentage: 75, spike_limit_percentage: 20"), "");
    assert_eq!(report("limit_mib: 75, spike_limit_mib: 20"), "");
}

#[test]
fn garbage_collection_keys_are_accepted_with_a_note() {
    for key in GARBAGE_COLLECTION {
        let (_, report) = read(&format!("{{check_interval: 1s, limit_mib: 4, {key}: 5s}}"));
        assert!(report.starts_with("warning"), "{report}");
        assert!(report.contains(key) && report.contains("no garbage collector"), "{report}");
        let (_, report) = read(&format!("{{check_interval: 1s, limit_mib: 4, {key}: often}}"));
        assert!(report.contains("error"), "{report}");
    }
}

#[test]
fn broken_rules_are_told_in_upstreams_words() {
    let interval = "'check_interval' must be greater than zero";
    let limit = "'limit_mib' or 'limit_percentage' must be greater than zero";
    let hundred = "must be greater than zero and less than or equal to hundred";
    let cases = [
        ("{}", interval),
        ("{limit_mib: 4}", interval),
        ("{check_interval: 0s, limit_mib: 4}", interval),
        ("{check_interval: 1s}", limit),
        ("{check_interval: 1s, limit_percentage: 101}", hundred),
        ("{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 101}", hundred),
        (
            "{check_interval: 1s, limit_mib: 4, spike_limit_mib: 4}",
            "'spike_limit_mib' must be smaller than 'limit_mib'",
        ),
        (
            "{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 50}",
            "'spike_limit_percentage' must be smaller than 'limit_percentage'",
        ),
        ("{check_interval: 1s, limit_mib: -4}", "limit_mib"),
        ("{check_interval: 1s, limit_mib: 4, limit: 5}", "has invalid keys: limit"),
    ];
    for (yaml, expected) in cases {
        let (_, report) = read(yaml);
        assert!(report.contains(expected), "{yaml}: {report}");
        assert!(report.contains("error"), "{yaml}: {report}");
    }
}
