//! No error and no masked print repeats a secret or the value of a variable.

use crate::{
    Diagnostics, Opaque, Redaction, Retrieved, Section,
    testing::{Fake, Log, providers, resolve_with},
};

const SECRET: &str = "hunter2";

fn resolve(yaml: &str) -> Result<crate::Resolved, Diagnostics> {
    let log = Log::default();
    let sec = Fake::new("sec", &log, |opaque| {
        Ok(match opaque {
            "map" => Retrieved::yaml(format!("user: {SECRET}\nport: [{SECRET}]\n")).secret(),
            "part" => Retrieved::yaml("{m: 0123, k$$: [\"$${x} ${sec:x}\"]}").unexpanded().secret(),
            "list" => Retrieved::list("a,0123,,true").secret(),
            "dollars" => Retrieved::literal("pa$$word ${env:X} $").secret(),
            _ => Retrieved::literal(SECRET).secret(),
        })
    });
    let providers = providers(&[("VAR", "a: {b: variable}")]).with(sec);
    resolve_with(&[&format!("yaml:{yaml}")], &[], &providers, Some("env"))
}

#[test]
fn the_printer_masks_what_a_provider_declared_secret() {
    let resolved =
        resolve("a: ${sec:x}\nb: Bearer ${sec:x}\nc: ${sec:map}\nd: plain\n").expect("resolves");
    let masked = "a: \"[REDACTED]\"\nb: \"[REDACTED]\"\nc: \"[REDACTED]\"\nd: plain\n";
    let redaction = Redaction::secrets(&Diagnostics::new());
    assert_eq!(resolved.root.to_yaml(&redaction), masked);
    assert!(!resolved.root.to_json(&redaction).contains(SECRET));
    let open = resolved.root.to_yaml(&Redaction::none());
    assert!(open.contains("b: \"Bearer hunter2\"\n"), "{open}");
    // A part of a secret is one, too.
    let user = resolved.root.get("c").and_then(|c| c.get("user")).expect("the user");
    assert_eq!(user.to_yaml(&redaction), "\"[REDACTED]\"\n");
    let debug = format!("{resolved:?}");
    assert!(!debug.contains(SECRET), "{debug}");
}

#[test]
fn the_printer_masks_what_a_component_decoded_as_secret() {
    let resolved =
        resolve("a: {token: t0ken, name: n}\nheaders: {x: h1}\nempty: ''\n").expect("resolves");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    let mut a = section.section("a");
    assert!(a.get::<Opaque>("token").is_some());
    assert!(a.get::<String>("name").is_some());
    a.finish();
    assert!(section.header_map("headers").is_some());
    assert!(section.get::<Opaque>("empty").is_some());
    section.finish();
    assert_eq!(
        resolved.root.to_yaml(&Redaction::secrets(&diagnostics)),
        "a:\n  token: \"[REDACTED]\"\n  name: \"n\"\nheaders:\n  x: \"[REDACTED]\"\nempty: \"\"\n"
    );
}

#[test]
fn a_literal_is_taken_as_it_is() {
    let resolved = resolve("a: ${sec:dollars}\nb: x${sec:dollars}y $$\n").expect("resolves");
    assert_eq!(resolved.root.get("a").and_then(|a| a.as_str()), Some("pa$$word ${env:X} $"));
    assert_eq!(resolved.root.get("b").and_then(|b| b.as_str()), Some("xpa$$word ${env:X} $y $"));
}

#[test]
fn yaml_can_be_left_unexpanded_too() {
    let resolved = resolve("a: ${sec:part}\nb: x${sec:part}\n").expect("resolves");
    let yaml = resolved.root.to_yaml(&Redaction::none());
    let part = "{m: 0123, k$$: [\\\"$${x} ${sec:x}\\\"]}";
    assert_eq!(
        yaml,
        format!("a:\n  m: 83\n  \"k$$\":\n    - \"$${{x}} ${{sec:x}}\"\nb: \"x{part}\"\n")
    );
    let a = resolved.root.get("a").and_then(|a| a.text());
    assert_eq!(a, Some("{m: 0123, k$$: [\"$${x} ${sec:x}\"]}"));
}

#[test]
fn a_list_has_values_between_commas_and_the_text_for_a_string() {
    let resolved = resolve("a: ${sec:list}\nb: x${sec:list}\n").expect("resolves");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    let strings = section.get::<Vec<String>>("a");
    assert_eq!(strings, Some(["a", "0123", "", "true"].map(str::to_owned).to_vec()));
    assert_eq!(section.get::<String>("a").as_deref(), Some("a,0123,,true"));
    assert_eq!(section.get::<String>("b").as_deref(), Some("xa,0123,,true"));
    section.finish();
    let yaml = resolved.root.to_yaml(&Redaction::none());
    assert!(yaml.starts_with("a:\n  - a\n  - 83\n  - null\n  - true\n"), "{yaml}");
}

