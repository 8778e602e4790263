//! Whatever the configuration, resolving ends, and takes bounded memory.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use crate::{
    Node, Redaction, Retrieved, Severity, Value,
    limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_NODES},
    resolver::merge::merge,
    testing::{Fake, Log, providers, resolve_with, resolve_yaml},
};

fn first_error(yaml: &str, env: &[(&str, &str)]) -> String {
    let diagnostics = resolve_yaml(yaml, env).expect_err("must be refused").sorted();
    let error = diagnostics.iter().find(|diagnostic| diagnostic.severity() == Severity::Error);
    error.expect("an error").to_string()
}

#[test]
fn a_reference_to_itself_ends() {
    let too_many = "a: too many recursive expansions";
    assert_eq!(first_error("a: ${A}", &[("A", "${A}")]), too_many);
    assert_eq!(first_error("a: ${A}", &[("A", "${B}"), ("B", "${A}")]), too_many);
    assert_eq!(first_error("a: x${A}", &[("A", "${A}")]), too_many);
    let starts = |text: String| {
        assert!(text.starts_with("a") && text.contains("too many recursive expansions"), "{text}")
    };
    starts(first_error("a: x${A}", &[("A", "y${A}")]));
    starts(first_error("a: x${A}", &[("A", "${A}${A} ${B}"), ("B", "${A}")]));
    starts(first_error("a: ${A}", &[("A", "{b: \"${A}\"}")]));
    starts(first_error("a: ${A}", &[("A", "[\"${A}\", \"${A}\"]")]));
}

#[test]
fn a_reference_that_keeps_changing_ends() {
    let log = Log::default();
    let next = Fake::new("next", &log, |opaque| {
        let number: u64 = opaque.parse().unwrap_or(0);
        Ok(Retrieved::yaml(format!("${{next:{}}}", number + 1)))
    });
    let yaml = ["yaml:a: ${next:0}"];
    let diagnostics =
        resolve_with(&yaml, &[], &providers(&[]).with(next), None).expect_err("must be refused");
    assert_eq!(diagnostics.sorted()[0].to_string(), "too many recursive expansions");
}

#[test]
fn values_that_double_with_every_reference_are_refused() {
    let names: Vec<String> = (0..40).map(|index| format!("V{index}")).collect();
    for (open, close) in [("", ""), ("[\"", "\"]")] {
        let join = if open.is_empty() { "" } else { "\", \"" };
        let values: Vec<String> = (0..40)
            .map(|index| {
                let next = index + 1;
                format!("{open}${{V{next}}} {join} ${{env:V{next}:-}}{close}")
            })
            .collect();
        let env: Vec<(&str, &str)> = names
            .iter()
            .zip(&values)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let error = first_error("a: ${V0}", &env);
        assert!(error.contains("too many recursive expansions"), "{error}");
    }
}

#[test]
fn what_a_provider_yields_has_a_limit() {
    let log = Log::default();
    let big = Fake::new("big", &log, |_| Ok(Retrieved::yaml("x".repeat(MAX_DOCUMENT_BYTES + 1))));
    let yaml = ["yaml:a: ${big:1}"];
    let diagnostics =
        resolve_with(&yaml, &[], &providers(&[]).with(big), None).expect_err("must be refused");
    assert_eq!(diagnostics.sorted()[0].to_string(), "a: big:1 yields more than 1048576 bytes");
}

#[test]
fn what_locations_have_together_is_limited() {
    let list = |key: &str| format!("yaml:{key}: [{}]", "1, ".repeat(MAX_NODES / 2));
    let (a, b) = (list("a"), list("b"));
    assert!(resolve_with(&[&a], &[], &providers(&[]), None).is_ok());
    let both = resolve_with(&[&a, &b], &[], &providers(&[]), None).expect_err("must be refused");
    assert_eq!(both.sorted()[0].to_string(), "the merged configuration is too large");
}

