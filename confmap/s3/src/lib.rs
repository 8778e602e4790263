//! The `s3:` provider of a configuration: objects of Amazon S3
//! (open-telemetry/opentelemetry-collector-contrib `confmap/provider/s3provider`).
//!
//! Each object is asked for once, by `GetObject`, all at the same time. Needs a tokio runtime.

use aws::{Cause, Service, query};
use confmap::{
    BoxFuture, Opaque, Provider, ProviderError, Reference, Retrieved, join_all,
    limits::MAX_DOCUMENT_BYTES,
};
use confmap_aws::{Answers, At, Aws, Caller, Failure, Options, Reader, Reading, Wanted};
use http::{HeaderMap, HeaderName, Method};
use net::client::{Body, Reply, Request};

use crate::object::Object;

mod object;

/// What errors say of objects.
const WANTED: Wanted = Wanted {
    noun: "object",
    action: "s3:GetObject",
    denied: "; without s3:ListBucket on the bucket, an object that does not exist is denied, too",
    not_found: "check the bucket, the key and the region",
};

const ACTION: &str = "GetObject";

const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// Reads objects. Asks nobody before the first reference.
#[derive(Debug)]
pub struct S3Provider {
    reader: Reader<Object, Opaque>,
}

impl S3Provider {
    /// The provider of `s3:`.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { reader: Reader::new(aws) }
    }
}

impl Provider for S3Provider {
    fn scheme(&self) -> &'static str {
        "s3"
    }

    fn begin(&self) {
        self.reader.begin();
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        let question =
            |(object, options): &(Object, Options)| (options.place.clone(), object.clone());
        let ask = |aws, at, objects| Box::pin(ask(aws, at, objects)) as BoxFuture<'a, _>;
        Box::pin(self.reader.retrieve(references, object::parse, question, ask, answer))
    }
}

/// Reads objects of one region with one role, all at the same time.
async fn ask(aws: &Aws, at: At, objects: Vec<Object>) -> Answers<Object, Opaque> {
    let caller = Caller::new(aws, &at, Service::S3, MAX_DOCUMENT_BYTES);
    let calls = objects.into_iter().map(|object| {
        let caller = &caller;
        let work = async move {
            let outcome = call(caller, &object).await;
            (object, outcome)
        };
        Box::pin(work) as BoxFuture<'_, (Object, Result<Opaque, Failure>)>
    });
    let answers = join_all(calls.collect()).await;
    caller.close().await;
    answers
}

async fn call(caller: &Caller, object: &Object) -> Result<Opaque, Failure> {
    let configured = caller.configured_endpoint().await?;
    let usual = caller.endpoint().await?;
    let uri = object.uri(configured.as_ref(), &usual);
    let uri =
        uri.ok_or_else(|| failed(Cause::Answer("was not asked for: the key makes no URL")))?;
    let request =
        Request { method: Method::GET, uri, headers: HeaderMap::new(), body: Body::empty() };
    caller.call(ACTION, &request, text).await
}

/// The text in an answer.
fn text(reply: &Reply) -> Result<Opaque, Cause> {
    if !reply.status.is_success() {
        return Err(match (query::refused(reply), reply.header(&BUCKET_REGION)) {
            (Cause::Refused { code, message }, Some(region)) if code != "AccessDenied" => {
                Cause::Refused { code, message: format!("{message} (the bucket is in {region})") }
            }
            (cause, _) => cause,
        });
    }
    if reply.is_truncated {
        return Err(Cause::Answer("is longer than 1 MiB"));
    }
    let text =
        std::str::from_utf8(&reply.body).map_err(|_invalid| Cause::Answer("is not in UTF-8"))?;
    Ok(Opaque::new(text))
}

/// What a reference yields, given its object.
fn answer(
    reference: &Reference,
    (_, options): &(Object, Options),
    reading: Result<Reading<Opaque>, Failure>,
) -> Result<Retrieved, ProviderError> {
    let reading = reading.map_err(|failure| failure.at(reference, WANTED))?;
    let retrieved = Retrieved::yaml(reading.value.expose()).secret();
    Ok(options.refreshed(reading.warn(reference, retrieved)))
}

fn failed(cause: Cause) -> Failure {
    Failure::of_call(Service::S3.host, ACTION, cause)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        let region = (BUCKET_REGION, HeaderValue::from_static("eu-north-1"));
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([region]),
            body: Bytes::from(body),
            is_truncated: false,
        }
    }

    #[test]
    fn an_object_is_text_and_a_refusal_says_where_the_bucket_is() {
        assert_eq!(text(&reply(200, "a: 1")).unwrap().expose(), "a: 1");
        let moved = "<?xml version=\"1.0\"?>\n<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
        let said = text(&reply(301, moved)).unwrap_err().to_string();
        assert_eq!(said, "PermanentRedirect: elsewhere (the bucket is in eu-north-1)");
        let cut = Reply { is_truncated: true, ..reply(200, "canary") };
        let binary = Reply { body: Bytes::from_static(b"canary\xff"), ..reply(200, "") };
        for (reply, expected) in [(cut, "longer than 1 MiB"), (binary, "UTF-8")] {
            let said = text(&reply).unwrap_err().to_string();
            assert!(said.contains(expected) && !said.contains("canary"), "{said}");
        }
        assert_eq!(text(&reply(503, "")).unwrap_err().to_string(), "answered with status 503");
    }

    #[test]
    fn a_debug_print_of_an_object_has_no_content() {
        let reference = Reference::parse("s3://bucket/key").unwrap();
        let reading = Reading::new(Opaque::new("canary"));
        let spec = object::parse(&reference).unwrap();
        let retrieved = answer(&reference, &spec, Ok(reading)).unwrap();
        assert!(!format!("{retrieved:?}").contains("canary"));
    }
}
