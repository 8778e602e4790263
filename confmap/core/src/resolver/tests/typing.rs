//! Contract 1.5, the original-string rule. The cases named "upstream" are those of
//! open-telemetry/opentelemetry-collector `confmap/internal/e2e/types_test.go`.

use std::fmt::Debug;

use crate::{Decode, Diagnostics, Opaque, Section, testing::resolve_yaml};

/// Decodes `field: ${env:ENV}`, or the first error.
fn field<T: Decode>(env: &[(&str, &str)]) -> Result<Option<T>, String> {
    decode("field: ${env:ENV}", env)
}

fn decode<T: Decode>(yaml: &str, env: &[(&str, &str)]) -> Result<Option<T>, String> {
    let first = |diagnostics: &Diagnostics| diagnostics.sorted()[0].to_string();
    let resolved = resolve_yaml(yaml, env).map_err(|diagnostics| first(&diagnostics))?;
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    let value = section.get("field");
    section.finish();
    if diagnostics.has_errors() { Err(first(&diagnostics)) } else { Ok(value) }
}

/// Both for a variable and for a variable that refers to it, as upstream tests it.
#[track_caller]
fn check<T: Decode + Debug + PartialEq>(value: &str, expected: Result<T, &str>) {
    let expected = expected.map(Some).map_err(str::to_owned);
    assert_eq!(field(&[("ENV", value)]), expected, "{value}");
    let indirect = [("ENV", "${env:ENV2}"), ("ENV2", value)];
    assert_eq!(field(&indirect), expected, "{value}, indirect");
}

#[track_caller]
fn check_inline(value: &str, expected: Result<&str, &str>) {
    let yaml = "field: inline field with ${env:ENV} expansion";
    let expected = expected
        .map(|text| Some(format!("inline field with {text} expansion")))
        .map_err(str::to_owned);
    assert_eq!(decode::<String>(yaml, &[("ENV", value)]), expected, "{value}");
}

fn text(text: &str) -> Result<String, &str> {
    Ok(text.to_owned())
}

#[test]
fn upstream_string_fields_take_the_original_text() {
    for value in [
        "123",
        "0123",
        "0xdeadbeef",
        "\"0123\"",
        "!!str 0123",
        "[a,b]",
        "{\"field\": 123}",
        "1111:1111:1111:1111:1111::",
        "1111::",
        "2006-01-02T15:04:05Z07:00",
        "2023-03-20T03:17:55.432328Z",
        "[\"a\",",
        "[filelog,windowseventlog/application]",
        "\tx",
        "a # b",
        "null",
        "~",
        "",
        " padded ",
        "multi\nline\n",
    ] {
        check(value, text(value));
        check_inline(value, Ok(value));
    }
}

#[test]
fn upstream_other_fields_take_the_parsed_value() {
    check("123", Ok(123_i64));
    check("0123", Ok(83_i64));
    check("0xdeadbeef", Ok(3_735_928_559_i64));
    check("1.5", Ok(1.5_f64));
    check("true # comment with a ${env:hello.world} reference", Ok(true));
    check(
        "[filelog,windowseventlog/application]",
        Ok(vec!["filelog".to_owned(), "windowseventlog/application".to_owned()]),
    );
}

#[test]
fn upstream_values_of_the_wrong_type_are_errors() {
    let got = |wanted: &str, got: &str| {
        format!("'field' expected type '{wanted}', got unconvertible type '{got}'")
    };
    check::<i64>("\"0123\"", Err(&got("int64", "string")));
    check::<usize>("\"0123\"", Err(&got("int", "string")));
    check::<bool>("t", Err(&got("bool", "string")));
    check::<bool>("23", Err(&got("bool", "int")));
    check::<bool>("yes", Err(&got("bool", "string")));
    // The original text holds a reference that can't be expanded, so there is no text.
    let comment = "true # comment with a ${env:hello.world} reference";
    check::<String>(comment, Err(&got("string", "bool")));
    check_inline(
        comment,
        Err("field: environment variable \"hello.world\" has invalid name: must match regex \
             ^[a-zA-Z_][a-zA-Z0-9_]*$"),
    );
}

