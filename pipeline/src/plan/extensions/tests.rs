use confmap::{Diagnostics, Node};

use crate::listeners::TransportAddress;
use crate::plan::Plan;
use crate::testing::COMPONENTS;

/// `line: message (help)` of every error.
fn errors(yaml: &str) -> Vec<String> {
    let node = Node::from_yaml("file:config.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let _plan = Plan::read(&node, &COMPONENTS, &diagnostics);
    let errors = diagnostics.sorted().into_iter();
    let errors = errors.filter(|d| d.severity() == confmap::Severity::Error);
    let shown = errors.map(|error| {
        let line = error.origin().map_or(0, confmap::Origin::line);
        format!("{line}: {error} ({})", error.help_text().unwrap_or_default())
    });
    shown.collect()
}

/// A config whose exporter names this authenticator.
fn naming(authenticator: &str, extensions: &str, enabled: &str) -> String {
    format!(
        "receivers: {{fake: }}\nexporters:\n  fake:\n    authenticator: {authenticator}\nextensions: {{{extensions}}}\nservice:\n  extensions: [{enabled}]\n  pipelines: {{traces: {{receivers: [fake], exporters: [fake]}}}}\n"
    )
}

#[test]
fn authenticator_that_does_not_run_is_an_error_with_its_line_and_a_remedy() {
    let path = "exporters::fake::authenticator";
    let no_errors: [String; 0] = [];
    assert_eq!(errors(&naming("fake/a", "fake/a: ", "fake/a")), no_errors);
    for (yaml, expected) in [
        (
            naming("fake", "", ""),
            "references extension \"fake\" which is not configured (add \"fake:\" under \"extensions\" and \"fake\" to service::extensions)",
        ),
        (
            naming("oidc", "", ""),
            "references extension \"oidc\" which is not configured (no extension here has the type \"oidc\"; types that are a client authenticator: fake)",
        ),
        (
            naming("fake/aa", "fake/a: ", "fake/a"),
            "references extension \"fake/aa\" which is not configured (did you mean \"fake/a\"?)",
        ),
        (
            naming("fake/a", "fake/a: ", ""),
            "references extension \"fake/a\" which does not run (add \"fake/a\" to service::extensions)",
        ),
        (
            naming("fake_page", "fake_page: ", "fake_page"),
            "references extension \"fake_page\" which is no client authenticator (types that are a client authenticator: fake)",
        ),
    ] {
        assert_eq!(errors(&yaml), [format!("4: {path}: {expected}")], "{yaml}");
    }
    let [malformed] = errors(&naming("fake/", "", "")).try_into().unwrap();
    assert!(malformed.starts_with(&format!("4: {path}: ")), "{malformed}");
}

#[test]
fn authenticator_of_what_no_pipeline_uses_is_not_looked_for() {
    let yaml = naming("fake/a", "fake/a: ", "fake/a")
        .replace("exporters:\n", "exporters:\n  fake/unused: {authenticator: oidc}\n")
        // Of the same id as an exporter that is used.
        .replace("extensions: {", "processors: {fake: {authenticator: oidc}}\nextensions: {");
    assert_eq!(errors(&yaml), [""; 0]);
}

#[test]
fn the_page_of_the_first_listed_extension_that_has_one_is_found_in_a_config_that_is_otherwise_wrong()
 {
    let of = |yaml: &str| {
        let node = Node::from_yaml("file:config.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let probe = Plan::probe(&node, &COMPONENTS, &diagnostics);
        (probe.map(|(id, probe)| (id.to_string(), probe.address)), diagnostics.error_count())
    };
    let at = |text: &str| TransportAddress::Tcp(text.to_owned());
    let yaml = "{extensions: {fake: {bogus: 1}, fake_page/a: {at: 'h:1'}, fakepage: {at: 'h:2'}, odd: }, \
                service: {extensions: [fake, fakepage, fake_page/a], pipelines: 7}}";
    assert_eq!(of(yaml), (Some(("fakepage".to_owned(), at("h:2"))), 0));
    let unlisted = "{extensions: {fake_page: }, service: {extensions: [fake]}}";
    assert_eq!(of(unlisted), (None, 0));
    let broken = "{extensions: {fake_page: {at: []}}, service: {extensions: [fake_page]}}";
    assert_eq!(of(broken).1, 1);
}
