//! What exporters tell their peers of themselves, and the log of their peers.

use net::error::{Class, TransportError};

use crate::push::SendError;
use crate::reason::Reason;

impl SendError {
    /// A request that got no answer.
    pub fn unreached(error: &TransportError) -> Self {
        let reason = Reason::new(error.to_string());
        match error.class() {
            Class::Retryable => Self::network(reason),
            Class::Permanent => Self::peer(reason),
        }
    }
}

/// The name that this program sends under.
pub fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("hikyaku/{} ({os}/{arch})", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use net::error::Cause;

    use super::*;

    #[test]
    fn request_without_an_answer_is_tried_again_unless_it_is_wrong_itself() {
        let unreached = |cause| {
            let error = TransportError { peer: "localhost:1".to_owned(), cause };
            let unreached = SendError::unreached(&error);
            assert_eq!(unreached.reason().as_str(), error.to_string());
            unreached.is_retryable()
        };
        assert!(unreached(Cause::Closed));
        assert!(!unreached(Cause::InvalidRequest("the URL has no host")));
    }
}
