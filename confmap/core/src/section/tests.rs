use crate::{Diagnostics, Mismatch, Node, Opaque, Presence, Section};

/// Reads YAML with `read`, and gives all that was said about it.
fn said(yaml: &str, read: impl FnOnce(Section<'_>)) -> Vec<String> {
    let node = Node::from_yaml("file:t.yaml", yaml).expect("YAML");
    let diagnostics = Diagnostics::new();
    read(Section::new(Some(&node), "exporters::otlp/x", &diagnostics));
    diagnostics.sorted().iter().map(ToString::to_string).collect()
}

fn report(yaml: &str, read: impl FnOnce(Section<'_>)) -> String {
    let node = Node::from_yaml("file:t.yaml", yaml).expect("YAML");
    let diagnostics = Diagnostics::new();
    read(Section::new(Some(&node), "exporters::otlp/x", &diagnostics));
    diagnostics.to_string()
}

#[test]
fn unknown_keys_are_errors_with_the_valid_ones() {
    let report = report("endpont: x\ntimeout: 5s\nfoo: 1\n", |mut section| {
        assert_eq!(section.get::<String>("endpoint"), None);
        assert!(section.is_set("timeout"));
        section.finish();
    });
    assert_eq!(
        report,
        "error: 'exporters.otlp/x' has invalid keys: endpont
 --> t.yaml:1:1
  |
1 | endpont: …
  | ^^^^^^^
  = help: did you mean \"endpoint\"? valid keys: endpoint, timeout
error: 'exporters.otlp/x' has invalid keys: foo
 --> t.yaml:3:1
  |
3 | foo: …
  | ^^^
  = help: valid keys: endpoint, timeout"
    );
}

#[test]
fn keys_differ_by_case() {
    let said = said("Endpoint: x", |mut section| {
        assert!(!section.is_set("endpoint"));
        section.finish();
    });
    assert_eq!(said, ["'exporters.otlp/x' has invalid keys: Endpoint"]);
}

#[test]
fn null_and_nothing_are_empty_sections_and_anything_else_is_an_error() {
    let diagnostics = Diagnostics::new();
    for yaml in ["", "null", "~", "{}"] {
        let node = Node::from_yaml("t", yaml).expect("YAML");
        let mut section = Section::new(Some(&node), "a", &diagnostics);
        assert!(section.is_present());
        assert_eq!(section.get::<u64>("x"), None);
        section.finish();
    }
    let section = Section::new(None, "a", &diagnostics);
    assert!(!section.is_present());
    section.finish();
    assert!(diagnostics.is_empty());
    for (yaml, kind) in [("text", "string"), ("5", "int"), ("[1]", "slice"), ("true", "bool")] {
        let said = said(yaml, |section| section.finish());
        assert_eq!(said, [format!("'exporters.otlp/x' expected a map or struct, got \"{kind}\"")]);
    }
}

#[test]
fn sections_nest_and_name_their_path() {
    let said = said("a: {b: {c: x, d: 1}, e: 5}", |mut section| {
        let mut a = section.section("a");
        let mut b = a.section("b");
        assert_eq!(b.get::<u64>("c"), None);
        b.finish();
        let e = a.section("e");
        e.finish();
        a.finish();
        let absent = section.section("absent");
        assert!(!absent.is_present());
        absent.finish();
        section.finish();
    });
    assert_eq!(
        said,
        [
            "'exporters.otlp/x.a.b.c' expected type 'uint64', got unconvertible type 'string'",
            "'exporters.otlp/x.a.b' has invalid keys: d",
            "'exporters.otlp/x.a.e' expected a map or struct, got \"int\"",
        ]
    );
}

#[test]
fn a_required_key_that_is_missing_is_an_error_of_its_section() {
    let report = report("a:\n  b: 1\n", |mut section| {
        let mut a = section.section("a");
        assert_eq!(a.required::<String>("endpoint"), None);
        assert_eq!(a.required::<u64>("b"), Some(1));
        a.finish();
        section.finish();
    });
    assert_eq!(
        report,
        "error: exporters::otlp/x::a: requires \"endpoint\", which is not set\n --> t.yaml:1:1\n  \
         |\n1 | a:\n  | ^"
    );
}

#[test]
fn rules_are_reported_at_the_value_they_are_about() {
    let yaml = "a: 0\nb:\n  c: [1]\n";
    let report = report(yaml, |mut section| {
        assert_eq!(section.get::<u64>("a"), Some(0));
        section.error_with_help("a", "must be positive", "write 1");
        section.warn("b", "is odd");
        section.error("absent", "is needed");
        section.error_here("is wrong as a whole");
        section.warn_here("is odd as a whole");
        section.section("b").list("c");
        section.finish();
    });
    for expected in [
        "error: exporters::otlp/x::a: must be positive\n --> t.yaml:1:4\n  |\n1 | a: 0\n  |    ^\n  \
         = help: write 1\n",
        "warning: exporters::otlp/x::b: is odd\n --> t.yaml:2:1\n",
        "error: exporters::otlp/x::absent: is needed\n --> t.yaml:1:1\n",
        "error: exporters::otlp/x: is wrong as a whole\n --> t.yaml:1:1\n",
        "warning: exporters::otlp/x: is odd as a whole\n",
    ] {
        assert!(report.contains(expected), "{expected} in {report}");
    }
}

#[test]
fn a_key_without_effect_is_a_warning_and_one_not_supported_an_error() {
    let read = |mut section: Section<'_>| {
        section.ignored("a", "nothing to buffer");
        section.refused("b", "there is no such thing here");
        section.finish();
    };
    assert_eq!(
        said("{a: 1, b: 2}", read),
        [
            "exporters::otlp/x::a: is accepted and has no effect: nothing to buffer",
            "exporters::otlp/x::b: is not supported: there is no such thing here",
        ]
    );
    assert_eq!(said("{}", read), Vec::<String>::new());
}

#[test]
fn optional_sections_have_the_three_states_of_upstream() {
    use Presence::{Default, None, Some};
    // Yaml of the key, then on or off for each state.
    let cases = [
        ("", [(None, false), (Default, false), (Some, true)]),
        ("s:", [(None, false), (Default, true), (Some, true)]),
        ("s: null", [(None, false), (Default, true), (Some, true)]),
        ("s: {}", [(None, true), (Default, true), (Some, true)]),
        ("s: {x: 1}", [(None, true), (Default, true), (Some, true)]),
        ("s: {enabled: true}", [(None, true), (Default, true), (Some, true)]),
        ("s: {enabled: false}", [(None, false), (Default, false), (Some, false)]),
        ("s: {enabled: false, y: 1}", [(None, false), (Default, false), (Some, false)]),
    ];
    for (yaml, states) in cases {
        for (presence, on) in states {
            let said = said(yaml, |mut section| {
                let inner = section.optional_section("s", presence);
                assert_eq!(inner.is_some(), on, "{yaml} {presence:?}");
                if let Option::Some(mut inner) = inner {
                    inner.is_set("x");
                    inner.finish();
                }
                section.finish();
            });
            assert_eq!(said, Vec::<String>::new(), "{yaml}");
        }
    }
}

#[test]
fn an_optional_section_refuses_what_is_no_boolean_and_no_map() {
    let read = |mut section: Section<'_>| {
        if let Some(inner) = section.optional_section("s", Presence::Some) {
            inner.finish();
        }
        section.finish();
    };
    assert_eq!(
        said("s: {enabled: 'no'}", read),
        [
            "'exporters.otlp/x.s.enabled' unexpected type string for 'enabled': value expected 'true' \
          or 'false'"
        ]
    );
    assert_eq!(said("s: 5", read), ["'exporters.otlp/x.s' expected a map or struct, got \"int\""]);
}

