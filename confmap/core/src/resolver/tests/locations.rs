//! Contract 1.1 to 1.3.

use std::fs;

use crate::{
    Node, Redaction, Retrieved,
    testing::{Fake, Log, providers, resolve_with},
};

fn resolve(locations: &[&str], sets: &[&str]) -> Result<String, String> {
    resolve_with(locations, sets, &providers(&[("CONFIG", "a: {b: 1}")]), Some("env"))
        .map(|resolved| resolved.root.to_yaml(&Redaction::none()))
        .map_err(|diagnostics| {
            let messages = diagnostics.sorted();
            messages.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })
}

#[track_caller]
fn merges(locations: &[&str], expected: &str) {
    let locations: Vec<String> = locations.iter().map(|text| format!("yaml:{text}")).collect();
    let locations: Vec<&str> = locations.iter().map(String::as_str).collect();
    let expected = Node::from_yaml("expected", expected).expect("YAML");
    let resolved =
        resolve_with(&locations, &[], &providers(&[]), Some("env")).expect("resolves").root;
    assert!(resolved == expected, "{}", resolved.to_yaml(&Redaction::none()));
}

#[test]
fn maps_merge_key_by_key_and_anything_else_replaces() {
    merges(&["a: {b: 1, c: 2}", "a: {c: 3, d: 4}"], "a: {b: 1, c: 3, d: 4}");
    merges(&["a: [1, 2]", "a: [3]"], "a: [3]");
    merges(&["a: 1", "a: {b: 2}"], "a: {b: 2}");
    merges(&["a: {b: 2}", "a: 1"], "a: 1");
    merges(&["a: {b: {c: 1}}", "a: {b: null}"], "a: {b: null}");
    merges(&["a: {b: 1}", "a: {}"], "a: {b: 1}");
    merges(&["a: {b: 1}", "a::c: 2"], "a: {b: 1, c: 2}");
    merges(&["a: {b: 1}", ""], "a: {b: 1}");
    merges(&["a: {b: 1}", "null", "# nothing"], "a: {b: 1}");
    merges(&["a: 1", "A: 2"], "{a: 1, A: 2}");
    merges(&["a: 1", "a: 2", "a: 3"], "a: 3");
}

#[test]
fn a_reference_is_expanded_after_merging() {
    let env = providers(&[("X", "{b: 1}")]);
    let locations = ["yaml:a: ${X}", "yaml:a: {c: 2}"];
    let resolved = resolve_with(&locations, &[], &env, Some("env")).expect("resolves");
    assert_eq!(resolved.root.to_yaml(&Redaction::none()), "a:\n  c: 2\n");
}

#[test]
fn a_set_is_applied_after_every_location() {
    let merged = resolve(
        &["yaml:processors: {batch: {timeout: 1s, send_batch_size: 5}}", "env:CONFIG"],
        &["processors.batch.timeout=2s", "a.b=[x, {y: 0x10}]", " c = d=e "],
    );
    assert_eq!(
        merged.as_deref(),
        Ok("processors:\n  batch:\n    timeout: 2s\n    send_batch_size: 5\n\
            a:\n  b:\n    - x\n    - \"y\": 16\nc: \"d=e\"\n")
    );
}

#[test]
fn a_set_without_an_equal_sign_is_an_error() {
    assert_eq!(
        resolve(&["env:CONFIG"], &["secret"]),
        Err("a --set is missing its equal sign".to_owned())
    );
}

#[test]
fn no_location_at_all_is_an_error() {
    assert_eq!(resolve(&[], &[]), Err("at least one config flag must be provided".to_owned()));
}

#[test]
fn a_location_that_cannot_be_read_is_an_error_and_all_are_reported() {
    let errors = resolve(&["nope:x", "1x:y", "e:nv", "yaml:- a", "/no/such/file"], &[])
        .expect_err("five of five fail");
    let errors: Vec<&str> = errors.lines().collect();
    assert_eq!(errors.len(), 5, "{errors:?}");
    let expect = [
        "retrieved value (type=[]interface {}) cannot be used as a Conf",
        "unsupported scheme on URI \"nope:x\"",
        "invalid uri: \"1x:y\"",
        // A drive letter, so a path.
        "cannot retrieve the configuration: unable to read the file \"e:nv\": ",
        "cannot retrieve the configuration: unable to read the file \"/no/such/file\": ",
    ];
    for expected in expect {
        assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:?}");
    }
}

