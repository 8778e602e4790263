//! What a sender is told, by the OTLP specification and the Collector's table (`receiver/otlpreceiver`, `internal/statusutil`).

use std::time::Duration;

use http::StatusCode;
use net::ReplyBody;
use net::grpc::Status;
use pdata::RpcStatus;
use pipeline::{Class, ConsumeError, GrpcCode};

use crate::intake::Encoding;

/// A refusal in the protocol's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Status of an HTTP answer.
    pub(crate) http: StatusCode,
    /// Code of a gRPC answer and of the HTTP answer's body.
    pub(crate) code: GrpcCode,
    /// For a person: what is wrong and what to do.
    pub(crate) message: String,
    /// When to come back. Only ever stated with an answer that senders retry.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// A request that is wrong in itself: senders do not repeat it.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, GrpcCode::InvalidArgument, message)
    }

    /// The memory budget is spent.
    pub(crate) fn no_room(retry_after: Duration) -> Self {
        let message = "the memory budget is spent; come back when the exporters have made room";
        let refusal = Self::of(StatusCode::SERVICE_UNAVAILABLE, GrpcCode::Unavailable, message);
        Self { retry_after: Some(retry_after), ..refusal }
    }

    /// A signal that no pipeline takes.
    pub(crate) fn not_found(signal: pdata::Signal) -> Self {
        let message = format!("no pipeline of this config takes {signal} from this receiver");
        Self::of(StatusCode::NOT_FOUND, GrpcCode::Unimplemented, message)
    }

    /// Whether the pipelines said no, rather than the receiver.
    pub(crate) fn is_the_pipelines(&self) -> bool {
        self.http.is_server_error() || self.http == StatusCode::TOO_MANY_REQUESTS
    }

    /// With these statuses.
    pub(crate) fn of(http: StatusCode, code: GrpcCode, message: impl Into<String>) -> Self {
        Self { http, code, message: message.into(), retry_after: None }
    }
}

impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        let code = match (error.code, error.class) {
            (Some(code), _) => code,
            (None, Class::Permanent) => GrpcCode::Internal,
            (None, Class::Overloaded | Class::Retryable | Class::Closed) => GrpcCode::Unavailable,
        };
        let http = status_of(code);
        let retried =
            matches!(http, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        let retry_after = error.retry_after.filter(|_| retried);
        Self { http, code, message: error.message.into_owned(), retry_after }
    }
}

impl Refusal {
    /// The gRPC answer.
    pub(crate) fn into_status(self) -> Status {
        let status = Status::new(self.code, self.message);
        match self.retry_after {
            Some(delay) => status.retry_after(delay),
            None => status,
        }
    }

    /// The body of the HTTP answer: a `google.rpc.Status` in the request's encoding.
    pub(crate) fn body(&self, encoding: Encoding) -> ReplyBody {
        let status = RpcStatus {
            code: self.code as i32,
            message: self.message.clone(),
            retry_delay: self.retry_after,
        };
        match encoding {
            Encoding::Protobuf => status.to_protobuf().into(),
            Encoding::Json => status.to_json().into(),
        }
    }
}

/// The HTTP status that stands for a gRPC code.
fn status_of(code: GrpcCode) -> StatusCode {
    match code {
        GrpcCode::Canceled
        | GrpcCode::DeadlineExceeded
        | GrpcCode::Aborted
        | GrpcCode::OutOfRange
        | GrpcCode::Unavailable
        | GrpcCode::DataLoss => StatusCode::SERVICE_UNAVAILABLE,
        GrpcCode::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        GrpcCode::InvalidArgument => StatusCode::BAD_REQUEST,
        GrpcCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        GrpcCode::PermissionDenied => StatusCode::FORBIDDEN,
        GrpcCode::Unimplemented => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_collectors_http_status() {
        for (number, status) in [
            (1, 503),
            (2, 500),
            (3, 400),
            (4, 503),
            (5, 500),
            (6, 500),
            (7, 403),
            (8, 429),
            (9, 500),
            (10, 503),
            (11, 503),
            (12, 404),
            (13, 500),
            (14, 503),
            (15, 503),
            (16, 401),
        ] {
            let error = ConsumeError::permanent("x").code(GrpcCode::from_number(number));
            let refusal = Refusal::from(error);
            assert_eq!((refusal.code.number(), refusal.http.as_u16()), (number, status));
        }
    }

    #[test]
    fn error_without_a_status_is_retryable_unless_it_is_permanent() {
        for (class, status, code) in [
            (Class::Overloaded, 503, GrpcCode::Unavailable),
            (Class::Retryable, 503, GrpcCode::Unavailable),
            (Class::Closed, 503, GrpcCode::Unavailable),
            (Class::Permanent, 500, GrpcCode::Internal),
        ] {
            let refusal = Refusal::from(ConsumeError::new(class, "x"));
            assert_eq!((refusal.http.as_u16(), refusal.code), (status, code), "{class:?}");
        }
    }

    #[test]
    fn delay_is_stated_only_where_senders_retry() {
        let delay = Duration::from_secs(7);
        let retried = Refusal::from(ConsumeError::overloaded("x").retry_after(delay));
        assert_eq!(retried.retry_after, Some(delay));
        let final_ = Refusal::from(ConsumeError::permanent("x").retry_after(delay));
        assert_eq!(final_.retry_after, None);
    }
}
