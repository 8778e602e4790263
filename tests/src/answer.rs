//! What a fake backend does with a request.

use std::time::Duration;

/// One answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The protocol's success.
    Accept,
    /// The protocol's success, after this time; the backend counts the request only then.
    AcceptAfter(Duration),
    /// Success with so many items turned away (OTLP only).
    PartialSuccess {
        /// The number that the answer states.
        rejected: i64,
    },
    /// An HTTP status. To a gRPC request it comes without gRPC's own headers, as from a proxy.
    Status {
        /// The status code.
        code: u16,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// A gRPC status (gRPC only).
    Grpc {
        /// The status code, 8 for `RESOURCE_EXHAUSTED`.
        code: u32,
        /// The delay of an attached `google.rpc.RetryInfo`.
        retry_delay: Option<Duration>,
    },
    /// None at all, until the fake's answers are released.
    Stall,
    /// The whole request is read and the connection closed.
    Close,
    /// The body is read in pieces with this pause between them, then accepted.
    ReadSlowly(Duration),
}

impl Answer {
    /// An HTTP status without a delay.
    pub const fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// An HTTP status with `Retry-After`.
    pub fn status_retry_after(code: u16, seconds: u32) -> Self {
        Self::Status { code, retry_after: Some(seconds.to_string()) }
    }

    /// A gRPC status without a delay.
    pub const fn grpc(code: u32) -> Self {
        Self::Grpc { code, retry_delay: None }
    }

    /// A gRPC status with `RetryInfo`.
    pub const fn grpc_retry_after(code: u32, delay: Duration) -> Self {
        Self::Grpc { code, retry_delay: Some(delay) }
    }

    /// The pause between two pieces of the body that is being read.
    pub(crate) const fn reading_pause(&self) -> Option<Duration> {
        match self {
            Self::ReadSlowly(pause) => Some(*pause),
            _ => None,
        }
    }

    /// Whether the backend has taken what it was sent.
    pub const fn is_acceptance(&self) -> bool {
        matches!(
            self,
            Self::Accept | Self::AcceptAfter(_) | Self::PartialSuccess { .. } | Self::ReadSlowly(_)
        )
    }
}
