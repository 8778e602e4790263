//! How a start fails, and how it does not.

use tests::parameters::Fault;

use super::*;

#[test]
fn each_failure_names_the_reference_its_place_and_what_to_do() {
    let store = ParameterStore::start();
    for name in ["/good", "/denied", "/key"] {
        store.put(name, "SecureString", "canary");
    }
    store.put("/json", "SecureString", "{\"canary\": 1}");
    store.deny("/denied");
    store.encrypt_with_another_key("/key");
    let headers = "a: ${ssm:/good}\nb: ${ssm:/denied:-default}\nc: ${ssm:/key}\nd: ${ssm:/none}\ne: ${ssm:/json#none}\nf: ${ssm:/good#x}\n";
    let said = refused(&store, &with_headers(headers));
    for (name, line, words) in [
        (
            "/denied",
            7,
            [
                "access denied",
                "the action ssm:GetParameters on this parameter; ssm:GetParameter, without the s,",
            ],
        ),
        (
            "/key",
            8,
            [
                "AccessDeniedException",
                "the action kms:Decrypt on the key that the parameter is encrypted with",
            ],
        ),
        (
            "/none",
            9,
            [
                "it does not exist",
                "check the name, its version or label, and the region; or write a default",
            ],
        ),
        ("/json", 10, ["it has no field of that name", "#none}"]),
        ("/good#x", 11, ["it is no JSON object", "leave out the #"]),
    ] {
        let error =
            said.split("error: ").find(|error| error.contains(&format!("cannot read ssm:{name}")));
        let error = error.unwrap_or_else(|| panic!("nothing of {name}: {said}"));
        assert!(error.contains(&format!("--> config.yaml:{line}:")), "{error}");
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
    }
    assert_eq!(said.matches("error: ").count(), 5, "{said}");
    assert!(!said.contains("canary"), "{said}");
    // One call that is refused, then each name alone.
    assert_eq!(store.calls().len(), 1 + 5);
}

#[test]
fn what_passes_is_waited_out() {
    for faults in [
        vec![Fault::Throttled, Fault::Throttled],
        vec![Fault::Internal, Fault::Close, Fault::Throttled],
        vec![Fault::Expired],
    ] {
        let store = ParameterStore::start();
        store.put("/a", "SecureString", "value");
        let calls = faults.len() + 1;
        store.fail_next(faults);
        let yaml = printed(&store, &with_headers("a: ${ssm:/a}\n"));
        assert!(yaml.contains("a: value\n"), "{yaml}");
        assert_eq!(store.calls().len(), calls);
    }
}

#[test]
fn what_does_not_pass_ends_the_start_within_its_budget_and_says_so() {
    for (fault, words) in [
        (
            Fault::Throttled,
            ["AWS throttles the calls", "(tried ", "raise the account's throughput"],
        ),
        (Fault::Silence, ["no answer", "timed out after ", "a VPC endpoint of the service"]),
        (
            Fault::Expired,
            ["the AWS credentials have expired", "(tried 2 times", "renew the credentials"],
        ),
        (
            Fault::UnknownKey,
            ["UnrecognizedClientException", "ssm GetParameters", "check the credentials"],
        ),
    ] {
        let store = ParameterStore::start();
        store.put("/a", "SecureString", "value");
        store.fail_always(Some(fault));
        let setup = Setup::config(&with_headers("a: ${ssm:/a:-default}\n"));
        // As in a function, whose start is short.
        let ended = store.environment_of(setup).variable("AWS_LAMBDA_FUNCTION_NAME", "f").run();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for word in ["cannot read ssm:/a: ", " --> config.yaml:6:10"].into_iter().chain(words) {
            assert!(ended.stderr.contains(word), "{fault:?}: {word}: {}", ended.stderr);
        }
    }
}

#[test]
fn without_a_region_or_credentials_the_error_says_what_to_set() {
    let store = ParameterStore::start();
    let run = |region: &str, key: &str| {
        let setup = Setup::config(&with_headers("a: ${ssm:/a}\n"));
        let setup = store.environment_of(setup).variable("AWS_REGION", region);
        setup.variable("AWS_ACCESS_KEY_ID", key).variable("AWS_SECRET_ACCESS_KEY", key).run().stderr
    };
    let said = run("", "AKIDEXAMPLE");
    assert!(
        said.contains("no AWS region")
            && said.contains("or write the region into the reference, name?region=eu-west-1"),
        "{said}"
    );
    let said = run("eu-west-1", "");
    assert!(said.contains("no AWS credentials: give the process a role"), "{said}");
    assert!(said.contains("--> config.yaml:6:10"), "{said}");
    assert!(store.calls().is_empty());
}

#[test]
fn a_reference_that_is_none_is_told_and_nobody_is_asked() {
    let store = ParameterStore::start();
    let said = refused(
        &store,
        &with_headers(
            "a: ${ssm://a/b}\nb: ${ssm:/a?regoin=x}\nc: ${secretsmanager:}\nd: ${s3://b/k}\n",
        ),
    );
    for words in [
        "begins with two slashes",
        "did you mean \"region\"?",
        "secretsmanager: has no name",
        "is not valid s3-url",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(store.calls().is_empty());
}
