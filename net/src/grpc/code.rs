//! The code of an answer that has no gRPC status.

use http::StatusCode;
use pdata::GrpcCode;

/// What an answer without a gRPC status means: it came from a proxy, or from no gRPC server.
/// grpc/grpc `doc/http-grpc-status-mapping.md`.
#[must_use]
pub fn code_of_http(status: StatusCode) -> GrpcCode {
    match status.as_u16() {
        400 => GrpcCode::Internal,
        401 => GrpcCode::Unauthenticated,
        403 => GrpcCode::PermissionDenied,
        404 => GrpcCode::Unimplemented,
        429 | 502 | 503 | 504 => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    }
}
