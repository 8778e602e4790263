use std::{fmt::Write, sync::Arc};

use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use crate::{
    Diagnostics, Exposure, Node, Redaction, Source, Value,
    limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_NODES},
};

fn parse(text: &str) -> Result<Node, Diagnostics> {
    Node::from_yaml("file:t.yaml", text)
}

#[track_caller]
fn same(text: &str, expected: &str) {
    let node = parse(text).unwrap_or_else(|diagnostics| panic!("{text:?}: {diagnostics}"));
    assert_eq!(node.to_yaml(&Redaction::none()), expected, "{text:?}");
}

/// The error's message with line and column.
#[track_caller]
fn refuses(text: &str, expected: &str) {
    let diagnostics = parse(text).expect_err("must be refused").sorted();
    let [diagnostic] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
    let origin = diagnostic.origin().expect("a place");
    let error = format!("{}:{} {}", origin.line(), origin.column(), diagnostic.message());
    assert_eq!(error, expected, "{text:?}");
}

#[test]
fn documents_read_as_yaml_v3_reads_them() {
    same("", "null\n");
    same("# only a comment\n", "null\n");
    same("text", "text\n");
    same("a: 1\r\nb:\r\n  - x\r\n", "a: 1\nb:\n  - x\n");
    same("--- # start\na: 1\n...\n", "a: 1\n");
    same("{\n\t\"a\": 1,\n\t\"b\": [\n\t\t1\n\t]\n}\n", "a: 1\nb:\n  - 1\n");
    same("a:\n- x\n-\n- - z\nb: 1\n", "a:\n  - x\n  - null\n  - - z\nb: 1\n");
    same("a: [\n  x,\n]\nb: {c, d: 1,}\n", "a:\n  - x\nb:\n  c: null\n  d: 1\n");
    same("a: 'it''s'\nb: \"\\u00e9\\x41\\n\"\n", "a: \"it's\"\nb: \"éA\\n\"\n");
    same("a: |\n  x\n  y\nb: >-\n  x\n  y\n", "a: \"x\\ny\\n\"\nb: \"x y\"\n");
    same("a: one\n  two\n", "a: \"one two\"\n");
    same("a: x#y\nb: z # c\n", "a: \"x#y\"\nb: z\n");
    same("a: http://h:1/p?q#f\n", "a: \"http://h:1/p?q#f\"\n");
    same("a: ${env:X:-h:1}/${Y}\n", "a: \"${env:X:-h:1}/${Y}\"\n");
    same("a: [\"${env:X}\"]\n", "a:\n  - \"${env:X}\"\n");
    same("? a\n: b\n", "a: b\n");
    same("1: a\ntrue: b\n~: c\n", "\"1\": a\n\"true\": b\n\"~\": c\n");
    same("%YAML 1.1\n---\na: 1\n", "a: 1\n");
    same("a: 1\n---\nb: [\n", "a: 1\n");
}

#[test]
fn a_tab_between_key_and_value_is_taken() {
    same(
        "a:\tx\nb: \ty\nc:\t\t-1\nd: \"e:\tf\"\ng:\t5\n",
        "a: x\nb: \"y\"\nc: -1\nd: \"e:\\tf\"\ng: 5\n",
    );
    let node = parse("a:\t\tx\n").expect("YAML");
    assert_eq!(node.get("a").expect("a").origin().column(), 5);
}

#[test]
fn taking_tabs_ends_when_it_has_cost_too_much() {
    let text = "a:\tx\nb:\ty\n";
    let source = Arc::new(Source::new("t", text, Exposure::Shown, 0));
    assert!(super::parse_within(&source, text, 2 * text.len()).is_ok());
    assert!(super::parse_within(&source, text, 2 * text.len() - 1).is_err());
}

