use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use super::{EnvProvider, FileProvider, Provider, ProviderError, Providers, Reference, Retrieved};
use crate::{Exposure, limits::MAX_DOCUMENT_BYTES, testing::block_on};

fn retrieve(provider: &dyn Provider, uri: &str) -> Result<Retrieved, ProviderError> {
    let references = [Reference::parse(uri).expect("a reference")];
    block_on(provider.retrieve(&references)).remove(0)
}

fn file(path: &Path) -> Result<Retrieved, ProviderError> {
    retrieve(&FileProvider, &format!("file:{}", path.display()))
}

#[test]
fn a_scheme_has_a_letter_and_one_more_character() {
    for (uri, parts) in [
        ("file:x", Some(("file", "x"))),
        ("a+b.c-1:x:y\nz", Some(("a+b.c-1", "x:y\nz"))),
        ("env:", Some(("env", ""))),
        ("C:x", None),
        ("1a:x", None),
        ("a_b:x", None),
        (":x", None),
        ("file", None),
        ("", None),
    ] {
        let reference = Reference::parse(uri);
        let found = reference.as_ref().map(|reference| (reference.scheme(), reference.opaque()));
        assert_eq!(found, parts, "{uri}");
    }
}

#[test]
fn a_reference_made_from_a_secret_shows_its_scheme_only() {
    let reference = Reference::parse("ssm:/a/b").expect("a reference");
    assert_eq!((reference.to_string().as_str(), reference.shown()), ("ssm:/a/b", "/a/b"));
    let reference = reference.with_secret(true);
    assert_eq!(
        (reference.to_string().as_str(), reference.shown()),
        ("ssm:[REDACTED]", "[REDACTED]")
    );
    assert_eq!(reference.opaque(), "/a/b");
}

#[test]
fn the_user_and_the_query_of_a_url_are_not_shown() {
    for (uri, shown) in [
        ("https://user:pw@host/x@y", "https://[REDACTED]@host/x@y"),
        ("https://token@host", "https://[REDACTED]@host"),
        ("https://host/x@y", "https://host/x@y"),
        ("env:X:-http://u:p@h:1/", "env:X:-http://[REDACTED]@h:1/"),
        ("file:a@b", "file:a@b"),
        ("https://host/a?X-Amz-Signature=5ec2e7", "https://host/a?[REDACTED]"),
        ("https://u:p@host?a@b#c", "https://[REDACTED]@host?[REDACTED]"),
        ("s3://bucket/key?version=1", "s3://bucket/key?version=1"),
    ] {
        let reference = Reference::parse(uri).expect("a reference");
        assert_eq!(reference.to_string(), shown);
        assert_eq!(format!("{}:{}", reference.scheme(), reference.opaque()), uri);
    }
}

#[test]
fn a_later_provider_takes_the_place_of_an_earlier_one() {
    let providers = Providers::local(|_| Some("first".into()));
    assert_eq!(providers.schemes(), ["env", "file", "yaml"]);
    let providers = providers.with(EnvProvider::new(|_| Some("second".into())));
    assert_eq!(providers.schemes().len(), 3);
    let env = providers.get("env").expect("env");
    assert_eq!(retrieve(env, "env:X").expect("set").text, "second");
}

#[test]
fn a_file_is_read_whole_and_may_be_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    fs::write(&path, "a: 1\n").expect("written");
    let retrieved = file(&path).expect("readable");
    assert_eq!((retrieved.text.as_str(), retrieved.exposure), ("a: 1\n", Exposure::Shown));
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let latin = write("latin.yaml", b"a: caf\xe9\n");
    let large = write("large.yaml", &vec![b' '; MAX_DOCUMENT_BYTES + 1]);
    let inside_a_file = latin.join("x");
    let missing = folder.path().join("missing.yaml");
    let cases = [
        (Path::new(""), "the path is empty", "write a path behind file:"),
        (folder.path(), "it is a directory", "name a file in it, such as config.yaml"),
        (&missing, "No such file or directory (os error 2)", "check the path"),
        (&inside_a_file, "Not a directory (os error 20)", "check the path"),
        (&latin, "it is not valid UTF-8 at byte 6", "save the file in UTF-8"),
        (&large, "it is larger than 1048576 bytes", "name a configuration file"),
    ];
    for (path, cause, help) in cases {
        let error = file(path).expect_err("unreadable");
        assert_eq!(
            error.chain(),
            format!("unable to read the file {:?}: {cause}", path.display().to_string())
        );
        assert!(error.help_text().expect("help").starts_with(help), "{error:?}");
    }
}

fn env(uri: &str) -> Result<Retrieved, String> {
    let provider = EnvProvider::new(|name| match name {
        "SET" => Some("value".into()),
        "EMPTY" => Some(OsString::new()),
        "BYTES" => Some(OsString::from_vec(vec![0xff])),
        _ => None,
    });
    retrieve(&provider, uri).map_err(|error| error.to_string())
}

/// As open-telemetry/opentelemetry-collector `confmap/provider/envprovider/provider_test.go`.
#[test]
fn a_variable_is_read_with_its_default() {
    for (uri, text, warns) in [
        ("env:SET", "value", false),
        ("env:SET:-x", "value", false),
        ("env:EMPTY", "", false),
        ("env:EMPTY:-foo", "", false),
        ("env:MY_VAR:-default % value", "default % value", false),
        ("env:MY_VAR:-", "", false),
        ("env:MY_VAR:-test:-test", "test:-test", false),
        ("env:MY_VAR", "", true),
    ] {
        let retrieved = env(uri).expect("a valid name");
        assert_eq!(
            (retrieved.text.as_str(), !retrieved.warnings.is_empty()),
            (text, warns),
            "{uri}"
        );
        assert_eq!(retrieved.exposure, Exposure::Hidden);
    }
}

#[test]
fn a_variable_that_cannot_be_is_an_error() {
    for (uri, name) in
        [("env:-MY_VAR", "-MY_VAR"), ("env:a%b", "a%b"), ("env:", ""), ("env:1A", "1A")]
    {
        assert_eq!(
            env(uri).map(|retrieved| retrieved.text),
            Err(format!(
                "environment variable {name:?} has invalid name: must match regex \
                 ^[a-zA-Z_][a-zA-Z0-9_]*$"
            ))
        );
    }
    assert_eq!(
        env("env:BYTES").map(|retrieved| retrieved.text),
        Err("environment variable \"BYTES\" is not valid UTF-8".to_owned())
    );
}
