use std::time::Duration;

use aws::{Cause, Environment};
use confmap::{Diagnostics, Opaque, Providers, Redaction, ResolveOptions, Section, resolve};

use super::*;
use crate::parameter::Form;

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

type Outcome = Result<Parameter, Failure>;

fn read(text: &str, outcome: Outcome) -> Result<Retrieved, ProviderError> {
    let reference = reference(text);
    answer(&reference, &reference::parse(&reference).unwrap(), outcome.map(Reading::new))
}

fn parameter(form: Form, value: &str) -> Outcome {
    Ok(Parameter { form, value: Opaque::new(value) })
}

fn refused(code: &str) -> Failure {
    let cause = Cause::Refused { code: code.to_owned(), message: String::new() };
    Failure::of_call("ssm", "GetParameters", cause)
}

#[test]
fn only_what_does_not_exist_has_a_default() {
    for (text, outcome) in [
        ("ssm:/a:-d", Err(refused("ParameterNotFound"))),
        ("ssm:/a#k:-d", Err(refused("ParameterNotFound"))),
        ("ssm:/a#k:-d", parameter(Form::String, "{}")),
    ] {
        assert!(read(text, outcome).is_ok(), "{text}");
    }
    for (text, outcome) in [
        ("ssm:/a", Err(refused("ParameterNotFound"))),
        ("ssm:/a#k", parameter(Form::String, "{}")),
        ("ssm:/a#k:-d", parameter(Form::String, "canary")),
        ("ssm:/a:-d", Err(refused("AccessDeniedException"))),
        ("ssm:/a:-d", Err(refused("ThrottlingException"))),
        ("ssm:/a:-d", Err(refused("ExpiredTokenException"))),
    ] {
        let error = read(text, outcome).unwrap_err().to_string();
        assert!(error.starts_with("cannot read ssm:/a") && !error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn without_references_nothing_is_looked_for() {
    // An environment in which every look would fail, and be told.
    let environment = Environment::of([("AWS_PROFILE", "none"), ("HOME", "/nonexistent")]);
    let providers = || {
        let aws = Aws::with_budget(environment.clone(), Duration::from_millis(1));
        Providers::local(|_| None).with(SsmProvider::new(aws))
    };
    let options = ResolveOptions::default();
    let plain = ["yaml:a: plain".to_owned()];
    assert!(resolve(&plain, &[], &providers(), options).await.is_ok());
    let with_one = ["yaml:a: ${ssm:/a}".to_owned()];
    assert!(resolve(&with_one, &[], &providers(), options).await.is_err());
}

#[test]
fn a_debug_print_of_a_parameter_has_no_value() {
    let outcome = parameter(Form::SecureString, "canary");
    assert!(!format!("{outcome:?}").contains("canary"));
    let retrieved = read("ssm:/a", outcome).unwrap();
    assert!(!format!("{retrieved:?}").contains("canary"));
}

#[tokio::test]
async fn values_keep_the_type_that_the_parameter_gives_them() {
    struct Fixed;
    impl Provider for Fixed {
        fn scheme(&self) -> &'static str {
            "ssm"
        }
        fn retrieve<'a>(
            &'a self,
            references: &'a [Reference],
        ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
            let retrieved = references.iter().map(|reference| {
                let outcome = match reference.opaque().split(['#', ':']).next().unwrap() {
                    "number" => parameter(Form::SecureString, "0123"),
                    "dollars" => parameter(Form::SecureString, "p$$w${env:X}"),
                    "part" => parameter(Form::String, "x${ssm:number}$$"),
                    "list" => parameter(Form::StringList, "a,b"),
                    "json" => parameter(Form::SecureString, r#"{"s":"0123","n":5,"d":"$$"}"#),
                    _ => Err(refused("ParameterNotFound")),
                };
                answer(reference, &reference::parse(reference).unwrap(), outcome.map(Reading::new))
            });
            let retrieved: Vec<_> = retrieved.collect();
            Box::pin(std::future::ready(retrieved))
        }
    }
    let yaml = "n: ${ssm:number}\nd: ${ssm:dollars}\np: ${ssm:part}\nl: ${ssm:list}\n\
                s: ${ssm:json#s}\ni: ${ssm:json#n}\ne: ${ssm:json#d}\nx: ${ssm:none:-7}\ny: \"${ssm:none:-}\"\n";
    let providers = Providers::local(|_| None).with(Fixed);
    let resolved =
        resolve(&[format!("yaml:{yaml}")], &[], &providers, ResolveOptions::default()).await;
    let resolved = resolved.unwrap();
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&resolved.root), "", &diagnostics);
    assert_eq!(section.get::<u64>("n"), Some(83));
    assert_eq!(section.get::<String>("n").as_deref(), Some("0123"));
    assert_eq!(section.get::<String>("d").as_deref(), Some("p$$w${env:X}"));
    assert_eq!(section.get::<String>("p").as_deref(), Some("x0123$"));
    assert_eq!(section.get::<Vec<String>>("l"), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(section.get::<String>("s").as_deref(), Some("0123"));
    assert_eq!(section.get::<u64>("i"), Some(5));
    assert_eq!(section.get::<String>("e").as_deref(), Some("$$"));
    assert_eq!(section.get::<u64>("x"), Some(7));
    assert_eq!(section.get::<String>("y").as_deref(), Some(""));
    section.finish();
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let printed = resolved.root.to_yaml(&Redaction::secrets(&diagnostics));
    assert_eq!(printed.matches("[REDACTED]").count(), 7, "{printed}");
    assert_eq!(resolved.warnings.to_string().matches("its default is used").count(), 2);
}