#[test]
fn a_location_that_is_no_map_is_an_error() {
    let not_conf = |kind| format!("retrieved value (type={kind}) cannot be used as a Conf");
    assert_eq!(resolve(&["yaml:abc"], &[]), Err(not_conf("string")));
    assert_eq!(resolve(&["yaml:5"], &[]), Err(not_conf("int")));
    let hint = "assuming string type since contents are not valid YAML: yaml: line 1: ";
    let error = resolve(&["yaml:[a"], &[]).expect_err("no YAML");
    assert!(error.starts_with(&format!("{}: {hint}", not_conf("string"))), "{error}");
}

#[test]
fn paths_are_read_with_a_scheme_and_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yaml");
    fs::write(&path, "\u{feff}a: 1\r\n").expect("written");
    let path = path.to_str().expect("UTF-8");
    for location in [path, &format!("file:{path}")] {
        assert_eq!(resolve(&[location], &[]).as_deref(), Ok("a: 1\n"));
    }
}

#[test]
fn a_second_document_is_not_read_and_the_user_is_told() {
    let env = providers(&[]);
    let location = ["yaml:a: 1\n---\n[broken"];
    let resolved = resolve_with(&location, &[], &env, None).expect("resolves");
    assert_eq!(resolved.root.to_yaml(&Redaction::none()), "a: 1\n");
    assert_eq!(
        resolved.warnings.sorted()[0].to_string(),
        "only the first document of the YAML is read"
    );
}

#[test]
fn sources_are_listed_in_the_order_they_were_read() {
    let env = providers(&[("X", "1")]);
    let locations = ["yaml:a: ${X}", "yaml:b: 2"];
    let resolved = resolve_with(&locations, &["c=${X}"], &env, Some("env")).expect("resolves");
    let names: Vec<&str> = resolved.sources.iter().map(|source| source.name()).collect();
    assert_eq!(names, ["yaml:a:…", "yaml:b:…", "--set c", "env:X"]);
}

#[test]
fn a_long_location_is_named_by_its_end() {
    let name = format!("{}_CONFIG", "A".repeat(240));
    let variables = [(name.as_str(), "a: 1")];
    let resolved = resolve_with(&[&format!("env:{name}")], &[], &providers(&variables), None)
        .expect("resolves");
    let shown = resolved.sources[0].name();
    assert!(shown.starts_with('…') && shown.ends_with("A_CONFIG"), "{shown}");
    assert_eq!(shown.chars().count(), 201);
}

#[test]
fn errors_stand_in_the_order_of_the_locations_and_their_lines() {
    let log = Log::default();
    let a = Fake::new("zz", &log, |_| Ok(Retrieved::yaml("x: ${no1:}\ny: ${no2:}\n")));
    let b = Fake::new("aa", &log, |_| Ok(Retrieved::yaml("z: ${no3:}\n")));
    let providers = providers(&[]).with(a).with(b);
    let diagnostics =
        resolve_with(&["zz:1", "aa:2"], &[], &providers, None).expect_err("unknown schemes");
    let paths: Vec<String> =
        diagnostics.sorted().iter().map(|diagnostic| diagnostic.path().to_string()).collect();
    assert_eq!(paths, ["x", "y", "z"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let resolved = resolve_with(&["yaml:\u{feff}a: 1"], &[], &providers(&[]), None);
    let root = resolved.expect("resolves").root;
    let key = &root.as_map().and_then(|map| map.entry("a")).expect("the key").key_origin;
    assert_eq!((key.column(), key.line_text()), (1, Some("a: 1")));
}

#[test]
fn a_merged_key_stands_where_it_was_written_last() {
    let locations = ["yaml:a: {b: 1}", "yaml:\na: {c: 2}"];
    let root = resolve_with(&locations, &[], &providers(&[]), None).expect("resolves").root;
    let a = root.as_map().and_then(|map| map.entry("a")).expect("the key");
    assert_eq!((a.key_origin.line(), a.node.origin().line()), (2, 2));
    assert_eq!(a.node.get("b").expect("b").origin().line(), 1);
}