#[test]
fn tags_say_what_a_scalar_is() {
    same(
        "[!!str 1, !!int '2', !!float 1, !foo 3, ! 4, !!null '']",
        "- \"1\"\n- 2\n- 1.0\n- \"3\"\n- \"4\"\n- null\n",
    );
    refuses("a: !!int x\n", "1:4 yaml: line 1: cannot decode the value as a !!int");
    refuses("a: !!bool yes\n", "1:4 yaml: line 1: cannot decode the value as a !!bool");
    refuses("a: !!binary aGk=\n", "1:4 yaml: line 1: the tag !!binary is not supported");
}

#[test]
fn merge_keys_fill_in_what_a_map_does_not_have() {
    let anchors = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
    let merged = |text: &str| {
        let node = parse(&format!("{anchors}z: {text}\n")).expect("YAML");
        node.get("z").expect("z").to_yaml(&Redaction::none())
    };
    assert_eq!(merged("{<<: *x, b: 9}"), "b: 9\na: 1\n");
    assert_eq!(merged("{b: 9, <<: [*x, *y]}"), "b: 9\na: 1\nc: 4\n");
    assert_eq!(merged("{<<: {d: 5}}"), "d: 5\n");
    assert_eq!(merged("{\"<<\": 1}"), "\"<<\": 1\n");
    let error = "map merge requires map or sequence of maps as the value";
    refuses("a:\n  <<: 3\n", &format!("2:3 yaml: line 2: {error}"));
    refuses("a:\n  <<: [3]\n", &format!("2:3 yaml: line 2: {error}"));
    refuses(
        "a: &a {}\nb:\n  <<: *a\n  <<: *a\n",
        "4:3 yaml: line 4: mapping key \"<<\" already defined at line 3",
    );
}

#[test]
fn aliases_stand_for_their_anchors() {
    same("a: &x\n  b: 1\nc: *x\n", "a:\n  b: 1\nc:\n  b: 1\n");
    same("a: &x 1\nb: &x 2\nc: *x\n", "a: 1\nb: 2\nc: 2\n");
    same("&k a: 1\nb: *k\n*k : 3\n".replace("*k : 3\n", "").as_str(), "a: 1\nb: a\n");
    same("x: &k key\n*k : 3\n", "x: key\nkey: 3\n");
    refuses("a: *foo\n", "1:4 yaml: line 1: while parsing node, found unknown anchor");
    refuses("a: &a [*a]\n", "1:8 yaml: line 1: unknown anchor, or one that contains this alias");
}

#[test]
fn duplicate_keys_name_both_lines() {
    refuses("a: 1\nb: 2\na: 3\n", "3:1 yaml: line 3: mapping key \"a\" already defined at line 1");
    refuses("a: {b: 1, b: 2}\n", "1:11 yaml: line 1: mapping key \"b\" already defined at line 1");
    let mut many = String::new();
    for index in 0..100 {
        let _ = writeln!(many, "k{index}: 1");
    }
    for (key, line) in [("k7", 8), ("k70", 71)] {
        let error = format!("mapping key \"{key}\" already defined at line {line}");
        refuses(&format!("{many}{key}: 2\n"), &format!("101:1 yaml: line 101: {error}"));
    }
}

#[test]
fn a_key_with_two_colons_stands_for_nested_keys() {
    same("a::b: 1\na::c::d: 2\na:\n  e: 3\nf: 4\n", "a:\n  b: 1\n  c:\n    d: 2\n  e: 3\nf: 4\n");
    same("x: {a::b: {c::d: 1}}\n", "x:\n  a:\n    b:\n      c:\n        d: 1\n");
    // Below a list upstream leaves keys alone.
    same("l: [{a::b: 1}]\n", "l:\n  - a::b: 1\n");
    refuses(
        "a::b: 1\na:\n  b: 2\n",
        "3:3 yaml: line 3: mapping key \"b\" already defined at line 1",
    );
    refuses("a: 1\na::b: 2\n", "2:1 yaml: line 2: mapping key \"a\" already defined at line 1");
}

