use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::*;

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: Bytes::from(body.to_owned()),
        is_truncated: false,
    }
}

fn judged(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
    let url = Uri::from_static("https://user:secret@xray.eu-west-1.amazonaws.com/TraceSegments");
    judge(&url, &reply(status, headers, body))
}

#[test]
fn a_success_says_what_was_not_processed() {
    assert_eq!(judged(200, &[], "{}"), Verdict::Taken(Vec::new()));
    assert_eq!(judged(200, &[], ""), Verdict::Taken(Vec::new()));
    assert_eq!(
        judged(200, &[], r#"{"UnprocessedTraceSegments":null}"#),
        Verdict::Taken(Vec::new())
    );
    let body = r#"{"UnprocessedTraceSegments":[{"Id":"1","ErrorCode":"A","Message":"m"},{"Id":null,"ErrorCode":"ThrottlingException"}]}"#;
    let Verdict::Taken(unprocessed) = judged(200, &[], body) else { panic!() };
    let texts = |one: &Unprocessed| [one.id.clone(), one.error_code.clone(), one.message.clone()];
    assert_eq!(texts(&unprocessed[0]), ["1", "A", "m"]);
    assert_eq!(texts(&unprocessed[1]), ["", "ThrottlingException", ""]);
    assert_eq!(
        unprocessed.iter().map(Unprocessed::is_temporary).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(matches!(
        judged(200, &[], "<html>"),
        Verdict::Failed(SendError::Permanent { about: About::Peer, .. })
    ));
}

#[test]
fn throttling_and_faults_of_the_service_are_tried_again() {
    for (status, headers, body) in [
        (429, vec![], r#"{"__type":"ThrottledException"}"#),
        (400, vec![("x-amzn-errortype", "ThrottledException:http://x/")], "{}"),
        (400, vec![], r#"{"__type":"com.amazonaws.xray#TooManyRequestsException"}"#),
        (500, vec![], "{}"),
        (502, vec![], "<html>"),
        (503, vec![], ""),
        (408, vec![], ""),
    ] {
        let verdict = judged(status, &headers, body);
        assert!(
            matches!(verdict, Verdict::Failed(SendError::Retryable { .. })),
            "{status} {body}: {verdict:?}"
        );
    }
    let Verdict::Failed(SendError::Retryable { delay, .. }) =
        judged(429, &[("retry-after", "7")], "")
    else {
        panic!()
    };
    assert_eq!(delay, Some(Duration::from_secs(7)));
}

#[test]
fn what_will_never_work_is_not_tried_again_and_says_what_to_do() {
    for (status, kind, remedy) in [
        (403, "AccessDeniedException", "allow xray:PutTraceSegments"),
        (403, "InvalidSignatureException", "check the secret access key"),
        (404, "", "404"),
    ] {
        let body =
            format!(r#"{{"__type":"{kind}","message":"said\nThe Canonical String: secret"}}"#);
        let verdict = judged(status, &[], &body);
        let Verdict::Failed(SendError::Permanent { about: About::Peer, reason, .. }) = verdict
        else {
            panic!("{verdict:?}")
        };
        assert!(reason.as_str().contains(remedy), "{reason}");
        assert!(reason.as_str().contains("said"), "{reason}");
        assert!(!reason.as_str().contains("Canonical"), "{reason}");
        assert!(!reason.as_str().contains("user"), "{reason}");
    }
}

#[test]
fn a_fault_in_xml_is_read_as_one_in_json() {
    let body = "<?xml version=\"1.0\"?> <ErrorResponse><Errors><Error><Code>SignatureDoesNotMatch</Code>\
                <Message>no\n\nThe Canonical String: x</Message></Error></Errors></ErrorResponse>";
    let Verdict::Failed(SendError::Permanent { reason, .. }) = judged(403, &[], body) else {
        panic!()
    };
    assert!(reason.as_str().contains("SignatureDoesNotMatch (check the secret"), "{reason}");
    assert!(reason.as_str().ends_with(": no"), "{reason}");
}

#[test]
fn credentials_that_have_expired_are_renewed() {
    for status in [400, 403] {
        let verdict = judged(status, &[], r#"{"__type":"ExpiredTokenException","message":"m"}"#);
        assert!(matches!(verdict, Verdict::Expired(SendError::Retryable { .. })), "{verdict:?}");
    }
    let verdict = judged(403, &[], r#"{"__type":"UnrecognizedClientException","Message":"m"}"#);
    let Verdict::Expired(SendError::Permanent { reason, .. }) = verdict else { panic!() };
    assert!(reason.as_str().contains("the access key is not known"), "{reason}");
}

#[test]
fn documents_that_are_refused_together_are_told_from_a_refused_call() {
    for (status, body) in
        [(400, r#"{"__type":"InvalidRequestException","message":"m"}"#), (413, "")]
    {
        assert!(matches!(judged(status, &[], body), Verdict::Refused(_)), "{status}");
    }
    let verdict = judged(400, &[], "<html>nginx</html>");
    assert!(matches!(verdict, Verdict::Failed(SendError::Permanent { .. })), "{verdict:?}");
}
