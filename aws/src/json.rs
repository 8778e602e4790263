//! AWS's JSON protocol, which Systems Manager and Secrets Manager speak: an object out by POST, an object back
//! (Smithy's `aws.protocols#awsJson1_1`).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use net::client::{Body, Reply, Request};
use serde_json::Value;

use crate::error::{Cause, first_line};
use crate::query;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The request of a call, not signed. `target` is the service's prefix and the action, such as `AmazonSSM.GetParameters`.
#[must_use]
pub fn request(endpoint: Uri, target: &'static str, input: &Value) -> Request {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
        (TARGET, HeaderValue::from_static(target)),
    ];
    Request {
        method: Method::POST,
        uri: endpoint,
        headers: HeaderMap::from_iter(headers),
        body: Body::plain(vec![Bytes::from(input.to_string())]),
    }
}

/// The object in the answer to a call.
///
/// # Errors
/// When it is a refusal, with AWS's code and the first line of its message; or makes no sense.
pub fn answer(reply: &Reply) -> Result<Value, Cause> {
    let object = serde_json::from_slice(&reply.body).ok().filter(Value::is_object);
    if !reply.status.is_success() {
        return Err(refused(reply, object.as_ref()));
    }
    if reply.is_truncated {
        return Err(Cause::Answer("is too long"));
    }
    object.ok_or(Cause::Answer("is no JSON object"))
}

fn refused(reply: &Reply, object: Option<&Value>) -> Cause {
    let text = |key| object.and_then(|object| object.get(key)).and_then(Value::as_str);
    match reply.header(&ERROR_TYPE).or_else(|| text("__type")).map(code) {
        Some(code) if !code.is_empty() => {
            let message = text("message").or_else(|| text("Message")).unwrap_or_default();
            Cause::Refused { code: first_line(code), message: first_line(message) }
        }
        // What stands before a service may answer in XML, a proxy in anything.
        _ => query::refused(reply),
    }
}

/// The code in `com.amazon.coral.service#AccessDeniedException` and `AccessDeniedException:http://…`.
fn code(error_type: &str) -> &str {
    let code = error_type.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn reply(status: u16, headers: &[(HeaderName, &'static str)], body: &'static str) -> Reply {
        let headers = headers.iter().map(|(n, v)| (n.clone(), HeaderValue::from_static(v)));
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.collect(),
            body: Bytes::from(body),
            is_truncated: false,
        }
    }

    #[test]
    fn a_call_is_a_post_of_an_object_with_its_action_in_a_header() {
        let endpoint = Uri::from_static("http://127.0.0.1:1/");
        let request = request(endpoint, "AmazonSSM.GetParameters", &serde_json::json!({"a": 1}));
        assert_eq!(request.method, Method::POST);
        assert_eq!(request.headers["x-amz-target"], "AmazonSSM.GetParameters");
        assert_eq!(request.headers["content-type"], "application/x-amz-json-1.1");
        assert_eq!(&*request.body.decompressed(100).unwrap(), br#"{"a":1}"#);
    }

    #[test]
    fn a_refusal_has_its_code_in_a_header_or_in_the_body() {
        let cases: [(&[_], _, _); 7] = [
            (
                &[],
                r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
                "ThrottlingException: Rate exceeded",
            ),
            (
                &[],
                r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no\nno"}"#,
                "AccessDeniedException: no",
            ),
            (&[(ERROR_TYPE, "ParameterNotFound:http://x/")], "{}", "ParameterNotFound"),
            (&[], "<html>", "answered with status 400"),
            (&[], r#"{"message":"x"}"#, "answered with status 400"),
            (&[], "[]", "answered with status 400"),
            (
                &[],
                "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>",
                "SignatureDoesNotMatch",
            ),
        ];
        for (headers, body, said) in cases {
            assert_eq!(answer(&reply(400, headers, body)).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn an_answer_that_is_no_object_or_was_cut_off_is_none() {
        assert_eq!(answer(&reply(200, &[], r#"{"a":1}"#)).unwrap()["a"], 1);
        assert!(answer(&reply(200, &[], "[1]")).is_err());
        let cut = Reply { is_truncated: true, ..reply(200, &[], "{}") };
        assert!(answer(&cut).is_err());
    }
}
