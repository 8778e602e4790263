use confmap::{Diagnostics, Node};

use super::*;

fn read(yaml: &str) -> (Config, Diagnostics) {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "processors::resourcedetection", &diagnostics);
    let config = Config::read(section);
    (config, diagnostics)
}

fn on(attributes: &[(&'static str, bool)]) -> Wanted {
    Wanted::of(attributes.iter().filter(|(_, on)| *on).map(|(name, _)| *name))
}

#[test]
fn defaults_are_upstreams() {
    let (config, diagnostics) = read("");
    assert!(diagnostics.is_empty(), "{diagnostics}");
    assert_eq!(config.detectors, [Kind::Env]);
    assert!(config.overrides && config.refresh_interval.is_none());
    assert_eq!(config.timeout, Duration::from_secs(5));
    assert_eq!(config.system.hostname_sources, [HostnameSource::Dns, HostnameSource::Os]);
    assert_eq!(config.system.wanted, Wanted::of(["host.name", "os.type"]));
    assert_eq!((config.ecs, config.lambda), (on(ecs::ATTRIBUTES), on(lambda::ATTRIBUTES)));
    let ec2 = config.ec2;
    assert!(ec2.tags.is_empty() && !ec2.tags_from_imds && !ec2.fail_on_missing_metadata);
    assert_eq!((ec2.max_attempts, ec2.wanted), (3, on(ec2::ATTRIBUTES)));
}

#[test]
fn everything_can_be_set() {
    let (config, diagnostics) = read(
        "{detectors: [' env', ecs, system, lambda, ec2], override: false, timeout: 2s, refresh_interval: 1m,
          system: {hostname_sources: [os, cname, lookup, dns], resource_attributes: {host.name: {enabled: false}, host.id: {enabled: true}}},
          ecs: {resource_attributes: {aws.ecs.task.arn: {enabled: false}}},
          ec2: {tags: ['^team$'], tags_from_imds: true, max_attempts: 1, fail_on_missing_metadata: true},
          lambda: {resource_attributes: {faas.name: {enabled: true}}}}",
    );
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let expected = [Kind::Env, Kind::Ecs, Kind::System, Kind::Lambda, Kind::Ec2];
    assert_eq!(config.detectors, expected);
    assert!(!config.overrides);
    assert_eq!(config.timeout, Duration::from_secs(2));
    assert_eq!(config.refresh_interval, Some(Duration::from_secs(60)));
    let sources =
        [HostnameSource::Os, HostnameSource::Cname, HostnameSource::Lookup, HostnameSource::Dns];
    assert_eq!(config.system.hostname_sources, sources);
    assert_eq!(config.system.wanted, Wanted::of(["host.id", "os.type"]));
    assert!(!config.ecs.any(&["aws.ecs.task.arn"]) && config.ecs.any(&["aws.ecs.task.id"]));
    assert!(config.ec2.tags[0].is_match("team") && !config.ec2.tags[0].is_match("teams"));
    assert!(config.ec2.tags_from_imds && config.ec2.fail_on_missing_metadata);
    assert_eq!(config.ec2.max_attempts, 1);
}

#[test]
fn what_cannot_be_right_and_what_is_not_carried_out_is_named() {
    for (yaml, errors, word) in [
        ("detectors: []", 1, "names nobody"),
        (
            "detectors: [eks]",
            1,
            "\"eks\" is not carried here; those there are: env, system, ecs, ec2, lambda",
        ),
        ("detectors: [gpc]", 1, "\"gpc\" is unknown; those there are: env"),
        ("attributes: [a]", 1, "resource_attributes"),
        ("eks: {}", 0, "there is no such detector here"),
        ("detectors: [elastic_beanstalk]", 1, "is not carried here"),
        ("middlewares: [{id: a}]", 1, "middlewares"),
        ("timeout: soon", 1, "timeout"),
        ("proxy_url: http://p", 0, "without a proxy"),
        ("tls: {insecure: true}", 0, "without a proxy"),
        ("ec2: {max_backoff: 1s}", 0, "ec2::max_backoff"),
        ("ec2: {tags: ['(']}", 1, "is no regular expression"),
        (
            "system: {hostname_sources: [nis]}",
            1,
            "hostname_sources contains invalid value: \"nis\"",
        ),
        ("system: {resource_attributes: {host.nam: {enabled: true}}}", 1, "host.name"),
        ("ecs: {resource_attributes: {cloud.region: {enable: true}}}", 1, "invalid keys: enable"),
        ("ecs: {tags: []}", 1, "invalid keys: tags"),
        ("detector: [env]", 1, "detectors"),
    ] {
        let (_, diagnostics) = read(yaml);
        let text = diagnostics.to_string();
        assert_eq!(diagnostics.error_count(), errors, "{yaml}: {text}");
        assert!(text.contains(word), "{yaml}: {text}");
    }
}

#[test]
fn tokens_of_detectors_that_there_are_not_stay_secret() {
    let (_, diagnostics) = read("{consul: {token: a, address: b}, openshift: {token: a}}");
    let paths = diagnostics.secret_paths();
    let mut paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    paths.sort();
    let expected = ["consul", "openshift"];
    let expected = expected.map(|name| format!("processors.resourcedetection.{name}.token"));
    assert_eq!(paths, expected);
}
