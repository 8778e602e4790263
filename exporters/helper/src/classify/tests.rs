use pdata::wire::{put_len, put_uint};

use super::*;

fn reason() -> Reason {
    Reason::new("said the peer")
}

/// What is to be done about an answer.
#[derive(Debug, PartialEq)]
enum Verdict {
    Good,
    Again,
    AgainAfter(u64),
    Search,
    GiveUp,
    Split,
}
use Verdict::{Again, AgainAfter, GiveUp, Good, Search, Split};

fn verdict(result: Result<(), SendError>) -> Verdict {
    match result {
        Ok(()) => Good,
        Err(SendError::Retryable { delay: None, .. }) => Again,
        Err(SendError::Retryable { delay: Some(delay), .. }) => AgainAfter(delay.as_secs()),
        Err(SendError::Permanent { about: About::Request, .. }) => Search,
        Err(SendError::Permanent { about: About::Peer, .. }) => GiveUp,
        Err(SendError::TooLarge { .. }) => Split,
    }
}

#[test]
fn every_grpc_status_has_its_class() {
    // Code, without retry info, with it, without it above four mebibytes.
    let table = [
        (GrpcCode::Ok, Good, Good, Good),
        (GrpcCode::Canceled, Again, AgainAfter(7), Again),
        (GrpcCode::Unknown, GiveUp, GiveUp, GiveUp),
        (GrpcCode::InvalidArgument, Search, Search, Search),
        (GrpcCode::DeadlineExceeded, Again, AgainAfter(7), Again),
        (GrpcCode::NotFound, GiveUp, GiveUp, GiveUp),
        (GrpcCode::AlreadyExists, GiveUp, GiveUp, GiveUp),
        (GrpcCode::PermissionDenied, GiveUp, GiveUp, GiveUp),
        (GrpcCode::ResourceExhausted, GiveUp, AgainAfter(7), Split),
        (GrpcCode::FailedPrecondition, GiveUp, GiveUp, GiveUp),
        (GrpcCode::Aborted, Again, AgainAfter(7), Again),
        (GrpcCode::OutOfRange, Again, AgainAfter(7), Split),
        (GrpcCode::Unimplemented, GiveUp, GiveUp, GiveUp),
        (GrpcCode::Internal, GiveUp, GiveUp, GiveUp),
        (GrpcCode::Unavailable, Again, AgainAfter(7), Again),
        (GrpcCode::DataLoss, Again, AgainAfter(7), Again),
        (GrpcCode::Unauthenticated, GiveUp, GiveUp, GiveUp),
    ];
    assert_eq!(table.each_ref().map(|row| row.0), GrpcCode::ALL);
    for (code, plain, with_info, large) in table {
        let answer = |retry_info| GrpcAnswer { code, retry_info, reason: reason() };
        let limit = GRPC_DEFAULT_MAX_MESSAGE_BYTES;
        assert_eq!(verdict(grpc(answer(None), limit)), plain, "{code:?}");
        let delay = Some(Duration::from_secs(7));
        assert_eq!(verdict(grpc(answer(delay), limit + 1)), with_info, "{code:?} with RetryInfo");
        assert_eq!(verdict(grpc(answer(None), limit + 1)), large, "{code:?}, large message");
    }
}

#[test]
fn every_http_status_has_its_class() {
    let delay = Some(Duration::from_secs(7));
    for status in 100..=599 {
        let expected = match status {
            200..=299 => Good,
            429 | 503 => AgainAfter(7),
            502 | 504 => Again,
            413 => Split,
            400 | 422 => Search,
            _ => GiveUp,
        };
        assert_eq!(verdict(http(status, delay, reason())), expected, "{status}");
    }
    assert_eq!(verdict(http(503, None, reason())), Again);
}

#[test]
fn sender_is_told_the_status_that_stands_for_the_backends() {
    let told = |status| http(status, None, reason()).unwrap_err().code();
    assert_eq!(told(400), Some(GrpcCode::InvalidArgument));
    assert_eq!(told(401), Some(GrpcCode::Unauthenticated));
    assert_eq!(told(403), Some(GrpcCode::PermissionDenied));
    assert_eq!(told(404), Some(GrpcCode::Unimplemented));
    assert_eq!(told(429), Some(GrpcCode::ResourceExhausted));
    assert_eq!(told(503), Some(GrpcCode::Unavailable));
    assert_eq!(told(500), Some(GrpcCode::Unknown));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let cases = [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        // RFC 9110, section 5.6.7: the three forms of a date.
        ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
        ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
        ("Sun Nov  6 08:49:47 1994", Some(10)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999999", None),
    ];
    for (value, seconds) in cases {
        assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value:?}");
    }
}

fn status(type_url: &[u8], delay: &[u8]) -> Vec<u8> {
    let (mut info, mut any, mut status) = (Vec::new(), Vec::new(), Vec::new());
    put_len(&mut info, 1, delay);
    put_len(&mut any, 1, type_url);
    put_len(&mut any, 2, &info);
    put_uint(&mut status, 1, 14);
    put_len(&mut status, 2, b"come back");
    put_len(&mut status, 3, b"");
    put_len(&mut status, 3, &any);
    status
}

#[test]
fn retry_info_is_found_among_a_statuss_details() {
    let mut delay = Vec::new();
    put_uint(&mut delay, 1, 3);
    put_uint(&mut delay, 2, 500_000_000);
    let known = b"type.googleapis.com/google.rpc.RetryInfo";
    assert_eq!(retry_info(&status(known, &delay)), Some(Duration::from_millis(3500)));
    assert_eq!(retry_info(&status(known, &[])), Some(Duration::ZERO));
    let other = b"type.googleapis.com/google.rpc.DebugInfo";
    assert_eq!(retry_info(&status(other, &delay)), None);
    let mut negative = Vec::new();
    put_uint(&mut negative, 1, -3_i64 as u64);
    assert_eq!(retry_info(&status(known, &negative)), Some(Duration::ZERO));
}

#[test]
fn broken_status_details_are_no_retry_info() {
    let mut delay = Vec::new();
    put_uint(&mut delay, 1, 3);
    let whole = status(b"type.googleapis.com/google.rpc.RetryInfo", &delay);
    for end in 0..whole.len() {
        assert_eq!(retry_info(&whole[..end]), None, "cut at {end}");
    }
    assert_eq!(retry_info(&[0xff; 40]), None);
}
