use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, Method, Uri};
use net::client::{ClientOptions, HttpClient, Request};
use serde_json::Value;

use super::*;
use crate::Settings;
use crate::testing::{Fake, SECRET, TOKEN, session};

/// 2015-08-30T12:36:00Z.
const SUITE_TIME: u64 = 1_440_938_160;

fn signed(
    (method, uri): (&Method, &Uri),
    mut headers: HeaderMap,
    body: &'static str,
    credentials: &Credentials,
    (scope, at): (Scope<'_>, u64),
) -> HeaderMap {
    let body = [Bytes::from_static(body.as_bytes())];
    let mut request = Outgoing { method, uri, headers: &mut headers, body: &body };
    let now = UNIX_EPOCH + Duration::from_secs(at);
    sign(&mut request, &hash(&body), credentials, scope, now).unwrap();
    headers
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn requests_of_awss_test_suite_get_its_signatures() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../testdata/sigv4/vectors.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() >= 25);
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, vector["token"].as_str());
        let mut headers = HeaderMap::new();
        for pair in vector["headers"].as_array().unwrap() {
            let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
            headers.append(name, pair[1].as_str().unwrap().trim().parse().unwrap());
        }
        let uri = format!("https://example.amazonaws.com{}", text("target")).parse().unwrap();
        let method: Method = text("method").parse().unwrap();
        let body: &'static str = text("body").to_owned().leak();
        let scope = Scope { service: "service", region: "us-east-1" };
        let headers = signed((&method, &uri), headers, body, &credentials, (scope, SUITE_TIME));
        assert_eq!(header(&headers, "authorization"), text("authorization"), "{}", text("name"));
        assert_eq!(header(&headers, "x-amz-date"), "20150830T123600Z");
        assert_eq!(header(&headers, "x-amz-security-token"), text("token"));
    }
}

#[test]
fn requests_to_s3_get_the_hash_of_their_body_and_are_signed_as_its_documentation_does() {
    let credentials =
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
    let uri = Uri::from_static("https://examplebucket.s3.amazonaws.com/test.txt");
    let host = HeaderValue::from_static("examplebucket.s3.amazonaws.com");
    let range = HeaderValue::from_static("bytes=0-9");
    let headers = HeaderMap::from_iter([(http::header::HOST, host), (http::header::RANGE, range)]);
    let scope = Scope { service: "s3", region: "us-east-1" };
    let headers = signed((&Method::GET, &uri), headers, "", &credentials, (scope, 1_369_353_600));
    assert_eq!(
        header(&headers, "authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert_eq!(
        header(&headers, "x-amz-content-sha256"),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn a_request_that_was_signed_before_is_signed_anew() {
    let uri = Uri::from_static("https://xray.eu-west-1.amazonaws.com/v1/traces");
    let scope = Scope { service: "xray", region: "eu-west-1" };
    let temporary = Credentials::new("ASIA", SECRET, Some(TOKEN));
    let plain = Credentials::new("AKIA", SECRET, None);
    let when = (scope, SUITE_TIME);
    let first = signed((&Method::POST, &uri), HeaderMap::new(), "x", &temporary, when);
    let fresh = signed((&Method::POST, &uri), HeaderMap::new(), "x", &plain, when);
    let again = signed((&Method::POST, &uri), first, "x", &plain, when);
    assert_eq!(again, fresh);
}

#[test]
fn every_piece_of_a_body_counts() {
    let uri = Uri::from_static("https://xray.eu-west-1.amazonaws.com/v1/traces");
    let scope = Scope { service: "xray", region: "eu-west-1" };
    let credentials = Credentials::new("AKIA", SECRET, None);
    let signature = |body| {
        let headers =
            signed((&Method::POST, &uri), HeaderMap::new(), body, &credentials, (scope, 1));
        header(&headers, "authorization").to_owned()
    };
    assert_ne!(signature("a"), signature("b"));
    let pieces = [Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")];
    // Of FIPS 180-2, appendix B.1.
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash(&pieces), known);
}

#[tokio::test]
async fn a_large_body_has_the_hash_of_a_small_one() {
    let piece = Bytes::from(vec![7; INLINE_BYTES_MAX / 2]);
    let halves = [piece.clone(), piece.clone()];
    let whole = [Bytes::from(vec![7; INLINE_BYTES_MAX])];
    assert_eq!(body_sha256(&halves).await, hash(&whole));
}

#[tokio::test]
async fn a_client_signs_each_attempt_over_the_compressed_bytes() {
    let server = Fake::start(|_| (200, String::new()));
    let session = session(
        Settings::default(),
        &[
            ("AWS_ACCESS_KEY_ID", "ASIALAMBDA"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("AWS_REGION", "eu-west-1"),
        ],
    );
    let auth: Arc<dyn ClientAuth> = session.signer(Service::XRAY);
    let options = ClientOptions { auth: Some(auth), ..ClientOptions::default() };
    let gzip = config::HttpClient {
        compression: config::Compression::Gzip,
        ..config::HttpClient::default()
    };
    let client = HttpClient::new(&gzip, options);
    let text = Bytes::from(vec![b'a'; 1000]);
    let request = Request {
        method: Method::POST,
        uri: format!("{}/v1/traces?a=b", server.url()).parse().unwrap(),
        headers: HeaderMap::new(),
        body: client.compress(vec![text]).await.unwrap(),
    };
    for _attempt in 0..2 {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        assert!(client.send(&request, deadline).await.unwrap().status.is_success());
    }
    let attempts = server.seen();
    assert_eq!(attempts.len(), 2);
    for seen in attempts {
        assert!(seen.body.starts_with(&[0x1f, 0x8b]) && seen.body.len() < 100);
        assert_eq!(seen.header("x-amz-security-token"), TOKEN);
        assert_eq!(seen.header("x-amz-date"), "20010909T014640Z");
        let expected = "AWS4-HMAC-SHA256 Credential=ASIALAMBDA/20010909/eu-west-1/xray/aws4_request, SignedHeaders=content-encoding;content-length;host;x-amz-date;x-amz-security-token, Signature=";
        assert!(seen.header("authorization").starts_with(expected));
        // Whoever signs what arrived comes to the same signature.
        let mut headers = seen.headers.clone();
        let mut arrived =
            Outgoing { method: &Method::POST, uri: &request.uri, headers: &mut headers, body: &[] };
        let credentials = session.credentials().await.unwrap();
        let scope = Scope { service: "xray", region: "eu-west-1" };
        sign(
            &mut arrived,
            &hash(std::slice::from_ref(&seen.body)),
            &credentials,
            scope,
            session.now(),
        )
        .unwrap();
        assert_eq!(header(&headers, "authorization"), seen.header("authorization"));
    }
}

#[tokio::test]
async fn secrets_of_a_signed_request_are_not_shown() {
    let session = session(
        Settings { region: Some("eu-west-1".to_owned()), ..Settings::default() },
        &[
            ("AWS_ACCESS_KEY_ID", "ASIALAMBDA"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
        ],
    );
    let uri = Uri::from_static("https://xray.eu-west-1.amazonaws.com/v1/traces");
    let mut headers = HeaderMap::new();
    let outgoing = Outgoing { method: &Method::GET, uri: &uri, headers: &mut headers, body: &[] };
    let signer = session.signer(Service::XRAY);
    signer.authorize(outgoing).await.unwrap();
    assert_eq!(header(&headers, "x-amz-security-token"), TOKEN);
    let shown = format!("{headers:?} {signer:?} {session:?}");
    assert!(!shown.contains("not-to-be-seen"), "{shown}");
}
