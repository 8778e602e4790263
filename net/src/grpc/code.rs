//! The status codes of gRPC.

use std::fmt;

use http::StatusCode;

/// A status code, grpc/grpc `doc/statuscodes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    /// Success.
    Ok = 0,
    /// Cancelled by the caller.
    Cancelled = 1,
    /// No better code is known.
    Unknown = 2,
    /// The request is wrong in itself.
    InvalidArgument = 3,
    /// Too late.
    DeadlineExceeded = 4,
    /// No such thing.
    NotFound = 5,
    /// There already.
    AlreadyExists = 6,
    /// Not allowed to this caller.
    PermissionDenied = 7,
    /// A quota is spent, or the message is too large.
    ResourceExhausted = 8,
    /// Not in this state.
    FailedPrecondition = 9,
    /// Lost a race.
    Aborted = 10,
    /// Beyond the end.
    OutOfRange = 11,
    /// No such method, or not here.
    Unimplemented = 12,
    /// Broken on the server's side.
    Internal = 13,
    /// Not now.
    Unavailable = 14,
    /// Data is lost.
    DataLoss = 15,
    /// The caller did not say who it is.
    Unauthenticated = 16,
}

const ALL: [(Code, &str); 17] = [
    (Code::Ok, "OK"),
    (Code::Cancelled, "Canceled"),
    (Code::Unknown, "Unknown"),
    (Code::InvalidArgument, "InvalidArgument"),
    (Code::DeadlineExceeded, "DeadlineExceeded"),
    (Code::NotFound, "NotFound"),
    (Code::AlreadyExists, "AlreadyExists"),
    (Code::PermissionDenied, "PermissionDenied"),
    (Code::ResourceExhausted, "ResourceExhausted"),
    (Code::FailedPrecondition, "FailedPrecondition"),
    (Code::Aborted, "Aborted"),
    (Code::OutOfRange, "OutOfRange"),
    (Code::Unimplemented, "Unimplemented"),
    (Code::Internal, "Internal"),
    (Code::Unavailable, "Unavailable"),
    (Code::DataLoss, "DataLoss"),
    (Code::Unauthenticated, "Unauthenticated"),
];

impl Code {
    /// The code of a number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        ALL.get(usize::try_from(number).ok()?).map(|(code, _)| *code)
    }

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name as grpc-go writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.get(usize::from(self.number())).map_or("Unknown", |(_, name)| name)
    }

    /// What an answer without a gRPC status means: it came from a proxy, or from no gRPC server.
    /// grpc/grpc `doc/http-grpc-status-mapping.md`.
    #[must_use]
    pub fn from_http(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
