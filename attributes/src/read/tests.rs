use confmap::{Diagnostics, Node};

use super::*;

fn messages(yaml: &str) -> Vec<String> {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "processors::attributes", &diagnostics);
    let _actions = Actions::read(&mut section, "actions");
    section.finish();
    diagnostics.sorted().iter().map(|diagnostic| diagnostic.message().to_owned()).collect()
}

#[test]
fn list_must_not_be_empty() {
    for yaml in ["{}", "actions:", "actions: []"] {
        assert_eq!(messages(yaml), ["missing required field \"actions\""], "{yaml}");
    }
}

#[test]
fn action_names_are_taken_in_any_case() {
    for name in ["Insert", "UPDATE", "upSert"] {
        let yaml = format!("actions: [{{key: a, value: 1, action: {name}}}]");
        assert!(messages(&yaml).is_empty(), "{name}");
    }
    assert!(messages("actions: [{key: a, action: DELETE}, {pattern: a, action: Hash}]").is_empty());
}

#[test]
fn what_is_wrong_is_said_in_the_collectors_words() {
    for (action, expected) in [
        (
            "{action: insert, value: 1}",
            "error creating AttrProc due to missing required field \"key\" at the 0-th action",
        ),
        (
            "{action: delete}",
            "error creating AttrProc due to missing required field (at least one of \"key\" and \"pattern\" have to be used) at the 0-th action",
        ),
        (
            "{key: a}",
            "error with key \"a\" (0-th action): error creating AttrProc due to unsupported action \"\"",
        ),
        (
            "{key: a, action: Rename}",
            "error with key \"a\" (0-th action): error creating AttrProc due to unsupported action \"rename\"",
        ),
        (
            "{key: a, action: insert}",
            "error with key \"a\" (0-th action): error creating AttrProc. Either field \"value\", \"from_attribute\", \"from_context\", or \"default_value\" must be specified",
        ),
        (
            "{key: a, action: upsert, value: 1, from_attribute: b}",
            "error with key \"a\" (0-th action): error creating AttrProc due to multiple value sources being set",
        ),
        (
            "{key: a, action: update, value: 1, pattern: x}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"update\" does not use the \"pattern\" field. This must not be specified",
        ),
        (
            "{key: a, action: insert, value: 1, converted_type: int}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"insert\" does not use the \"converted_type\" field. This must not be specified",
        ),
        (
            "{key: a, action: hash, value: 1}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"hash\" does not use \"value\" or \"from_attribute\" field. These must not be specified",
        ),
        (
            "{key: a, action: delete, from_attribute: b}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"delete\" does not use \"value\" or \"from_attribute\" field. These must not be specified",
        ),
        (
            "{key: a, action: delete, pattern: '('}",
            "error with key \"a\" (0-th action): error creating AttrProc. Field \"pattern\" has invalid pattern: \"(\"",
        ),
        (
            "{key: a, action: extract}",
            "error with key \"a\" (0-th action): error creating AttrProc due to missing required field \"pattern\" for action \"extract\"",
        ),
        (
            "{key: a, action: extract, pattern: a, from_context: b}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"extract\" does not use a value source field. These must not be specified",
        ),
        (
            "{key: a, action: extract, pattern: a}",
            "error with key \"a\" (0-th action): error creating AttrProc. Field \"pattern\" contains no named matcher groups",
        ),
        (
            "{key: a, action: extract, pattern: '(?P<x>a)(b)'}",
            "error with key \"a\" (0-th action): error creating AttrProc. Field \"pattern\" contains at least one unnamed matcher group",
        ),
        (
            "{key: a, action: convert}",
            "error with key \"a\" (0-th action): error creating AttrProc due to missing required field \"converted_type\" for action \"convert\"",
        ),
        (
            "{key: a, action: convert, converted_type: bool}",
            "error with key \"a\" (0-th action): error creating AttrProc due to invalid value \"bool\" in field \"converted_type\" for action \"convert\"",
        ),
        (
            "{key: a, action: convert, converted_type: int, value: 1}",
            "error with key \"a\" (0-th action): error creating AttrProc. Action \"convert\" does not use value sources or \"pattern\" field. These must not be specified",
        ),
    ] {
        assert_eq!(messages(&format!("actions: [{action}]")), [expected], "{action}");
    }
}

#[test]
fn every_wrong_action_is_reported() {
    let found = messages(
        "actions: [{key: a, action: x}, {key: b, value: 1, action: insert}, {key: c, action: y}]",
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].contains("error with key \"c\" (2-th action)"), "{found:?}");
}

#[test]
fn key_without_effect_is_warned_about_and_unknown_one_refused() {
    for (action, expected) in [
        (
            "{key: a, action: delete, from_context: b}",
            "is accepted and has no effect: the action delete takes no value",
        ),
        (
            "{key: a, action: hash, default_value: 1}",
            "is accepted and has no effect: the action hash takes no value",
        ),
        (
            "{key: a, action: insert, value: 1, default_value: 1}",
            "is accepted and has no effect: `value` is always there",
        ),
        (
            "{key: a, action: convert, converted_type: int, default_value: 1}",
            "is accepted and has no effect: the action convert takes no value",
        ),
        ("{key: a, action: delete, vlaue: 1}", "has invalid keys: vlaue"),
    ] {
        let found = messages(&format!("actions: [{action}]"));
        assert!(found.len() == 1 && found[0].contains(expected), "{action}: {found:?}");
    }
}

#[test]
fn null_counts_as_not_set() {
    let found = messages("actions: [{key: a, action: delete, value: null, default_value: null}]");
    assert!(!found.iter().any(|message| message.contains("does not use")), "{found:?}");
}

#[test]
fn group_without_a_name_is_told_how_not_to_extract() {
    let yaml = "actions: [{key: a, action: extract, pattern: '(?P<x>a)(b|c)'}]";
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "processors::attributes", &diagnostics);
    let _actions = Actions::read(&mut section, "actions");
    section.finish();
    assert!(diagnostics.to_string().contains("write (?:a|b)"), "{diagnostics}");
}