#[test]
fn nesting_has_a_limit_however_it_comes_about() {
    let nested = |levels: usize| format!("{}x{}", "[".repeat(levels), "]".repeat(levels));
    let inner = nested(60);
    let env = [("INNER", inner.as_str())];
    let yaml = |levels: usize| format!("a: {}", nested(levels).replace('x', "\"${INNER}\""));
    // The root map is a level too.
    assert!(resolve_yaml(&yaml(MAX_DEPTH - 60 - 1), &env).is_ok());
    let error = first_error(&yaml(MAX_DEPTH - 60), &env);
    assert!(error.ends_with("nested deeper than 100 levels"), "{error}");
}

/// Trees that hold maps at `m` and `n` and other values at `a` and `b`. Where a map meets something
/// else, merging is not associative, here as upstream: `{m: {a: 1}}`, `{m: 5}`, `{m: {b: 1}}`.
fn trees() -> impl Strategy<Value = String> {
    let leaf = || prop::option::of(prop::sample::select(vec!["1", "null", "text", "[]", "[1]"]));
    let map = |a: Option<&str>, b: Option<&str>, m: Option<String>, n: Option<String>| {
        let entries =
            [("b", b.map(str::to_owned)), ("m", m), ("a", a.map(str::to_owned)), ("n", n)];
        let entries =
            entries.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
    };
    let flat = (leaf(), leaf()).prop_map(move |(a, b)| map(a, b, None, None));
    flat.prop_recursive(4, 16, 4, move |inner| {
        let inner = prop::option::of(inner);
        (leaf(), leaf(), inner.clone(), inner).prop_map(move |(a, b, m, n)| map(a, b, m, n))
    })
}

proptest! {
    #[test]
    fn merging_is_associative(a in trees(), b in trees(), c in trees()) {
        let node = |text: &str| Node::from_yaml("t", text).expect("YAML");
        let left = merge(merge(node(&a), node(&b)), node(&c));
        let right = merge(node(&a), merge(node(&b), node(&c)));
        prop_assert!(left == right, "{a} {b} {c}");
    }

    #[test]
    fn expanding_escaped_text_gives_the_text_back(text in "[${}a:$ \\-x]{0,40}") {
        let escaped = text.replace('$', "$$").replace('\'', "''");
        let resolved = resolve_yaml(&format!("key: '{escaped}'"), &[]);
        let resolved = resolved.expect("nothing to expand");
        prop_assert_eq!(resolved.root.get("key").and_then(Node::as_str), Some(text.as_str()));
        prop_assert!(resolved.warnings.is_empty());
    }

    #[test]
    fn any_text_resolves_or_is_refused(text in any::<String>(), value in any::<String>()) {
        for location in [format!("yaml:{text}"), format!("yaml:a: '{}'", text.replace('\'', "''"))] {
            let value = value.replace('\0', "");
            let env = providers(&[("A", value.as_str()), ("a", text.as_str())]);
            match resolve_with(&[&location], &[], &env, Some("env")) {
                Ok(resolved) => {
                    let _ = resolved.root.to_yaml(&Redaction::secrets(&resolved.warnings));
                }
                Err(diagnostics) => prop_assert!(!diagnostics.render(true).is_empty()),
            }
        }
    }

    #[test]
    fn any_reference_syntax_resolves_or_is_refused(
        text in "(\\$|\\{|\\}|\\$\\{|:|A|B|:-|env|yaml|\\[|\\]|,|\"| ){0,30}",
        a in "(\\$|\\{|\\}|\\$\\{|B|:-|\\[|,|\"){0,8}",
    ) {
        let env = providers(&[("A", a.as_str()), ("B", "b$"), ("", "x")]);
        let location = format!("yaml:a: '{}'", text.replace('\'', "''"));
        for default_scheme in [None, Some("env")] {
            match resolve_with(&[&location], &[], &env, default_scheme) {
                Ok(resolved) => prop_assert!(matches!(resolved.root.value(), Value::Map(_))),
                Err(diagnostics) => prop_assert!(diagnostics.has_errors()),
            }
        }
    }
}
