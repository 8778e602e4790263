//! The `secretsmanager:` provider of a configuration: secrets of AWS Secrets Manager
//! (open-telemetry/opentelemetry-collector-contrib `confmap/provider/secretsmanagerprovider`).
//!
//! Each secret is asked for once, by `GetSecretValue`, all at the same time. `BatchGetSecretValue` would take fewer calls; it is another
//! permission, which the roles of running configurations lack. Needs a tokio runtime.

use aws::{Service, json};
use confmap::{BoxFuture, Opaque, Provider, ProviderError, Reference, Retrieved, join_all};
use confmap_aws::{
    Answers, At, Aws, Caller, Failure, FieldError, Reader, Reading, Spec, SpecError, Wanted, field,
    yielded,
};
use http::Uri;
use net::client::Reply;
use serde_json::{Map, Value};

/// What errors say of secrets.
const WANTED: Wanted = Wanted {
    noun: "secret",
    action: "secretsmanager:GetSecretValue",
    denied: "",
    not_found: "check the name, its version and the region",
};

/// The options that other providers do not have.
const OPTIONS: [&str; 2] = ["version_id", "version_stage"];

/// The longest answer: a secret of 64 KiB, each byte of which may be escaped.
const ANSWER_BYTES_MAX: usize = 1 << 20;

const ACTION: &str = "GetSecretValue";

/// Reads secrets. Asks nobody before the first reference.
#[derive(Debug)]
pub struct SecretsManagerProvider {
    reader: Reader<Version, Secret>,
}

/// A version of a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Version {
    /// The secret's name or ARN.
    secret: String,
    id: Option<String>,
    stage: Option<String>,
}

/// The text of a secret; none if it is binary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Secret(Option<Opaque>);

impl SecretsManagerProvider {
    /// The provider of `secretsmanager:`.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { reader: Reader::new(aws) }
    }
}

impl Provider for SecretsManagerProvider {
    fn scheme(&self) -> &'static str {
        "secretsmanager"
    }

    fn begin(&self) {
        self.reader.begin();
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        let question = |spec: &Spec| (spec.options.place.clone(), version(spec));
        let ask = |aws, at, versions| Box::pin(ask(aws, at, versions)) as BoxFuture<'a, _>;
        Box::pin(self.reader.retrieve(references, parse, question, ask, answer))
    }
}

fn parse(reference: &Reference) -> Result<Spec, ProviderError> {
    let spec = Spec::parse(reference, &OPTIONS)?;
    let wrong = if spec.name.is_empty() {
        SpecError::NoName
    } else if !spec.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-:!".contains(&b)) {
        SpecError::Name("has characters in its name that no secret's has")
    } else {
        return Ok(spec);
    };
    Err(wrong.at(reference, &OPTIONS))
}

fn version(spec: &Spec) -> Version {
    let mut own = spec.options.own.iter().cloned();
    let (id, stage) = (own.next().flatten(), own.next().flatten());
    Version { secret: spec.name.clone(), id, stage }
}

/// Reads secrets of one region with one role, all at the same time.
async fn ask(aws: &Aws, at: At, versions: Vec<Version>) -> Answers<Version, Secret> {
    let caller = Caller::new(aws, &at, Service::SECRETS_MANAGER, ANSWER_BYTES_MAX);
    let endpoint = match caller.endpoint().await {
        Ok(endpoint) => endpoint,
        Err(failure) => {
            return versions.into_iter().map(|version| (version, Err(failure.clone()))).collect();
        }
    };
    let calls = versions.into_iter().map(|version| {
        let (caller, endpoint) = (&caller, &endpoint);
        let work = async move { (version.clone(), call(caller, endpoint, &version).await) };
        Box::pin(work) as BoxFuture<'_, (Version, Result<Secret, Failure>)>
    });
    let answers = join_all(calls.collect()).await;
    caller.close().await;
    answers
}

