//! moto, with a look at signatures and permissions: real parameters, secrets and objects.

use std::sync::Arc;

use serde_json::json;
use tests::moto::{Keys, Moto};

use super::*;

/// What a configuration prints, or says, when it is read from moto with these keys.
fn from_moto(moto: &Moto, keys: &Keys, yaml: &str) -> Ended {
    let setup = Setup::bare().file("config.yaml", yaml);
    let arguments = ["print-config", "--mode", "unredacted", "--config", "config.yaml"];
    with_moto(setup.arguments(arguments), moto, keys).run()
}

fn with_moto(setup: Setup, moto: &Moto, keys: &Keys) -> Setup {
    setup
        .variable("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", moto.port()))
        .variable("AWS_REGION", "us-east-1")
        .variable("AWS_ACCESS_KEY_ID", &keys.id)
        .variable("AWS_SECRET_ACCESS_KEY", &keys.secret)
        .variable("HOME", "/nonexistent")
}

fn moto() -> Arc<Moto> {
    Moto::shared()
}

#[test]
fn parameters_are_decrypted_by_version_label_and_arn() {
    let moto = moto();
    let put = |name: &str, form: &str, value: &str| {
        let input = json!({"Name": name, "Type": form, "Value": value, "Overwrite": true});
        ("ssm", "put_parameter", input)
    };
    let key = json!({"Name": "/moto/key", "ParameterVersion": 1, "Labels": ["blue"]});
    moto.keep(&[
        put("/moto/key", "SecureString", "one"),
        ("ssm", "label_parameter_version", key),
        put("/moto/key", "SecureString", "two"),
        put("/moto/list", "StringList", "a,b"),
    ]);
    let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/moto/key";
    let headers = format!(
        "a: ${{ssm:/moto/key}}\nb: ${{ssm:/moto/key:1}}\nc: ${{ssm:/moto/key:blue}}\nd: ${{ssm:{arn}}}\ne: ${{ssm:/moto/list}}\nf: ${{ssm:/moto/none:-default}}\n"
    );
    let ended = from_moto(&moto, &moto.reader, &with_headers(&headers));
    let lines = "      a: two\n      b: one\n      c: one\n      d: two\n      e:\n        - a\n        - b\n      f: default\n";
    assert!(ended.stdout.contains(lines), "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn a_missing_permission_and_a_wrong_secret_are_clear_errors() {
    let moto = moto();
    moto.keep(&[(
        "ssm",
        "put_parameter",
        json!({"Name": "/moto/denied", "Type": "SecureString", "Value": "canary"}),
    )]);
    let wrong = Keys { secret: "not-to-be-seen".to_owned(), ..moto.reader.clone() };
    for (keys, words) in [
        (
            &moto.single_reader,
            [
                "access denied",
                "allow the role that this process runs as the action ssm:GetParameters",
            ],
        ),
        (&wrong, ["ssm GetParameters: ", "check the credentials that this process has"]),
    ] {
        let ended = from_moto(&moto, keys, &with_headers("a: ${ssm:/moto/denied}\n"));
        assert_eq!(ended.code, Some(2), "{}", ended.stdout);
        for word in words {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
        assert!(
            !ended.stderr.contains("canary") && !ended.stderr.contains("not-to-be-seen"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn secrets_are_read_whole_by_field_and_by_version_stage() {
    let moto = moto();
    let name = "moto/secret";
    moto.keep(&[
        (
            "secretsmanager",
            "create_secret",
            json!({"Name": name, "SecretString": r#"{"user": "old", "port": 1}"#}),
        ),
        (
            "secretsmanager",
            "put_secret_value",
            json!({"SecretId": name, "SecretString": r#"{"user": "$$new", "port": 5432}"#}),
        ),
        ("secretsmanager", "create_secret", json!({"Name": "moto/plain", "SecretString": "0123"})),
    ]);
    let headers = "a: ${secretsmanager:moto/secret#user}\nb: ${secretsmanager:moto/secret#port}\nc: ${secretsmanager:moto/secret?version_stage=AWSPREVIOUS#user}\n\
                   d: ${secretsmanager:moto/plain}\ne: ${secretsmanager:moto/secret#none:-default}\nf: ${secretsmanager:moto/none:-absent}\n";
    let ended = from_moto(&moto, &moto.reader, &with_headers(headers));
    let lines = "      a: \"$$new\"\n      b: 5432\n      c: old\n      d: \"0123\"\n      e: default\n      f: absent\n";
    assert!(ended.stdout.contains(lines), "{}\n{}", ended.stdout, ended.stderr);
    let ended =
        from_moto(&moto, &moto.single_reader, &with_headers("a: ${secretsmanager:moto/plain}\n"));
    assert!(
        ended.stderr.contains("the action secretsmanager:GetSecretValue on this secret"),
        "{}",
        ended.stderr
    );
    let ended = from_moto(&moto, &moto.reader, &with_headers("a: ${secretsmanager:moto/none}\n"));
    assert!(
        ended.stderr.contains("cannot read secretsmanager:moto/none: it does not exist"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_configuration_and_a_part_of_one_can_be_objects() {
    let moto = moto();
    let put = |key: &str, body: &str| {
        ("s3", "put_object", json!({"Bucket": "moto-configs", "Key": key, "Body": body}))
    };
    moto.keep(&[
        ("s3", "create_bucket", json!({"Bucket": "moto-configs"})),
        put(
            "a/config +é.yaml",
            &with_headers("a: ${s3://moto-configs/a/part.yaml}\nb: ${env:OF_THE_AGENT}\n"),
        ),
        put("a/part.yaml", "in a part"),
    ]);
    let run = |keys: &Keys, location: &str| {
        let arguments = ["print-config", "--mode", "unredacted", "--config", location];
        let setup = Setup::bare().arguments(arguments).variable("OF_THE_AGENT", "x");
        with_moto(setup, &moto, keys).run()
    };
    for location in [
        "s3://moto-configs.s3.us-east-1.amazonaws.com/a/config%20+%C3%A9.yaml",
        "s3://moto-configs/a/config%20+%C3%A9.yaml",
        &format!(
            "s3://127.0.0.1:{}/moto-configs/a/config%20+%C3%A9.yaml?region=us-east-1&insecure=true",
            moto.port()
        ),
    ] {
        let ended = run(&moto.reader, location);
        assert!(
            ended.stdout.contains("      a: \"in a part\"\n      b: x\n"),
            "{}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
    let ended = run(&moto.reader, "s3://moto-configs/none.yaml");
    assert!(
        ended.stderr.contains("cannot read s3://moto-configs/none.yaml: it does not exist"),
        "{}",
        ended.stderr
    );
    let ended = run(&moto.single_reader, "s3://moto-configs/a/part.yaml");
    assert!(ended.stderr.contains("the action s3:GetObject on this object"), "{}", ended.stderr);
}
