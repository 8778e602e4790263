use super::*;
use crate::testing::read;

#[test]
fn defaults_are_those_of_the_collector() {
    let (config, report) = read("{}");
    assert_eq!(report, "");
    assert_eq!(config.num_workers, 8);
    assert_eq!(config.client.timeout, Some(Duration::from_secs(30)));
    assert!(config.helper.queue.is_some() && config.helper.retry.is_some());
    assert_eq!(config.aws, aws::Settings::default());
    assert!(config.endpoint.is_none() && !config.client.tls.insecure_skip_verify);
}

#[test]
fn every_key_with_an_effect_has_it() {
    let (config, report) = read(
        "num_workers: 3
endpoint: http://127.0.0.1:2000
request_timeout_seconds: 7
no_verify_ssl: true
proxy_address: http://proxy:3128
region: eu-west-1
role_arn: arn:aws:iam::1:role/r
external_id: x
profile: p
shared_credentials_file: [/a]
certificate_file_path: /ca.pem
sending_queue: {num_consumers: 2}
retry_on_failure: {enabled: false}",
    );
    assert_eq!(report, "");
    assert_eq!(config.num_workers, 3);
    assert_eq!(config.endpoint.unwrap().to_string(), "http://127.0.0.1:2000/");
    assert_eq!(config.client.timeout, Some(Duration::from_secs(7)));
    assert!(config.client.tls.insecure_skip_verify);
    assert_eq!(config.client.proxy_url.unwrap().expose(), "http://proxy:3128");
    assert_eq!(config.client.tls.material.ca, Some(PemSource::File("/ca.pem".into())));
    let role = Role { external_id: Some("x".to_owned()), ..Role::new("arn:aws:iam::1:role/r") };
    let expected = aws::Settings {
        region: Some("eu-west-1".to_owned()),
        profile: Some("p".to_owned()),
        shared_credentials_files: vec!["/a".into()],
        role: Some(role),
    };
    assert_eq!(config.aws, expected);
    assert_eq!(config.helper.queue.unwrap().num_consumers, 2);
    assert!(config.helper.retry.is_none());
}

#[test]
fn the_shorter_of_both_timeouts_bounds_an_attempt() {
    for (yaml, seconds) in [
        ("timeout: 3s", Some(3)),
        ("timeout: 60s", Some(30)),
        ("{timeout: 60s, request_timeout_seconds: 90}", Some(60)),
        ("{timeout: 0s}", Some(30)),
        ("{timeout: 0s, request_timeout_seconds: 0}", None),
        ("request_timeout_seconds: 0", None),
    ] {
        let (config, report) = read(yaml);
        assert_eq!(report, "", "{yaml}");
        assert_eq!(config.client.timeout, seconds.map(Duration::from_secs), "{yaml}");
    }
}

#[test]
fn broken_rules_are_told() {
    for (yaml, part) in [
        ("num_workers: 0", "must be from 1 to 256, found 0"),
        ("num_workers: 1000", "must be from 1 to 256"),
        ("request_timeout_seconds: -1", "must be a number of seconds"),
        ("endpoint: xray.example.com", "is not a URL of http or https"),
        ("endpoint: 'http://a/?x=1'", "is not a URL of http or https"),
        ("proxy_address: proxy", "is not a URL of http or https"),
        ("indexed_attribute: [a]", "did you mean \"indexed_attributes\"?"),
        ("telemetry: {enable: true}", "did you mean \"enabled\"?"),
        ("sending_queue: {storage: file}", "`storage` is not supported"),
    ] {
        let (_, report) = read(yaml);
        assert!(report.starts_with("error") && report.contains(part), "{yaml}: {report}");
    }
    let (_, report) = read("proxy_address: 'user:s3cret@proxy'");
    assert!(!report.contains("s3cret"), "{report}");
}

#[test]
fn what_has_no_effect_is_said() {
    for (yaml, part) in [
        ("max_retries: 5", "retry_on_failure"),
        ("local_mode: true", "metadata"),
        ("resource_arn: a", "telemetry records"),
        ("telemetry: {enabled: true}", "telemetry records are not sent"),
        ("telemetry: {contributors: [awsxray/1]}", "telemetry records are not sent"),
        ("external_id: x", "there is no role_arn"),
        ("transit_spans_in_otlp_format: true", "sigv4auth"),
    ] {
        let (_, report) = read(yaml);
        assert!(report.starts_with("warning") && report.contains(part), "{yaml}: {report}");
    }
}
