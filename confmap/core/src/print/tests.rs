use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use crate::{Node, Redaction};

fn node(yaml: &str) -> Node {
    Node::from_yaml("t", yaml).expect("YAML")
}

const EVERYTHING: &str = "\
s: text
q: \"true\"
n: null
i: -7
f: 1.0
big: 1e21
inf: -.inf
e: {m: {}, l: [], t: ''}
l:
  - 1
  - [2, [3]]
  - {a: 1, b: [x]}
  - null
";

#[test]
fn yaml_is_printed_in_blocks() {
    assert_eq!(
        node(EVERYTHING).to_yaml(&Redaction::none()),
        "\
s: text
q: \"true\"
\"n\": null
i: -7
f: 1.0
big: 1e21
inf: -.inf
e:
  m: {}
  l: []
  t: \"\"
l:
  - 1
  - - 2
    - - 3
  - a: 1
    b:
      - x
  - null
"
    );
}

#[test]
fn json_is_printed_indented() {
    assert_eq!(
        node("{a: 1, b: [x, true, 1.5, .nan], c: {}, d: [], e: ~, f: \"q\\\"\\n\\u0001\"}")
            .to_json(&Redaction::none()),
        "{
  \"a\": 1,
  \"b\": [
    \"x\",
    true,
    1.5,
    \".nan\"
  ],
  \"c\": {},
  \"d\": [],
  \"e\": null,
  \"f\": \"q\\\"\\n\\u0001\"
}
"
    );
}

/// A scalar in YAML, with the text of strings taken from anywhere.
fn scalar() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "yes",
        "No",
        "y",
        "null",
        "~",
        "true",
        "0123",
        "0x1f",
        "1_000",
        "1e3",
        ".inf",
        "-",
        "?",
        ":",
        "a:",
        "a: b",
        "a #b",
        "#",
        "[",
        "]",
        "{}",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "\\",
        " a",
        "a ",
        "a\tb",
        "\u{feff}a",
        "a\u{2028}b",
        "\u{85}",
        "<<",
        "---",
        "...",
        "- a",
        "a,b",
        "${env:X}",
        "2023-03-20",
        "",
    ]);
    let text = prop_oneof(words.prop_map(str::to_owned).boxed(), any::<String>().boxed());
    text.prop_map(|text| {
        let mut out = String::new();
        super::write_quoted(&mut out, &text);
        out
    })
}

fn prop_oneof(
    a: proptest::strategy::BoxedStrategy<String>,
    b: proptest::strategy::BoxedStrategy<String>,
) -> impl Strategy<Value = String> {
    proptest::strategy::Union::new([a, b])
}

fn trees() -> impl Strategy<Value = String> {
    let numbers = prop::sample::select(vec![
        "1",
        "-0.5",
        "1e300",
        "18446744073709551615",
        "null",
        "false",
        ".nan",
    ]);
    let leaf = prop_oneof(scalar().boxed(), numbers.prop_map(str::to_owned).boxed());
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|items| format!("[{}]", items.join(", ")));
        let map = prop::collection::btree_map(scalar(), inner, 0..4).prop_map(|map| {
            let entries: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        });
        prop_oneof(list.boxed(), map.boxed())
    })
}

proptest! {
    #[test]
    fn printed_yaml_reads_back_as_the_same_tree(text in trees()) {
        // Some texts hold what YAML has no escape for in JSON's way; those are not read at all.
        if let Ok(node) = Node::from_yaml("t", &text) {
            let printed = node.to_yaml(&Redaction::none());
            let again = Node::from_yaml("t", &printed);
            prop_assert!(again.is_ok_and(|again| again == node), "{text}\n{printed}");
        }
    }

    #[test]
    fn printed_json_reads_back_as_the_same_tree(text in trees()) {
        if let Ok(node) = Node::from_yaml("t", &text)
            && !text.contains(".nan")
        {
            let printed = node.to_json(&Redaction::none());
            let again = Node::from_yaml("t", &printed);
            prop_assert!(again.is_ok_and(|again| again == node), "{text}\n{printed}");
        }
    }
}

#[test]
fn users_and_passwords_in_urls_are_masked_at_any_key_unless_told_otherwise() {
    let node =
        node("a: \"http://u:canary@h/x\"\nb: [{c: \"https://canary@h\"}, \"u:canary@h:1\"]\n");
    let secrets = Redaction::secrets(&crate::Diagnostics::new());
    assert_eq!(
        node.to_yaml(&secrets),
        "a: \"http://[REDACTED]@h/x\"\nb:\n  - c: \"https://[REDACTED]@h\"\n  - \"[REDACTED]@h:1\"\n"
    );
    assert!(!node.to_json(&secrets).contains("canary"));
    assert_eq!(node.to_yaml(&Redaction::none()).matches("canary").count(), 3);
    assert_eq!(node.to_json(&Redaction::none()).matches("canary").count(), 3);
}
