use confmap::{Diagnostics, Node, Providers, ResolveOptions};

use super::*;

fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let path = "processors::probabilistic_sampler";
    let config = Config::read(Section::new(Some(&node), path, &diagnostics));
    (config, diagnostics.to_string())
}

fn threshold(text: &str) -> Threshold {
    Threshold::parse(text.as_bytes()).unwrap()
}

#[test]
fn every_key_of_upstream_is_read() {
    let yaml = "{sampling_percentage: 50, hash_seed: 7, mode: hash_seed, sampling_precision: 6, fail_closed: false, \
                attribute_source: record, from_attribute: id, sampling_priority: prio}";
    let (config, report) = read(yaml);
    assert_eq!(report, "");
    let expected = Config {
        sampler: Sampler::hash_seed(50.0, 7),
        fail_closed: false,
        precision: 6,
        by_trace_id: false,
        from_attribute: Some("id".to_owned()),
        sampling_priority: Some("prio".to_owned()),
    };
    assert_eq!(config, expected);
}

#[test]
fn modes_have_their_samplers() {
    let sampler = |yaml: &str| {
        let (config, report) = read(yaml);
        assert_eq!(report, "", "{yaml}");
        config.sampler
    };
    let third = "sampling_percentage: 33.333";
    let equalizing = sampler(&format!("{{mode: equalizing, {third}}}"));
    assert_eq!(equalizing, Sampler::Equalizing { threshold: threshold("aaab") });
    let equalizing = sampler(&format!("{{mode: equalizing, {third}, sampling_precision: 2}}"));
    assert_eq!(equalizing, Sampler::Equalizing { threshold: threshold("ab") });
    let proportional = sampler("{mode: proportional, sampling_percentage: 12.5}");
    assert_eq!(proportional, Sampler::Proportional { ratio: 0.125, precision: 4 });
    for mode in ["", "mode: '', ", "mode: hash_seed, "] {
        let by_default = sampler(&format!("{{{mode}sampling_percentage: 25}}"));
        assert_eq!(by_default, Sampler::hash_seed(25.0, 0));
    }
    for mode in ["hash_seed", "equalizing", "proportional"] {
        let nothing = sampler(&format!("{{mode: {mode}, sampling_percentage: 0}}"));
        assert_eq!(nothing, Sampler::Never);
        let [all, more] = [100, 250].map(|percentage| {
            sampler(&format!("{{mode: {mode}, sampling_percentage: {percentage}}}"))
        });
        assert_eq!(all, more);
    }
    // Less than one bucket of 2^14.
    assert_eq!(sampler("{sampling_percentage: 0.006}"), Sampler::Never);
}

#[test]
fn defaults_are_those_of_upstream() {
    let (config, report) = read("{}");
    assert!(report.contains("warning") && !report.contains("error"), "{report}");
    assert!(report.contains("sampling_percentage is not set, so everything is dropped"));
    let expected = Config {
        sampler: Sampler::Never,
        fail_closed: true,
        precision: 4,
        by_trace_id: true,
        from_attribute: None,
        sampling_priority: None,
    };
    assert_eq!(config, expected);
}

#[tokio::test]
async fn percentage_that_is_empty_drops_everything_and_that_is_said() {
    let yaml = "yaml:sampling_percentage: \"${env:SPX}\"";
    let resolve = async |value: Option<&'static str>| {
        let providers = Providers::local(move |_| value.map(Into::into));
        let options = ResolveOptions::default();
        let root =
            confmap::resolve(&[yaml.to_owned()], &[], &providers, options).await.unwrap().root;
        let diagnostics = Diagnostics::new();
        let config = Config::read(Section::new(Some(&root), "p", &diagnostics));
        (config.sampler, diagnostics.to_string())
    };
    let warning = "warning: p::sampling_percentage: is empty, so everything is dropped";
    for (sampler, report) in [resolve(None).await, resolve(Some("")).await] {
        assert_eq!(sampler, Sampler::Never);
        assert!(report.starts_with(warning), "{report}");
    }
    assert_eq!(resolve(Some("0")).await, (Sampler::Never, String::new()));
    let (_, report) = read("sampling_percentage:");
    assert!(report.contains("sampling_percentage: is empty, so everything is dropped"), "{report}");
}

#[test]
fn broken_rules_are_told_in_upstreams_words() {
    let cases = [
        ("sampling_percentage: -15.3", "sampling rate is negative: -15.300000%"),
        ("sampling_percentage: .inf", "sampling rate is invalid: +Inf%"),
        ("sampling_percentage: 1e39", "sampling rate is invalid: +Inf%"),
        ("sampling_percentage: -.inf", "sampling rate is invalid: -Inf%"),
        ("sampling_percentage: .nan", "sampling rate is invalid: NaN%"),
        ("sampling_percentage: 1e-15", "sampling rate is too small: 1e-15%"),
        ("sampling_percentage: '15'", "sampling_percentage"),
        ("sampling_precision: 0", "invalid sampling precision: 0"),
        ("sampling_precision: -1", "invalid sampling precision: -1"),
        ("sampling_precision: 15", "sampling precision is too great, should be <= 14: 15"),
        (
            "attribute_source: resource",
            "invalid attribute source: resource. Expected: traceID or record",
        ),
        (
            "attribute_source: traceid",
            "invalid attribute source: traceid. Expected: traceID or record",
        ),
        ("mode: equalising", "unsupported sampler mode \"equalising\""),
        ("mode: Hash_seed", "unsupported sampler mode \"Hash_seed\""),
        ("hash_seed: -1", "hash_seed"),
        ("hash_seed: 4294967296", "hash_seed"),
        ("trace_id_sampling: true", "has invalid keys: trace_id_sampling"),
    ];
    for (key, expected) in cases {
        let (_, report) = read(&format!("{{{key}}}"));
        assert!(report.contains("error") && report.contains(expected), "{key}: {report}");
    }
}

#[test]
fn smallest_and_odd_percentages_are_taken() {
    for percentage in ["1.4e-15", "-0.0", "1e-50", "100.5"] {
        let (_, report) = read(&format!("{{sampling_percentage: {percentage}}}"));
        assert_eq!(report, "");
    }
}

#[test]
fn keys_that_a_mode_does_not_use_are_warned_about() {
    let unused = [
        ("mode: equalizing, hash_seed: 5", "hash_seed"),
        ("mode: proportional, from_attribute: id", "from_attribute"),
        ("mode: equalizing, attribute_source: record", "attribute_source"),
        ("sampling_precision: 5", "sampling_precision"),
    ];
    for (yaml, key) in unused {
        let (_, report) = read(&format!("{{sampling_percentage: 10, {yaml}}}"));
        let warning = format!("{key}: is accepted and has no effect");
        assert!(report.contains(&warning) && !report.contains("error"), "{yaml}: {report}");
    }
    let (_, report) = read("{sampling_percentage: 10, attribute_source: record}");
    assert!(report.contains("set from_attribute"), "{report}");
    for used in [
        "mode: equalizing, attribute_source: traceID",
        "sampling_precision: 5, sampling_priority: prio",
        "mode: equalizing, sampling_precision: 5",
        "from_attribute: id",
    ] {
        assert_eq!(read(&format!("{{sampling_percentage: 10, {used}}}")).1, "", "{used}");
    }
}