#[test]
fn lists_of_sections_are_read_element_by_element() {
    let said = said("l: [{a: 1}, {b: 2}, 3, null]", |mut section| {
        let mut values = Vec::new();
        for item in section.list("l") {
            let mut section = item.section();
            values.push(section.get::<u64>("a"));
            section.finish();
        }
        assert_eq!(values, [Some(1), None, None, None]);
        assert!(section.list("absent").is_empty());
        section.finish();
    });
    assert_eq!(
        said,
        [
            "'exporters.otlp/x.l[1]' has invalid keys: b",
            "'exporters.otlp/x.l[2]' expected a map or struct, got \"int\"",
        ]
    );
}

#[test]
fn a_list_that_is_none_is_an_error() {
    for (yaml, kind) in [("l: {a: 1}", "map"), ("l: x", "string")] {
        let said = said(yaml, |mut section| {
            assert!(section.list("l").is_empty());
            section.finish();
        });
        assert_eq!(
            said,
            [format!("'exporters.otlp/x.l' source data must be an array or slice, got {kind}")]
        );
    }
}

#[test]
fn maps_with_free_keys_keep_their_order() {
    let said = said("m: {z: 1, 'a.b': x, c: 3}\nn: [1]\n", |mut section| {
        let entries = section.entries("m");
        let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["z", "a.b", "c"]);
        let values: Vec<_> = entries.iter().map(|(_, item)| item.decode::<u64>()).collect();
        assert_eq!(values, [Some(1), None, Some(3)]);
        entries[2].1.error("must be even");
        entries[2].1.report(Mismatch::new("is odd").help("write 2"));
        entries[0].1.warn("is small");
        assert!(section.entries("n").is_empty());
        section.finish();
    });
    assert_eq!(
        said,
        [
            "exporters::otlp/x::m::z: is small",
            "'exporters.otlp/x.m.a.b' expected type 'uint64', got unconvertible type 'string'",
            "exporters::otlp/x::m::c: must be even",
            "'exporters.otlp/x.m.c' is odd",
            "'exporters.otlp/x.n' expected a map or struct, got \"slice\"",
        ]
    );
}