#[test]
fn broken_yaml_names_the_place_and_the_remedy() {
    let tab = "found a tab in the indentation";
    refuses("a:\n\tb: 1\n", &format!("2:1 yaml: line 2: {tab}"));
    refuses("a:\n  b: 1\n\tc: 2\n", &format!("3:1 yaml: line 3: {tab}"));
    refuses("a:\n  - x\n  \t- y\n", &format!("3:3 yaml: line 3: {tab}"));
    refuses(
        "a:\n  b: 1\n c: 2\n",
        "3:2 yaml: line 3: while parsing a block mapping, did not find expected key",
    );
    let colon = "could not find expected ':'";
    refuses("a: 1\nb\n# c\nc: 2\n", &format!("2:1 yaml: line 2: {colon}"));
    let values = "mapping values are not allowed in this context";
    refuses("a: 1\n  b: 2\n", &format!("2:4 yaml: line 2: {values}"));
    refuses("a: b: c\n", &format!("1:5 yaml: line 1: {values}"));
    // The blank is missing on the line above.
    refuses("  a:1\n  b: 2\n", &format!("1:4 yaml: line 1: {values}"));
    refuses("a: {{ x }}\n", "1:5 yaml: line 1: a map or a list can't be a key");
    refuses("? [a]\n: b\n", "1:3 yaml: line 1: a map or a list can't be a key");
    refuses(
        "[\"a\",",
        "1:6 yaml: line 1: while parsing a node, did not find expected node content",
    );
    refuses("a: \0b\n", "1:4 yaml: line 1: found unprintable character");
    for (text, help) in [
        ("a:\n\tb: 1\n", "indent with spaces: YAML takes no tab there"),
        ("a:1\nb: 2\n", "put a blank behind the colon"),
        ("a: @x\n", "text that begins with @, % or ` needs quotes"),
        ("a: *.x\n", "needs quotes"),
        ("a: [*]\n", "text that begins with * or & needs quotes"),
        ("a: [x, ${env:B}]\n", "put a value with ${…}, { or [ in quotes"),
        ("{a: ${env:B}}\n", "put a value with ${…}, { or [ in quotes"),
        ("a: {{ x }}\n", "text that begins with { or [ needs quotes"),
        ("a: \"\\d\"\n", "a \\ in double quotes should be \\\\"),
        ("a: \"x\nb: 2\n", "the quotes are not closed"),
        ("a: [1, 2\nb: 2\n", "a [ or { above is not closed"),
        ("a: 1\na: 2\n", "merge the two, or remove one"),
    ] {
        let report = parse(text).expect_err("must be refused").to_string();
        assert!(report.contains(help), "{text:?}: {report}");
    }
}

#[test]
fn places_are_those_of_the_text() {
    let node = parse("é: ü\nl:\n  - {k: \"v w\"}\nm: |\n  x\n").expect("YAML");
    let place = |node: &Node| {
        let origin = node.origin();
        (origin.line(), origin.column(), origin.width())
    };
    assert_eq!(place(node.get("é").expect("é")), (1, 4, 1));
    let item = &node.get("l").and_then(Node::as_seq).expect("l")[0];
    assert_eq!(place(item.get("k").expect("k")), (3, 9, 5));
    let key = item.as_map().and_then(|map| map.entry("k")).expect("k");
    assert_eq!((key.key_origin.line(), key.key_origin.column()), (3, 6));
    assert_eq!(key.key_origin.line_text(), Some("  - {k: \"v w\"}"));
    assert_eq!(node.get("m").expect("m").origin().line(), 5);
}

