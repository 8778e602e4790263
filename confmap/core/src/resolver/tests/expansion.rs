//! Contract 1.4. The cases named "upstream" are those of open-telemetry/opentelemetry-collector
//! `confmap/expand_test.go` and `confmap/internal/e2e/expand_test.go`.

use crate::{
    Redaction, Retrieved,
    testing::{Fake, Log, providers, resolve_with, resolve_yaml},
};

const ENV: &[(&str, &str)] = &[
    ("COMPLEX_VALUE", "[localhost:3042]"),
    ("HOST", "localhost"),
    ("TIMESTAMP", "2023-03-20T03:17:55.432328Z"),
    ("OS", "ubuntu"),
    ("PR", "amd"),
    ("PORT", "3044"),
    ("INT", "1"),
    ("FLOAT", "6.4"),
    ("BOOL", "true"),
    ("ENV_VALUE", "some expanded value"),
    ("ENV_LIST", "['$$ESCAPE_ME','$${ESCAPE_ME}','$${env:ESCAPE_ME}']"),
    ("ENV_MAP", "{'key1':'$$ESCAPE_ME','key2':'$${ESCAPE_ME}','key3':'$${env:ESCAPE_ME}'}"),
    ("ENV_NESTED_DOLLARSIGN", "here is 1 $$"),
    ("ENV_NESTED_DOLLARSIGN_ESCAPED", "here are 2 $$$"),
    ("ENV_EXPAND_NESTED", "${env:ENV_VALUE} came from nested expansion"),
    ("EMPTY", ""),
];

/// What a scalar becomes, as JSON on one line. `test:x` is the text x.
fn expand(scalar: &str, default_scheme: Option<&'static str>) -> Result<String, String> {
    let quoted = scalar.replace('\'', "''");
    let location = format!("yaml:key: '{quoted}'");
    let log = Log::default();
    let test = Fake::new("test", &log, |opaque| Ok(Retrieved::string(opaque)));
    let resolved = resolve_with(&[&location], &[], &providers(ENV).with(test), default_scheme)
        .map_err(|diagnostics| diagnostics.sorted()[0].to_string())?;
    let value = resolved.root.get("key").expect("the key");
    let json = value.to_json(&Redaction::none());
    Ok(json.lines().map(str::trim).collect())
}

#[track_caller]
fn check(default_scheme: Option<&'static str>, cases: &[(&str, &str)]) {
    for (scalar, expected) in cases {
        let expected = match expected.as_bytes() {
            [b'[' | b'{', ..] => (*expected).to_owned(),
            _ => format!("{expected:?}"),
        };
        assert_eq!(expand(scalar, default_scheme), Ok(expected), "{scalar}");
    }
}

#[test]
fn the_escaping_table_of_the_contract_holds() {
    check(
        None,
        &[
            ("$$ENV", "$ENV"),
            ("$$$$ENV", "$$ENV"),
            ("$${env:HOST}", "${env:HOST}"),
            ("$$${env:HOST}", "$localhost"),
            ("$${1}$${env:2}", "${1}${env:2}"),
            ("$${env:${HOST}}", "${env:${HOST}}"),
            ("text$$", "text$"),
            ("${env:ENV_NESTED_DOLLARSIGN}", "here is 1 $"),
            ("${env:U:-$${env:U}}", "${env:U:-${env:U}}"),
            ("${env:HOST${env:PORT}", "${env:HOST3044"),
            ("${test:localhost:${env:PORT}}", "localhost:3044"),
        ],
    );
    check(Some("env"), &[("env:HOST}${PORT}", "env:HOST}3044")]);
}

