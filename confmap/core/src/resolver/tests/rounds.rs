//! References are retrieved in batches, each once, schemes side by side.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    ProviderError, Redaction, Retrieved,
    testing::{Fake, Log, entries, providers, resolve_with},
};

/// Two schemes whose references yield their own name.
fn resolve(yaml: &str) -> (String, Vec<String>) {
    let log = Log::default();
    let answer = |name: &'static str| {
        move |opaque: &str| match opaque.strip_prefix("to ") {
            Some(reference) => Ok(Retrieved::yaml(format!("${{{reference}}}"))),
            None => Ok(Retrieved::yaml(format!("{name}({opaque})"))),
        }
    };
    let providers = providers(&[]).with(Fake::new("ssm", &log, answer("ssm"))).with(Fake::new(
        "sec",
        &log,
        answer("sec"),
    ));
    let resolved = resolve_with(&[&format!("yaml:{yaml}")], &[], &providers, Some("env"));
    (resolved.expect("resolves").root.to_yaml(&Redaction::none()), entries(&log))
}

#[test]
fn all_references_of_one_depth_are_asked_for_at_once_and_each_once() {
    let (yaml, log) = resolve(
        "a: ${ssm:1}\nb: [\"${ssm:2}\", {c: \"x${ssm:1}y${ssm:3}z${sec:1}\"}]\nd: ${ssm:2}\n",
    );
    assert_eq!(log, ["sec? 1", "ssm? 1 2 3", "sec!", "ssm!"]);
    assert_eq!(
        yaml,
        "a: \"ssm(1)\"\nb:\n  - \"ssm(2)\"\n  - c: \"xssm(1)yssm(3)zsec(1)\"\nd: \"ssm(2)\"\n"
    );
}

#[test]
fn nested_references_take_a_round_each() {
    let (yaml, log) = resolve("a: ${ssm:${sec:1}/${sec:2}}\nb: ${ssm:x}\n");
    assert_eq!(log, ["sec? 1 2", "ssm? x", "sec!", "ssm!", "ssm? sec(1)/sec(2)", "ssm!"]);
    assert_eq!(yaml, "a: \"ssm(sec(1)/sec(2))\"\nb: \"ssm(x)\"\n");
}

#[test]
fn a_reference_in_what_was_retrieved_is_asked_for_unless_it_is_known() {
    let (yaml, log) = resolve("a: ${ssm:to sec:1}\nb: ${sec:1}\nc: ${ssm:to sec:2}\n");
    assert_eq!(log, ["sec? 1", "ssm? to sec:1 to sec:2", "sec!", "ssm!", "sec? 2", "sec!"]);
    assert_eq!(yaml, "a: \"sec(1)\"\nb: \"sec(1)\"\nc: \"sec(2)\"\n");
}

#[test]
fn a_known_reference_is_not_asked_for_with_one_that_is_not() {
    let (yaml, log) = resolve("a: x${sec:${ssm:9}} ${ssm:1}\n");
    assert_eq!(log, ["ssm? 1 9", "ssm!", "sec? ssm(9)", "sec!"]);
    assert_eq!(yaml, "a: \"xsec(ssm(9)) ssm(1)\"\n");
}

#[test]
fn a_reference_behind_an_escaped_one_is_not_asked_for() {
    let (yaml, log) = resolve("a: $${ssm:1} ${ssm:2}\n");
    assert_eq!(log, Vec::<String>::new());
    assert_eq!(yaml, "a: \"${ssm:1} ${ssm:2}\"\n");
}

#[test]
fn a_reference_that_stands_in_a_comment_costs_no_request() {
    let log = Log::default();
    let ssm = Fake::new("ssm", &log, |_| Ok(Retrieved::yaml("x")));
    let providers = providers(&[("ENV", "a: 1 # ${ssm:1}")]).with(ssm);
    let yaml = ["yaml:field: ${ENV}"];
    let resolved = resolve_with(&yaml, &[], &providers, Some("env")).expect("resolves");
    assert_eq!(entries(&log), Vec::<String>::new());
    // Without it there is no text of the map as a whole.
    let field = resolved.root.get("field").expect("the field");
    assert_eq!((field.text(), field.get("a").is_some()), (None, true));
}