#[test]
fn nesting_is_limited() {
    let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let too_deep = "yaml: line 1: nested deeper than 100 levels";
    refuses(&nested(MAX_DEPTH + 1), &format!("1:101 {too_deep}"));
    assert!(parse(&"[".repeat(100_000)).is_err());
    refuses(&"- ".repeat(MAX_DEPTH + 1), &format!("1:201 {too_deep}"));
    refuses(&format!("{}a: 1", "a::".repeat(MAX_DEPTH)), &format!("1:1 {too_deep}"));
    assert!(parse(&format!("{}a: 1", "a::".repeat(MAX_DEPTH - 1))).is_ok());
    refuses(&format!("x: {{{}a: 1}}", "a::".repeat(MAX_DEPTH - 1)), &format!("1:5 {too_deep}"));
    // Aliases nest what their anchors hold.
    let half = nested(60);
    let alias = format!("a: &a {half}\nb: {}*a{}\n", "[".repeat(60), "]".repeat(60));
    refuses(&alias, "2:64 yaml: line 2: nested deeper than 100 levels");
}

#[test]
fn aliases_cannot_multiply_without_end() {
    let mut bomb = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{aliases}]");
    }
    let report = parse(&bomb).expect_err("must be refused").to_string();
    assert!(report.contains("more than 100000 keys and values"), "{report}");
    // The same with text instead of values.
    let big = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 200].join(", "));
    assert!(parse(&big).expect_err("must be refused").to_string().contains("bytes of text"));
    // Keys count as values do: 600 maps of 100 keys.
    let keys: Vec<String> = (0..100).map(|key| format!("k{key}: 1")).collect();
    let aliases = vec!["*a"; 600].join(", ");
    assert!(parse(&format!("a: &a {{{}}}\nb: [{aliases}]\n", keys.join(", "))).is_err());
    // Anchors keep copies, so nested ones count too.
    let anchors: String = (0..90).map(|level| format!("&a{level} [")).collect();
    let nested = format!("{anchors}{}{}", "1, ".repeat(20_000), "]".repeat(90));
    assert!(parse(&nested).is_err());
}

#[test]
fn size_is_limited() {
    refuses(&" ".repeat(MAX_DOCUMENT_BYTES + 1), "1:1 yaml: line 1: larger than 1048576 bytes");
    let report = parse(&"- 1\n".repeat(MAX_NODES)).expect_err("must be refused").to_string();
    assert!(report.contains("more than 100000 keys and values"), "{report}");
    // A large map takes no quadratic time.
    let map: String = (0..49_000).map(|key| format!("k{key}: 1\n")).collect();
    assert_eq!(parse(&map).expect("YAML").as_map().map(crate::Map::len), Some(49_000));
}

#[test]
fn sections_compare_by_what_fields_would_decode() {
    assert!(
        parse("{a: 1, b: [x, .nan]}").expect("a") == parse("a: 1\nb:\n- x\n- .nan\n").expect("b")
    );
    for (a, b) in [
        ("a: 1", "a: 2"),
        ("a: 1", "a: '1'"),
        ("a: 1", "a: 1.0"),
        ("[1]", "[1, 1]"),
        ("a: ~", "b: ~"),
    ] {
        assert!(parse(a).expect("a") != parse(b).expect("b"), "{a} {b}");
    }
}

/// Text made of what YAML gives a meaning to.
fn yaml_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "b",
        "0x1",
        "1_0",
        ": ",
        ":",
        "::",
        "- ",
        "-",
        "\n",
        "\n  ",
        "\n    ",
        "\t",
        " ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        "\"",
        "'",
        "|",
        ">",
        "&x ",
        "*x",
        "<<",
        "? ",
        "!!str ",
        "!!int ",
        "!",
        "#",
        " #",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "${",
        "}",
        "$",
        "\r\n",
        "\u{feff}",
        "é",
        "\u{85}",
        "\\",
        "@",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn yaml_like_text_is_read_or_refused_at_a_place(text in yaml_like()) {
        match parse(&text) {
            Ok(node) => prop_assert!(matches!(node.value(), Value::Null) || !text.is_empty()),
            Err(diagnostics) => {
                let diagnostics = diagnostics.sorted();
                let origin = diagnostics[0].origin().expect("a place");
                prop_assert!(origin.line() >= 1 && origin.column() >= 1);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Err(diagnostics) = parse(&text) {
            prop_assert!(diagnostics.to_string().starts_with("error: yaml: line "));
        }
    }
}
