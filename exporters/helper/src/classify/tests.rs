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
