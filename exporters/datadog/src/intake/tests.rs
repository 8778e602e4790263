use exporter_helper::About;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, USER_AGENT};

use super::classify::{Verdict, verdict};
use super::*;
use crate::testing::{Backend, KEY, answer, read, settings, shared};

const POSTED: [Endpoint; 6] = [
    Endpoint::Traces,
    Endpoint::Stats,
    Endpoint::Series,
    Endpoint::Sketches,
    Endpoint::Logs,
    Endpoint::HostMetadata,
];

fn answered(status: u16, said: &str) -> Answer<'_> {
    let status = StatusCode::from_u16(status).unwrap();
    Answer { status, delay: Some(Duration::from_secs(7)), said }
}

#[test]
fn every_status_of_every_endpoint_has_its_verdict() {
    for endpoint in POSTED.into_iter().chain([Endpoint::Validate]) {
        // What Datadog's sender of that signal does with statuses that have no rule of their own.
        let (others, unprocessable) = match endpoint {
            Endpoint::Traces | Endpoint::Stats => (Verdict::WrongPeer, Verdict::WrongRequest),
            Endpoint::Series | Endpoint::Sketches | Endpoint::Logs => {
                (Verdict::Again, Verdict::Again)
            }
            Endpoint::Validate | Endpoint::HostMetadata => (Verdict::WrongPeer, Verdict::WrongPeer),
        };
        for status in 100..=999 {
            let expected = match status {
                200..300 => Verdict::Taken,
                400 => Verdict::WrongRequest,
                401 => Verdict::WrongPeer,
                403 | 408 | 429 | 500..600 => Verdict::Again,
                413 => Verdict::TooLarge,
                422 => unprocessable,
                402..500 => others,
                _ => Verdict::WrongPeer,
            };
            let found = verdict(endpoint, StatusCode::from_u16(status).unwrap());
            assert_eq!(found, expected, "{endpoint:?} {status}");
        }
    }
}

