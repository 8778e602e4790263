//! What is asked for, how often, and what becomes of it.

use std::collections::BTreeSet;

use tests::datadog::{DatadogIntake, KEY};
use tests::{send, spans};

use super::*;

#[test]
fn the_key_of_the_datadog_exporter_can_be_a_parameter_as_it_stands() {
    let (store, intake) = (ParameterStore::start(), DatadogIntake::start());
    store.put("/path/to/datadog-api-key", "SecureString", KEY);
    let endpoint =
        format!("{{ endpoint: \"http://127.0.0.1:{}\", compute_stats: never }}", intake.port());
    let settings = format!(
        "\n    api:\n      key: ${{ssm:/path/to/datadog-api-key}}\n    hostname: h\n    host_metadata: {{ enabled: false }}\n    traces: {endpoint}"
    );
    let gateway = Gateway::new().exporter("datadog", &settings);
    let agent = store.environment_of(gateway.setup()).start();
    let request = spans::request(3);
    assert_eq!(send::traces_grpc(gateway.grpc, &request).code, 0);
    intake.traces.wait_for_spans(&spans::ids(&request));
    assert_eq!(store.calls().len(), 1);
    assert_eq!(agent.stop().code, Some(0));
}

#[test]
fn twenty_five_references_are_read_by_three_calls_at_the_same_time() {
    let store = ParameterStore::start();
    let mut headers = String::new();
    for number in 0..25 {
        store.put(&format!("/p/{number}"), "SecureString", &format!("value {number}"));
        headers += &format!("h{number}: ${{ssm:/p/{number}}}\n");
    }
    // The same again, under every alias, with fields and defaults, costs nothing.
    headers += "a: x${ssm:/p/1}y${ssm:/p/1:-default}\nb: ${awsssm:/p/2}\nc: ${parameterstore:/p/3?withDecryption=true}\n";
    store.answer_together(3);
    let yaml = printed(&store, &with_headers(&headers));
    for number in 0..25 {
        assert!(yaml.contains(&format!("h{number}: \"value {number}\"\n")), "{yaml}");
    }
    assert!(
        yaml.contains("a: \"xvalue 1yvalue 1\"\n")
            && yaml.contains("b: \"value 2\"\n")
            && yaml.contains("c: \"value 3\"\n"),
        "{yaml}"
    );
    let calls = store.calls();
    assert_eq!(calls.len(), 3);
    let names: Vec<&String> = calls.iter().flat_map(|call| &call.names).collect();
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (25, 25));
}

#[test]
fn regions_and_depths_are_calls_of_their_own() {
    let store = ParameterStore::start();
    store.put("/stage", "String", "prod");
    store.put("/prod/key", "SecureString", "s3cret");
    store.put("/other", "String", "elsewhere");
    let arn = "arn:aws:ssm:eu-north-1:111122223333:parameter/other";
    let yaml = printed(
        &store,
        &with_headers(&format!(
            "a: ${{ssm:/${{ssm:/stage}}/key}}\nb: ${{ssm:/other?region=eu-north-1}}\nc: ${{ssm:{arn}}}\nd: ${{ssm:/other?region=eu-west-1}}\n"
        )),
    );
    assert!(
        yaml.contains("a: s3cret\n")
            && yaml.contains("b: elsewhere\n")
            && yaml.contains("c: elsewhere\n"),
        "{yaml}"
    );
    let mut calls = store.calls();
    assert_eq!(
        calls.pop().map(|call| (call.names, call.region)),
        Some((vec!["/prod/key".to_owned()], "eu-west-1".to_owned()))
    );
    let mut first: Vec<_> = calls.into_iter().map(|call| (call.region, call.names)).collect();
    first.sort();
    // Two names of one parameter are asked for apart, since an answer tells parameters by their names.
    assert_eq!(
        first,
        [
            ("eu-north-1".to_owned(), vec!["/other".to_owned()]),
            ("eu-north-1".to_owned(), vec![arn.to_owned()]),
            ("eu-west-1".to_owned(), vec!["/other".to_owned(), "/stage".to_owned()]),
        ]
    );
}

#[test]
fn versions_labels_lists_fields_and_defaults_are_what_they_say() {
    let store = ParameterStore::start();
    for value in ["one", "two", "three"] {
        store.put("/v", "SecureString", value);
        store.label("/v", &format!("l-{value}"));
    }
    store.put("/list", "StringList", "a,b");
    store.put("/number", "String", "0123");
    store.put("/json", "SecureString", r#"{"user":"u","port":5432}"#);
    let yaml = printed(
        &store,
        &with_headers(
            "a: ${ssm:/v} ${ssm:/v:1} ${ssm:/v:l-two}\nb: ${ssm:/number}\nc: ${ssm:/list}\nd: ${ssm:/json#user}:${ssm:/json#port}\n\
             e: ${ssm:/none:-default}\nf: ${ssm:/json#none:-none}\ng: ${ssm:/v:9:-ninth}\n",
        ),
    );
    for line in [
        "a: \"three one two\"\n",
        "b: 83\n",
        "c:\n        - a\n        - b\n",
        "d: u:5432\n",
        "e: default\n",
        "f: none\n",
        "g: ninth\n",
    ] {
        assert!(yaml.contains(line), "{line}: {yaml}");
    }
}

#[test]
fn a_whole_configuration_can_be_a_parameter_with_references_of_its_own() {
    let store = ParameterStore::start();
    store.put("/otel/config", "String", &with_headers("a: ${ssm:/otel/key}\n"));
    store.put("/otel/key", "SecureString", "p$$w");
    let arguments = ["print-config", "--mode", "unredacted", "--config", "ssm:/otel/config"];
    let ended = store.environment_of(Setup::bare().arguments(arguments)).run();
    assert!(
        ended.stdout.contains("a: p$$w\n") || ended.stdout.contains("a: \"p$$w\"\n"),
        "{}\n{}",
        ended.stdout,
        ended.stderr
    );
}

#[test]
fn a_configuration_without_references_asks_nobody() {
    let store = ParameterStore::start();
    // Credentials that could not be had, and a region that could not be found, would be told.
    let setup = Setup::bare().file("config.yaml", with_headers("a: b\n"));
    let setup = setup.arguments(["validate", "--config", "config.yaml"]);
    let setup =
        store.environment_of(setup).variable("AWS_REGION", "").variable("AWS_PROFILE", "none");
    let ended = setup.variable("AWS_ACCESS_KEY_ID", "").run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(store.calls().is_empty());
}