#[test]
fn upstream_escapes_without_a_default_scheme() {
    check(
        None,
        &[
            ("$$ENV_VALUE", "$ENV_VALUE"),
            ("$$$$ENV_VALUE", "$$ENV_VALUE"),
            ("$$${ENV_VALUE}", "$${ENV_VALUE}"),
            ("some${ENV_VALUE}text", "some${ENV_VALUE}text"),
            ("some$${ENV_VALUE}text", "some${ENV_VALUE}text"),
            ("$${ONE}$${TWO}", "${ONE}${TWO}"),
            ("$$", "$"),
            ("some$${env:ENV_VALUE}text", "some${env:ENV_VALUE}text"),
            ("$${env:$${ENV_VALUE}}", "${env:${ENV_VALUE}}"),
            ("env:MAP_VALUE_2}$${ENV_VALUE}{", "env:MAP_VALUE_2}${ENV_VALUE}{"),
            ("$$${env:ENV_VALUE}", "$some expanded value"),
            ("$ENV_VALUE", "$ENV_VALUE"),
            ("${env:ENV_LIST}", r#"["$ESCAPE_ME","${ESCAPE_ME}","${env:ESCAPE_ME}"]"#),
            (
                "${env:ENV_MAP}",
                r#"{"key1": "$ESCAPE_ME","key2": "${ESCAPE_ME}","key3": "${env:ESCAPE_ME}"}"#,
            ),
            ("${env:ENV_NESTED_DOLLARSIGN_ESCAPED}", "here are 2 $$"),
            ("${env:ENV_EXPAND_NESTED}", "some expanded value came from nested expansion"),
            ("${env:UNDEFINED_KEY:-default_value}", "default_value"),
        ],
    );
}

#[test]
fn upstream_escapes_with_a_default_scheme() {
    check(
        Some("env"),
        &[
            ("$$${ENV_VALUE}", "$some expanded value"),
            ("some${ENV_VALUE}text", "somesome expanded valuetext"),
            ("$${env:${ENV_VALUE}}", "${env:some expanded value}"),
            ("$${env:$${ENV_VALUE}}", "${env:${ENV_VALUE}}"),
            ("$ENV_VALUE", "$ENV_VALUE"),
        ],
    );
}

#[test]
fn upstream_strings_without_a_default_scheme() {
    check(
        None,
        &[
            ("${HOST}:${PORT}", "${HOST}:${PORT}"),
            ("${HOST}:$PORT", "${HOST}:$PORT"),
            ("${env:COMPLEX_VALUE}", r#"["localhost:3042"]"#),
            ("${env:HOST}:3043", "localhost:3043"),
            ("${env:HOST}:${env:PORT}", "localhost:3044"),
            ("https://${env:HOST}:3045", "https://localhost:3045"),
            ("${env:HOST}:${PORT}", "localhost:${PORT}"),
            ("test_${env:INT}", "test_1"),
            ("test_${env:FLOAT}", "test_6.4"),
            ("test_${env:BOOL}", "test_true"),
            ("test_${env:TIMESTAMP}", "test_2023-03-20T03:17:55.432328Z"),
            ("test_${env:BOOL}_test_${env:BOOL}", "test_true_test_true"),
            ("${test:${env:HOST}:${env:PORT}}", "localhost:3044"),
            ("${test:localhost:${env:PORT}}?os=${env:OS}", "localhost:3044?os=ubuntu"),
            ("${test:1${test:2${test:3${test:4${test:5${test:6}}}}}}", "123456"),
            ("env:HOST}", "env:HOST}"),
            ("${HOST", "${HOST"),
            ("HO{ST}", "HO{ST}"),
            ("${env:HOST${env:PORT?os=${env:OS", "${env:HOST${env:PORT?os=${env:OS"),
            ("env:HOST}env:PORT}?os=env:OS}", "env:HOST}env:PORT}?os=env:OS}"),
            ("env:HOST}${env:PORT", "env:HOST}${env:PORT"),
            ("${test:localhost:${PORT}}", "${test:localhost:${PORT}}"),
            ("env:HOST}${env:PORT}", "env:HOST}3044"),
            ("${env:HOST}env:PORT}", "localhostenv:PORT}"),
            ("${env:HOST}${env:PORT", "localhost${env:PORT"),
            ("env:HOST}env:PORT}?os=${env:OS}", "env:HOST}env:PORT}?os=ubuntu"),
            ("${env:HOST${env:PORT?os=${env:OS}", "${env:HOST${env:PORT?os=ubuntu"),
            ("${env:HOST}}}}}}${env:PORT?os=${env:OS}", "localhost}}}}}${env:PORT?os=ubuntu"),
            ("${env:HOST}${${${${${env:PORT}?os=${env:OS}", "localhost${${${${3044?os=ubuntu"),
            ("env:HOST}${env:PORT}?os=env:OS}&pr=${env:PR}", "env:HOST}3044?os=env:OS}&pr=amd"),
            ("${env:HOST${env:PORT}?os=${env:OS&pr=${env:PR}", "${env:HOST3044?os=${env:OS&pr=amd"),
            ("${HOST}${env:PORT}", "${HOST}3044"),
            ("${env:HOST}${PORT}", "localhost${PORT}"),
        ],
    );
}

#[test]
fn upstream_strings_with_a_default_scheme() {
    check(
        Some("env"),
        &[
            ("${HOST}:${PORT}", "localhost:3044"),
            ("${HOST}:$PORT", "localhost:$PORT"),
            ("${env:HOST}:${PORT}", "localhost:3044"),
            ("${test:localhost:${PORT}}", "localhost:3044"),
            ("${test:${HOST}:${PORT}}", "localhost:3044"),
            ("env:HOST}", "env:HOST}"),
            ("${HOST", "${HOST"),
            ("HO{ST}", "HO{ST}"),
            ("${env:HOST${env:PORT?os=${env:OS", "${env:HOST${env:PORT?os=${env:OS"),
            ("env:HOST}env:PORT}?os=env:OS}", "env:HOST}env:PORT}?os=env:OS}"),
            ("env:HOST}${env:PORT", "env:HOST}${env:PORT"),
            ("${HOST}${env:PORT}", "localhost3044"),
            ("${env:HOST}${PORT}", "localhost3044"),
        ],
    );
}

#[test]
fn a_default_stands_in_for_an_unset_variable_only() {
    check(
        Some("env"),
        &[
            ("x${env:UNSET:-d}", "xd"),
            ("x${env:EMPTY:-d}", "x"),
            ("x${env:HOST:-d}", "xlocalhost"),
            ("x${env:UNSET:-}", "x"),
            ("${env:UNSET:-}", ""),
            ("x${env:UNSET:-a:-b}", "xa:-b"),
            ("x${env:UNSET:-localhost:${PORT}}", "xlocalhost:3044"),
            ("x${env:UNSET}", "x"),
        ],
    );
}

/// Here we differ: upstream replaces the escaped occurrence too, and yields `$localhost`.
#[test]
fn an_escaped_reference_survives_an_equal_one_that_is_not() {
    check(
        None,
        &[
            ("${env:HOST} $${env:HOST}", "localhost ${env:HOST}"),
            ("${env:HOST} $${env:HOST} ${env:HOST}", "localhost ${env:HOST} localhost"),
        ],
    );
}

#[test]
fn scanning_of_a_scalar_stops_at_an_escaped_reference() {
    check(None, &[("$${env:HOST} ${env:PORT}", "${env:HOST} ${env:PORT}")]);
}

/// The first value decides whether the second reference is escaped, though both were retrieved
/// together.
#[test]
fn what_was_spliced_in_counts_for_what_follows() {
    let env = &[("D", "$"), ("DD", "$$"), ("HOST", "localhost")];
    let resolved = resolve_yaml("{a: '${D}${HOST}', b: '${DD}${HOST}'}", env).expect("resolves");
    assert_eq!(resolved.root.get("a").expect("a").as_str(), Some("${HOST}"));
    assert_eq!(resolved.root.get("b").expect("b").as_str(), Some("$localhost"));
}

#[test]
fn a_reference_that_cannot_be_read_is_an_error() {
    let cases = [
        ("${test:$VALUE}", "the uri \"test:$VALUE\" contains unsupported characters ('$')"),
        ("a ${x:VALUE}", "invalid uri: \"x:VALUE\""),
        ("${un_supported:VALUE}", "invalid uri: \"un_supported:VALUE\""),
        (
            "${unsupported:VALUE}",
            "scheme \"unsupported\" is not supported for uri \"unsupported:VALUE\"",
        ),
        (
            "a ${env:hello.world}",
            "environment variable \"hello.world\" has invalid name: must match regex \
             ^[a-zA-Z_][a-zA-Z0-9_]*$",
        ),
        (
            "${}",
            "environment variable \"\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$",
        ),
    ];
    for (scalar, message) in cases {
        assert_eq!(expand(scalar, Some("env")), Err(format!("key: {message}")), "{scalar}");
    }
}

#[test]
fn a_default_without_a_scheme_is_an_error_that_says_what_to_write() {
    for name in ["X", "NAME"] {
        let yaml = format!("a: ${{{name}:-d}}");
        let diagnostics = resolve_yaml(&yaml, &[]).expect_err("upstream refuses it too");
        let diagnostic = &diagnostics.sorted()[0];
        assert_eq!(
            diagnostic.help_text(),
            Some("a default needs the scheme: ${env:NAME:-default}")
        );
    }
}

#[test]
fn keys_are_never_expanded() {
    let resolved = resolve_yaml("{'${HOST}': {'$$x': '${HOST}'}}", ENV).expect("resolves");
    let value = resolved.root.get("${HOST}").and_then(|node| node.get("$$x")).expect("the key");
    assert_eq!(value.as_str(), Some("localhost"));
}

#[test]
fn values_are_expanded_at_any_depth() {
    let yaml = "a: [{b: ['${HOST}', {c: 'x${PORT}'}]}]";
    let resolved = resolve_yaml(yaml, ENV).expect("resolves");
    assert_eq!(
        resolved.root.to_yaml(&Redaction::none()),
        "a:\n  - b:\n      - localhost\n      - c: x3044\n"
    );
}

#[test]
fn an_unset_variable_is_a_warning_and_an_empty_one_is_not() {
    let yaml = "{a: '${UNSET}', b: 'x${UNSET}', c: '${EMPTY}', d: '${env:UNSET2:-}'}";
    let resolved = resolve_yaml(yaml, ENV).expect("resolves");
    let warnings: Vec<String> =
        resolved.warnings.sorted().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["a: Configuration references unset environment variable \"UNSET\""]);
}

#[test]
fn every_reference_that_fails_is_reported_once() {
    let yaml = "a: ${env:1}\nb: ${env:1}\nc: [x, \"${nope:x}\"]\nd: ${env:OK}\n";
    let diagnostics = resolve_yaml(yaml, &[("OK", "1")]).expect_err("two references fail");
    let places: Vec<String> = diagnostics
        .sorted()
        .iter()
        .map(|d| format!("{} {}", d.path(), d.origin().expect("a place").line()))
        .collect();
    assert_eq!(places, ["a 1", "c[1] 3"]);
}

#[test]
fn name_behind_a_lone_dollar_stays_and_is_warned_about() {
    let yaml = "a: $TOKEN\nb: [x, 'Bearer $_t and ${env:HOST}']\nc: $$TOKEN\nd: ${env:PRICE}\ne: 'a$|b$1'\nf: $$$$x\ng: $${HOST}\nh: $$$x\n";
    let resolved = resolve_yaml(yaml, &[("HOST", "h"), ("PRICE", "in $US")]).unwrap();
    let warnings = resolved.warnings.sorted();
    let places: Vec<String> = warnings.iter().map(|d| d.path().to_string()).collect();
    assert_eq!(places, ["a", "b[1]", "h"]);
    let said = resolved.warnings.to_string();
    assert!(said.contains("write ${env:NAME} for the variable, or $$NAME for the text"), "{said}");
    assert!(!said.contains("TOKEN"), "{said}");
    assert_eq!(resolved.root.get("a").unwrap().as_str(), Some("$TOKEN"));
    assert_eq!(resolved.root.get("c").unwrap().as_str(), Some("$TOKEN"));
}