#[test]
fn verdict_says_what_the_helper_does() {
    let url = "https://http-intake.logs.datadoghq.com/api/v2/logs";
    let of = |status| classify(Endpoint::Logs, url, &answered(status, "words"));
    assert_eq!(of(202), Ok(Sent::all()));
    for status in [403, 404, 408, 429, 500, 503, 599] {
        match of(status).unwrap_err() {
            SendError::Retryable { delay, .. } => {
                assert_eq!(delay, Some(Duration::from_secs(7)), "{status}");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    assert!(matches!(of(413).unwrap_err(), SendError::TooLarge { limit_bytes: None, .. }));
    for (status, expected) in [(400, About::Request), (401, About::Peer), (302, About::Peer)] {
        match of(status).unwrap_err() {
            SendError::Permanent { about, .. } => assert_eq!(about, expected, "{status}"),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn reason_names_url_status_and_words_and_the_settings_that_may_be_wrong() {
    let url = "https://trace.agent.datadoghq.eu/api/v0.2/traces";
    let of = |status, said: &str| {
        classify(Endpoint::Traces, url, &answered(status, said)).unwrap_err().reason().to_string()
    };
    let reason = of(400, "{\"errors\":[\n\"bad\"]}");
    assert_eq!(reason, format!("{url} answered 400 Bad Request: {{\"errors\":[ \"bad\"]}}"));
    for status in [401, 403] {
        let reason = of(status, "Forbidden");
        assert!(reason.contains("api::key") && reason.contains("api::site"), "{reason}");
    }
    assert!(of(404, "").contains("api::site, or the endpoint"));
    assert!(of(500, &"x".repeat(100_000)).len() <= 256);
}

#[tokio::test]
async fn request_goes_to_its_endpoint_with_key_type_encoding_and_name() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let shared = shared(&settings(&url, ""));
    let body = b"{\"some\":\"text that is long enough to be compressed, compressed, compressed\"}";
    for (endpoint, path, content_type, encoding) in [
        (Endpoint::Traces, "/api/v0.2/traces", "application/x-protobuf", "zstd"),
        (Endpoint::Stats, "/api/v0.2/stats", "application/msgpack", "gzip"),
        (Endpoint::Series, "/api/v2/series", "application/x-protobuf", "zstd"),
        (Endpoint::Sketches, "/api/beta/sketches", "application/x-protobuf", "zstd"),
        (Endpoint::Logs, "/api/v2/logs", "application/json", "zstd"),
        (Endpoint::HostMetadata, "/intake", "application/json", "gzip"),
    ] {
        let mut request = shared.intake.request(endpoint, body.to_vec()).unwrap();
        request.headers.insert("x-more", HeaderValue::from_static("yes"));
        assert_eq!(shared.intake.send(&request).await, Ok(Sent::all()));
        let seen = &backend.requests(path)[0];
        assert_eq!((&seen.method, &seen.body[..]), (&http::Method::POST, &body[..]), "{path}");
        assert_eq!(seen.headers[CONTENT_TYPE], content_type, "{path}");
        assert_eq!(seen.headers[CONTENT_ENCODING], encoding, "{path}");
        assert_eq!(seen.headers["dd-api-key"], KEY, "{path}");
        assert_eq!(seen.headers["x-more"], "yes", "{path}");
        assert!(seen.headers[USER_AGENT].to_str().unwrap().starts_with("hikyaku/"));
    }
    let check = shared.intake.exchange(&IntakeRequest::empty(Endpoint::Validate)).await.unwrap();
    assert_eq!(check.status, StatusCode::OK);
    let seen = &backend.requests("/api/v1/validate")[0];
    assert_eq!((&seen.method, &seen.body[..]), (&http::Method::GET, &b""[..]));
    assert_eq!(seen.headers["dd-api-key"], KEY);
}

#[tokio::test]
async fn connection_serves_requests_of_all_signals_one_after_the_other() {
    let backend = Backend::new();
    let (_server, url) = backend.start();
    let shared = shared(&settings(&url, ""));
    for endpoint in POSTED {
        let request = shared.intake.request(endpoint, vec![b'x']).unwrap();
        assert_eq!(shared.intake.send(&request).await, Ok(Sent::all()));
    }
    for endpoint in POSTED {
        assert_eq!(backend.requests(endpoint.path()).len(), 1);
    }
}

#[tokio::test]
async fn answer_that_may_pass_says_when_to_try_again() {
    let backend = Backend::answering(|_, _| {
        let mut slow_down = answer(429, "slow down");
        slow_down.headers_mut().insert("retry-after", HeaderValue::from_static("11"));
        slow_down
    });
    let (_server, url) = backend.start();
    let shared = shared(&settings(&url, ""));
    let request = shared.intake.request(Endpoint::Series, vec![b'x']).unwrap();
    match shared.intake.send(&request).await.unwrap_err() {
        SendError::Retryable { delay, reason, .. } => {
            assert_eq!(delay, Some(Duration::from_secs(11)));
            assert!(reason.as_str().ends_with("slow down"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn intake_that_is_down_is_named_and_worth_another_try() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shared = shared(&settings(&format!("http://{free}"), ""));
    let request = shared.intake.request(Endpoint::Logs, vec![b'x']).unwrap();
    let error = shared.intake.send(&request).await.unwrap_err();
    let text = error.reason().to_string();
    assert!(error.is_retryable() && text.contains(&free.to_string()), "{text}");
}

#[test]
fn url_is_that_of_the_site_or_the_setting_with_the_path_behind_it() {
    let of = |yaml: &str, endpoint| {
        let (config, report) = read(yaml);
        assert_eq!(report, "");
        Intake::new(Arc::new(config)).url(endpoint).to_string()
    };
    let site = format!("api: {{key: {KEY}, site: us5.datadoghq.com}}");
    for (endpoint, url) in [
        (Endpoint::Traces, "https://trace.agent.us5.datadoghq.com/api/v0.2/traces"),
        (Endpoint::Stats, "https://trace.agent.us5.datadoghq.com/api/v0.2/stats"),
        (Endpoint::Series, "https://api.us5.datadoghq.com/api/v2/series"),
        (Endpoint::Sketches, "https://api.us5.datadoghq.com/api/beta/sketches"),
        (Endpoint::Validate, "https://api.us5.datadoghq.com/api/v1/validate"),
        (Endpoint::HostMetadata, "https://api.us5.datadoghq.com/intake"),
        (Endpoint::Logs, "https://http-intake.logs.us5.datadoghq.com/api/v2/logs"),
    ] {
        assert_eq!(of(&site, endpoint), url);
    }
    for (set, url) in [
        ("http://proxy:3128", "http://proxy:3128/api/v2/logs"),
        ("http://proxy:3128/", "http://proxy:3128/api/v2/logs"),
        ("https://proxy/datadog/", "https://proxy/datadog/api/v2/logs"),
        ("https://proxy/api/v2/logs", "https://proxy/api/v2/logs"),
        ("proxy:443", "https://proxy:443/api/v2/logs"),
    ] {
        let yaml = format!("{site}\nlogs: {{endpoint: \"{set}\"}}");
        assert_eq!(of(&yaml, Endpoint::Logs), url);
    }
}

#[test]
fn no_message_shows_the_key() {
    let (config, _) = read(&format!("api: {{key: {KEY}}}"));
    assert!(!format!("{config:?}").contains(KEY));
    let intake = Intake::new(Arc::new(config));
    assert!(!format!("{:?}", intake.key).contains(KEY));
}

#[test]
fn logs_are_compressed_as_their_settings_say() {
    let wire = |more: &str| {
        let (config, report) = read(&format!("api: {{key: {KEY}}}\nlogs: {{{more}}}"));
        assert_eq!(report, "");
        let intake = Intake::new(Arc::new(config));
        let text: String = (0..500).map(|n| format!("{} is compressible, ", n * n)).collect();
        (text.len(), intake.request(Endpoint::Logs, text.into_bytes()).unwrap().body.len())
    };
    for plain in ["use_compression: false", "compression_level: 0"] {
        let (before, after) = wire(plain);
        assert_eq!(before, after);
    }
    let [measured, lowest, highest] =
        ["", "compression_level: 1", "compression_level: 9"].map(|more| wire(more).1);
    assert!(highest < lowest && measured != lowest, "{measured} {lowest} {highest}");
}