#[test]
fn of_a_whole_configuration_that_is_a_secret_the_keys_are_shown_and_references_expanded() {
    let log = Log::default();
    let sec = Fake::new("sec", &log, |opaque| {
        Ok(match opaque {
            "config" => Retrieved::yaml(format!("a: ${{sec:x}}\nb: [{SECRET}]\nc: {{}}\n"))
                .unexpanded()
                .secret(),
            _ => Retrieved::literal(SECRET).secret(),
        })
    });
    let resolved = resolve_with(&["sec:config"], &[], &providers(&[]).with(sec), None);
    let resolved = resolved.expect("resolves");
    let masked = resolved.root.to_yaml(&Redaction::secrets(&Diagnostics::new()));
    assert_eq!(masked, "a: \"[REDACTED]\"\nb:\n  - \"[REDACTED]\"\nc: \"[REDACTED]\"\n");
    let open = resolved.root.to_yaml(&Redaction::none());
    assert_eq!(open, "a: hunter2\nb:\n  - hunter2\nc: {}\n");
}

#[test]
fn errors_about_secrets_and_variables_name_the_reference_only() {
    let resolved = resolve("a: ${sec:x}\nb: ${sec:map}\nc: ${env:VAR}\n").expect("resolves");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    assert!(section.get::<u64>("a").is_none());
    let mut b = section.section("b");
    assert!(b.get::<u64>("user").is_none());
    assert!(b.get::<Vec<u64>>("port").is_none());
    b.finish();
    let mut c = section.section("c").section("a");
    assert!(c.get::<u64>("b").is_none());
    c.finish();
    section.finish();
    let report = diagnostics.to_string();
    assert_eq!(diagnostics.error_count(), 4, "{report}");
    assert!(!report.contains(SECRET) && !report.contains("variable"), "{report}");
    for expected in [
        "the value came from ${sec:x}",
        " --> sec:map:1:7\n",
        " --> env:VAR:1:8\n",
        "note: referenced at yaml:a:…:3:4\n",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
}

#[test]
fn a_secret_in_a_reference_is_not_repeated() {
    for yaml in [
        "a: ${nope:${sec:x}/y}",
        "a: ${file:/no/such/${sec:x}}",
        "a: ${env:${sec:x}-}",
        "a: ${x:${sec:x}}",
        "a: ${file:${sec:dollars}}",
    ] {
        let report = resolve(yaml).expect_err("nothing there").to_string();
        assert!(!report.contains(SECRET) && !report.contains("word"), "{report}");
    }
}

#[test]
fn a_dollar_of_a_literal_is_a_dollar_in_a_reference_too() {
    let report = resolve("a: ${file:${sec:dollars}}").expect_err("no such file").to_string();
    let message = "the uri \"file:[REDACTED]\" contains unsupported characters ('$')";
    assert!(report.contains(message), "{report}");
}

#[test]
fn the_name_of_a_yaml_location_is_its_key() {
    let yaml = "exporters::datadog::api::key: hunter2 ${nope:x}";
    let report = resolve(yaml).expect_err("no such scheme").to_string();
    assert!(report.contains(" --> yaml:exporters::datadog::api::key:…:1:31\n"), "{report}");
    let long = format!("{}: 1", "ä".repeat(100));
    let resolved = resolve(&long).expect("resolves");
    assert_eq!(resolved.sources[0].name(), format!("yaml:{}…", "ä".repeat(55)));
}

#[test]
fn a_component_that_repeats_a_secret_in_its_error_repeats_nothing() {
    let yaml = "a: ${sec:url}\nb: plain\nc: 5\n";
    let log = Log::default();
    let secret = "https://canary.example/path\"x";
    let sec = Fake::new("sec", &log, move |_| Ok(Retrieved::literal(secret).secret()));
    let providers = providers(&[]).with(sec);
    let resolved = resolve_with(&[&format!("yaml:{yaml}")], &[], &providers, Some("env"));
    let resolved = resolved.expect("resolves");
    let (root, diagnostics) = (resolved.root, resolved.warnings);
    let mut section = Section::new(Some(&root), "", &diagnostics);
    let (a, b) = (section.get::<String>("a"), section.get::<String>("b"));
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    section.error("a", format!("{a:?} is no host"));
    section.error("a", format!("{a} is no host"));
    section.error_with_help("a", "no host: \"canary\" is", "write canary.example");
    section.error("a", "canary.example is no host");
    // Of another key, and of the section as a whole.
    section.error("b", format!("{b:?} does not go with {a}"));
    section.error_here(format!("{a:?} does not go with {b:?}"));
    section.ignored("c", "no need");
    section.finish();
    let report = diagnostics.to_string();
    assert!(!report.contains("canary"), "{report}");
    for said in [
        "a: [REDACTED] is no host\n",
        "no host: [REDACTED] is\n",
        "a: is refused; it is a secret, so more is not said\n",
        "\"plain\" does not go with [REDACTED]\n",
        "[REDACTED]\" does not go with \"plain\"\n",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let text = format!("cannot listen at {secret:?}");
    assert_eq!(diagnostics.mask().apply(&text), "cannot listen at \"[REDACTED]\"");
}