#[test]
fn references_under_an_alias_are_asked_for_with_the_others() {
    struct Many(Fake, Arc<AtomicUsize>);
    impl crate::Provider for Many {
        fn scheme(&self) -> &'static str {
            self.0.scheme()
        }
        fn aliases(&self) -> &'static [&'static str] {
            &["old"]
        }
        fn begin(&self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        fn retrieve<'a>(
            &'a self,
            references: &'a [crate::Reference],
        ) -> crate::BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
            self.0.retrieve(references)
        }
    }
    let log = Log::default();
    let begun = Arc::new(AtomicUsize::new(0));
    let many =
        Many(Fake::new("new", &log, |opaque| Ok(Retrieved::yaml(opaque))), Arc::clone(&begun));
    let yaml = ["yaml:a: ${new:1}\nb: ${old:2}\nc: ${new:3}\nd: ${new:${old:3}}\n"];
    let resolved = resolve_with(&yaml, &[], &providers(&[]).with(many), None).expect("resolves");
    assert_eq!(entries(&log), ["new? 1 3 2 3", "new!"]);
    assert_eq!(resolved.root.to_yaml(&Redaction::none()), "a: 1\nb: 2\nc: 3\nd: 3\n");
    // Once for a resolution, whatever it asks for and under whichever name.
    assert_eq!(begun.load(Ordering::Relaxed), 1);
}

#[test]
fn locations_are_retrieved_side_by_side() {
    let log = Log::default();
    let one = Fake::new("one", &log, |opaque| Ok(Retrieved::yaml(format!("a{opaque}: 1"))));
    let two = Fake::new("two", &log, |opaque| Ok(Retrieved::yaml(format!("b{opaque}: 1"))));
    let providers = providers(&[]).with(one).with(two);
    let resolved = resolve_with(&["two:1", "one:1", "two:2", "one:1"], &[], &providers, None)
        .expect("resolves");
    assert_eq!(entries(&log), ["one? 1", "two? 1 2", "one!", "two!"]);
    assert_eq!(resolved.root.to_yaml(&Redaction::none()), "b1: 1\na1: 1\nb2: 1\n");
}

#[test]
fn an_error_of_a_provider_stands_at_the_reference_with_its_causes_and_its_remedy() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the parameter")]
    struct Outer(#[source] std::num::ParseIntError);
    let log = Log::default();
    let ssm = Fake::new("ssm", &log, |opaque| match opaque.parse::<u8>() {
        Ok(number) => Ok(Retrieved::yaml(number.to_string())),
        Err(error) => Err(ProviderError::new(Outer(error)).help("allow ssm:GetParameters")),
    });
    let yaml = ["yaml:a: ok\nb: x ${ssm:y} z\nc: ${ssm:7}\n"];
    let diagnostics =
        resolve_with(&yaml, &[], &providers(&[]).with(ssm), None).expect_err("no number");
    assert_eq!(
        diagnostics.to_string(),
        "error: b: cannot read the parameter: invalid digit found in string\n \
         --> yaml:a:…:2:4\n  |\n2 | b: x ${ssm:y} z\n  |    ^^^^^^^^^^^^\n  \
         = help: allow ssm:GetParameters"
    );
}

#[test]
fn a_provider_that_answers_too_little_is_an_error() {
    struct Silent;
    impl crate::Provider for Silent {
        fn scheme(&self) -> &'static str {
            "silent"
        }
        fn retrieve<'a>(
            &'a self,
            _: &'a [crate::Reference],
        ) -> crate::BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
            Box::pin(std::future::ready(Vec::new()))
        }
    }
    let yaml = ["yaml:a: ${silent:x}"];
    let diagnostics =
        resolve_with(&yaml, &[], &providers(&[]).with(Silent), None).expect_err("no answer");
    assert_eq!(
        diagnostics.sorted()[0].to_string(),
        "a: the provider of \"silent\" gave no answer to silent:x"
    );
}