#[test]
fn a_section_of_free_keys_has_no_unknown_ones() {
    let said = said("{a: 1, b: 2}", |mut section| {
        let sum: u64 =
            section.all_entries().iter().filter_map(|(_, item)| item.decode::<u64>()).sum();
        assert_eq!(sum, 3);
        section.finish();
    });
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn headers_come_as_a_map_or_as_a_list() {
    let expected = [("b".to_owned(), Opaque::new("1")), ("A".to_owned(), Opaque::new("2"))];
    for yaml in [
        "h: {b: '1', A: '2'}",
        "h: [{name: b, value: '1'}, {name: A, value: '2'}]",
        "h:\n  - value: '1'\n    name: b\n  - {name: A, value: '2'}\n",
    ] {
        let said = said(yaml, |mut section| {
            let read = section.header_map("h").unwrap_or_default().into_iter();
            let read: Vec<_> = read.map(|(name, value, _)| (name, value)).collect();
            assert_eq!(read, expected, "{yaml}");
            section.finish();
        });
        assert_eq!(said, Vec::<String>::new());
    }
    for yaml in ["{}", "h: null"] {
        said(yaml, |mut section| {
            assert!(section.header_map("h").is_none());
            section.finish();
        });
    }
}

#[test]
fn broken_headers_are_errors_that_repeat_no_value() {
    let read = |mut section: Section<'_>| {
        section.header_map("h");
        section.finish();
    };
    let yaml = "h:\n  - {name: a, value: secret1}\n  - {name: a, value: secret2}\n  \
                - {value: secret3}\n  - {name: b, values: secret4}\n";
    assert_eq!(
        said(yaml, read),
        [
            "exporters::otlp/x::h: duplicate keys in map-style list: [a]",
            "exporters::otlp/x::h::2: requires \"name\", which is not set",
            "'exporters.otlp/x.h[3]' has invalid keys: values",
        ]
    );
    assert_eq!(
        said("h: {a: 11112222}", read),
        ["'exporters.otlp/x.h.a' expected type 'string', got unconvertible type 'int'"]
    );
    let flow = "h: {b: secret1, a: 11112222, c: [33334444]}";
    let pairs = "h: [{name: a, value: secret1}, {vlue: secret2, nme: x}, {value: 11112222}]";
    for yaml in [yaml, flow, pairs, "h: {a: 11112222}", "h:\n  a: [33334444]\n"] {
        let report = report(yaml, read);
        for secret in ["secret1", "secret2", "secret3", "secret4", "11112222", "33334444"] {
            assert!(!report.contains(secret), "{report}");
        }
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_section_that_is_not_finished_is_noticed() {
    let dropped = std::panic::catch_unwind(|| {
        let diagnostics = Diagnostics::new();
        drop(Section::new(None, "a", &diagnostics));
    });
    assert!(dropped.is_err());
}

#[test]
fn giving_up_after_an_error_needs_no_finish() {
    let said = said("a: 1\nb: 2\n", |mut section| {
        assert_eq!(section.get::<String>("a"), None);
    });
    assert_eq!(said.len(), 1);
}
