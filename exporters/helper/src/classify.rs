//! Which answers are worth another try.
//!
//! The tables are those of the OTLP specification (open-telemetry/opentelemetry-proto `docs/specification.md`) as the Collector reads them
//! (`exporter/otlpexporter/otlp.go`, `exporter/otlphttpexporter/otlp.go`, `internal/statusutil`).

use std::time::Duration;

use pipeline::GrpcCode;

use crate::push::{About, SendError};
use crate::reason::Reason;

/// The largest message that a gRPC server takes unless it is configured otherwise (grpc/grpc `include/grpc/impl/channel_arg_names.h`,
/// `GRPC_DEFAULT_MAX_RECV_MESSAGE_LENGTH`; grpc-go and tonic have the same).
pub const GRPC_DEFAULT_MAX_MESSAGE_BYTES: usize = 4 << 20;

/// What a gRPC peer answered.
#[derive(Clone, Debug)]
pub struct GrpcAnswer {
    /// The status.
    pub code: GrpcCode,
    /// The delay of a `google.rpc.RetryInfo` among the status's details.
    pub retry_info: Option<Duration>,
    /// What the peer said.
    pub reason: Reason,
}

/// Reads a gRPC status. `request_bytes` is the size of the message that was sent, without compression.
///
/// # Errors
/// For every status but `Ok`. `ResourceExhausted` without a retry delay, and `OutOfRange`, are how grpc-go, grpc-java and tonic say that a message
/// is larger than they take, so both mean that for a message above gRPC's default limit.
pub fn grpc(answer: GrpcAnswer, request_bytes: usize) -> Result<(), SendError> {
    let GrpcAnswer { code, retry_info, reason } = answer;
    let over_default = request_bytes > GRPC_DEFAULT_MAX_MESSAGE_BYTES;
    match code {
        GrpcCode::Ok => Ok(()),
        GrpcCode::ResourceExhausted | GrpcCode::OutOfRange
            if over_default && retry_info.is_none() =>
        {
            let limit_bytes = Some(GRPC_DEFAULT_MAX_MESSAGE_BYTES);
            Err(SendError::TooLarge { limit_bytes, reason })
        }
        GrpcCode::Canceled
        | GrpcCode::DeadlineExceeded
        | GrpcCode::Aborted
        | GrpcCode::OutOfRange
        | GrpcCode::Unavailable
        | GrpcCode::DataLoss => {
            Err(SendError::Retryable { code: Some(code), delay: retry_info, reason })
        }
        GrpcCode::ResourceExhausted if retry_info.is_some() => {
            Err(SendError::Retryable { code: Some(code), delay: retry_info, reason })
        }
        GrpcCode::InvalidArgument => {
            Err(SendError::Permanent { about: About::Request, code: Some(code), reason })
        }
        GrpcCode::Unknown
        | GrpcCode::NotFound
        | GrpcCode::AlreadyExists
        | GrpcCode::PermissionDenied
        | GrpcCode::ResourceExhausted
        | GrpcCode::FailedPrecondition
        | GrpcCode::Unimplemented
        | GrpcCode::Internal
        | GrpcCode::Unauthenticated => {
            Err(SendError::Permanent { about: About::Peer, code: Some(code), reason })
        }
    }
}

/// Reads an HTTP status. `delay` is what a `Retry-After` header says; it counts for 429 and 503 only.
///
/// # Errors
/// For every status outside 200 to 299.
pub fn http(status: u16, delay: Option<Duration>, reason: Reason) -> Result<(), SendError> {
    let code = Some(grpc_code(status));
    match status {
        200..=299 => Ok(()),
        429 | 503 => Err(SendError::Retryable { code, delay, reason }),
        502 | 504 => Err(SendError::Retryable { code, delay: None, reason }),
        413 => Err(SendError::TooLarge { limit_bytes: None, reason }),
        400 | 422 => Err(SendError::Permanent { about: About::Request, code, reason }),
        _ => Err(SendError::Permanent { about: About::Peer, code, reason }),
    }
}

/// The gRPC status that stands for an HTTP status (upstream's `statusutil.NewStatusFromMsgAndHTTPCode`).
pub fn grpc_code(status: u16) -> GrpcCode {
    match status {
        200..=299 => GrpcCode::Ok,
        400 => GrpcCode::InvalidArgument,
        401 => GrpcCode::Unauthenticated,
        403 => GrpcCode::PermissionDenied,
        404 => GrpcCode::Unimplemented,
        429 => GrpcCode::ResourceExhausted,
        502..=504 => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    }
}

#[cfg(test)]
mod tests;