async fn call(caller: &Caller, endpoint: &Uri, version: &Version) -> Result<Secret, Failure> {
    let mut input = Map::new();
    let mut put = |key: &str, value: &str| input.insert(key.to_owned(), value.into());
    put("SecretId", &version.secret);
    if let Some(id) = &version.id {
        put("VersionId", id);
    }
    if let Some(stage) = &version.stage {
        put("VersionStage", stage);
    }
    let input = Value::Object(input);
    let request = json::request(endpoint.clone(), "secretsmanager.GetSecretValue", &input);
    let read = |reply: &Reply| {
        let answer = json::answer(reply)?;
        Ok(Secret(answer.get("SecretString").and_then(Value::as_str).map(Opaque::new)))
    };
    caller.call(ACTION, &request, read).await
}

/// What a reference yields, given its secret: a string as it is, as upstream has it.
fn answer(
    reference: &Reference,
    spec: &Spec,
    reading: Result<Reading<Secret>, Failure>,
) -> Result<Retrieved, ProviderError> {
    let whole_or_field = |Secret(text): &Secret| {
        let text = text.as_ref().ok_or(FieldError::Binary)?;
        match &spec.key {
            None => Ok(Retrieved::literal(text.expose()).secret()),
            Some(key) => field(text.expose(), key),
        }
    };
    yielded(reference, spec, reading, whole_or_field, WANTED)
}

#[cfg(test)]
mod tests {
    use aws::Cause;

    use super::*;

    fn failed(cause: Cause) -> Failure {
        Failure::of_call(Service::SECRETS_MANAGER.host, ACTION, cause)
    }

    fn spec(text: &str) -> Result<Spec, String> {
        parse(&Reference::parse(text).unwrap()).map_err(|error| error.to_string())
    }

    fn read(text: &str, reading: Result<Secret, Failure>) -> Result<Retrieved, String> {
        let reference = Reference::parse(text).unwrap();
        let spec = parse(&reference).unwrap();
        answer(&reference, &spec, reading.map(Reading::new)).map_err(|error| error.to_string())
    }

    fn secret(text: &str) -> Result<Secret, Failure> {
        Ok(Secret(Some(Opaque::new(text))))
    }

    #[test]
    fn a_secret_is_named_by_name_or_arn_with_a_version_if_need_be() {
        let arn = "arn:aws:secretsmanager:eu-west-1:1:secret:a/b-AbCdEf";
        let found =
            spec(&format!("secretsmanager:{arn}?version_stage=AWSPREVIOUS&version_id=x#k:-d"))
                .ok()
                .unwrap();
        assert_eq!(found.options.place.region.as_deref(), Some("eu-west-1"));
        let Version { secret, id, stage } = version(&found);
        assert_eq!(
            (secret.as_str(), id.as_deref(), stage.as_deref()),
            (arn, Some("x"), Some("AWSPREVIOUS"))
        );
        assert_eq!((found.key.as_deref(), found.default.as_deref()), (Some("k"), Some("d")));
        for (text, said) in [
            ("secretsmanager:", "has no name"),
            ("secretsmanager:#k", "has no name"),
            ("secretsmanager:a b", "characters"),
            ("secretsmanager:a?stage=x", "unknown option \"stage\""),
        ] {
            let error = spec(text).map(|spec| spec.name).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn only_what_does_not_exist_has_a_default() {
        let refused = |code: &str| {
            let cause = Cause::Refused { code: code.to_owned(), message: String::new() };
            Err(failed(cause))
        };
        for (text, reading) in [
            ("secretsmanager:a#k:-d", secret("{}")),
            ("secretsmanager:a:-d", refused("ResourceNotFoundException")),
        ] {
            assert!(read(text, reading).is_ok(), "{text}");
        }
        for (text, reading) in [
            ("secretsmanager:a#k", secret("{}")),
            ("secretsmanager:a#k:-d", secret("canary")),
            ("secretsmanager:a:-d", refused("AccessDeniedException")),
            ("secretsmanager:a:-d", Ok(Secret(None))),
        ] {
            let error = read(text, reading).unwrap_err();
            assert!(
                error.starts_with("cannot read secretsmanager:a") && !error.contains("canary"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_debug_print_of_a_secret_has_no_value() {
        let retrieved = read("secretsmanager:a", secret("canary")).unwrap();
        assert!(!format!("{retrieved:?} {:?}", secret("canary")).contains("canary"));
    }
}