#[test]
fn upstream_escapes_in_variables() {
    for (value, expected) in [
        ("$$ENV", "$ENV"),
        ("$${ENV}", "${ENV}"),
        ("$${env:ENV}", "${env:ENV}"),
        (r#"["filelog","$${env:ENV_VALUE}"]"#, r#"["filelog","${env:ENV_VALUE}"]"#),
        (r#"["filelog","$${ENV_VALUE}"]"#, r#"["filelog","${ENV_VALUE}"]"#),
        (r#"["filelog","$$ENV_VALUE"]"#, r#"["filelog","$ENV_VALUE"]"#),
        (r#"["filelog","$ENV_VALUE"]"#, r#"["filelog","$ENV_VALUE"]"#),
    ] {
        check(value, text(expected));
        check_inline(value, Ok(expected));
    }
}

#[test]
fn upstream_references_in_the_text_of_a_list() {
    let with_value = |value| [("ENV", value), ("ENV_VALUE", "testreceiver")];
    for value in ["[filelog,${env:ENV_VALUE}]", "[filelog,${ENV_VALUE}]"] {
        assert_eq!(
            field::<String>(&with_value(value)),
            Ok(Some("[filelog,testreceiver]".to_owned()))
        );
    }
    // Quoted it is YAML, so the list and its text are both to be had.
    let value = "[filelog,\"${env:ENV_VALUE}\"]";
    assert_eq!(
        field::<String>(&with_value(value)),
        Ok(Some("[filelog,\"testreceiver\"]".to_owned()))
    );
    assert_eq!(
        field::<Vec<String>>(&with_value(value)),
        Ok(Some(vec!["filelog".to_owned(), "testreceiver".to_owned()]))
    );
}

#[test]
fn upstream_recursive_inline_strings() {
    for value in ["123", "opentelemetry"] {
        let env = [
            ("ENV", "The value ${env:ENV2} is wrapped"),
            ("ENV2", "The value ${env:ENV3} is wrapped"),
            ("ENV3", value),
        ];
        let expected = format!("The value The value {value} is wrapped is wrapped");
        assert_eq!(field::<String>(&env), Ok(Some(expected)));
    }
}

#[test]
fn upstream_recursive_maps() {
    let env = [
        ("ENV", r#"{env: "${env:ENV2}", inline: "inline ${env:ENV2}"}"#),
        ("ENV2", r#"{env2: "${env:ENV3}"}"#),
        ("ENV3", "{value: 123}"),
    ];
    let resolved = resolve_yaml("field: ${env:ENV}", &env).expect("resolves");
    let field_node = resolved.root.get("field").expect("the field");
    let get = |path: &[&str]| {
        let node = path.iter().try_fold(field_node, |node, key| node.get(key)).expect("the path");
        String::decode(node).ok().or_else(|| u64::decode(node).ok().map(|value| value.to_string()))
    };
    assert_eq!(get(&["env", "env2", "value"]).as_deref(), Some("123"));
    assert_eq!(get(&["inline"]).as_deref(), Some("inline {env2: \"{value: 123}\"}"));
    assert_eq!(
        field::<String>(&env),
        Ok(Some(
            r#"{env: "{env2: "{value: 123}"}", inline: "inline {env2: "{value: 123}"}"}"#
                .to_owned()
        ))
    );
}

#[test]
fn upstream_a_reference_in_a_comment_is_part_of_the_text() {
    let yaml = "# this is a comment with ${EXPAND_ME}\ndebug:\n  verbosity: detailed";
    let env = [("EXPAND_ME", "an expanded env var"), ("ENV", yaml)];
    assert_eq!(
        field::<String>(&env),
        Ok(Some(
            "# this is a comment with an expanded env var\ndebug:\n  verbosity: detailed"
                .to_owned()
        ))
    );
}

#[test]
fn upstream_values_inside_lists_and_maps_keep_their_text() {
    let env = [("VALUE", "1234")];
    let strings = decode::<Vec<String>>("field: ['${env:VALUE}']", &env);
    assert_eq!(strings, Ok(Some(vec!["1234".to_owned()])));
    let numbers = decode::<Vec<u64>>("field: ['${env:VALUE}']", &env);
    assert_eq!(numbers, Ok(Some(vec![1234])));
    let resolved = resolve_yaml("field: {key: '${env:VALUE}'}", &env).expect("resolves");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    let headers = section.header_map("field").expect("headers");
    section.finish();
    let headers: Vec<_> = headers.into_iter().map(|(name, value, _)| (name, value)).collect();
    assert_eq!(headers, [("key".to_owned(), Opaque::new("1234"))]);
}

#[test]
fn a_null_from_a_reference_is_the_zero_value_of_a_scalar() {
    for value in ["", "null", "~", "NULL"] {
        check(value, Ok(0_u64));
        check(value, Ok(0.0_f64));
        check(value, Ok(false));
        check(value, Ok(std::time::Duration::ZERO));
        // A pointer upstream: absent.
        check(value, Ok(None::<u64>));
        check(value, Ok(None::<String>));
        // A list keeps its default.
        assert_eq!(field::<Vec<String>>(&[("ENV", value)]), Ok(None));
    }
    assert_eq!(field::<u64>(&[]), Ok(Some(0)));
    assert_eq!(field::<String>(&[]), Ok(Some(String::new())));
}

#[test]
fn a_list_field_splits_the_text_of_a_variable_at_commas() {
    let list = |items: &[&str]| Ok(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
    check("a,b", list(&["a", "b"]));
    check("a, b", list(&["a", " b"]));
    check("a", list(&["a"]));
}

#[test]
fn expanded_values_are_equal_if_value_and_text_are() {
    let resolve = |value| resolve_yaml("a: ${A}", &[("A", value)]).expect("resolves").root;
    assert!(resolve("0123") == resolve("0123"));
    assert!(resolve("0123") != resolve("83"));
}
