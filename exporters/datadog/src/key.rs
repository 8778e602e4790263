//! The check of the API key.
//!
//! A wrong key shows at the first payload anyway. The check says so in plain words, and early where the user asks for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use exporter_helper::Reason;
use http::StatusCode;
use pipeline::{Deadline, StartError};
use tokio::sync::OnceCell;

use crate::intake::{Endpoint, Intake, IntakeRequest};

/// Longest that a start waits for the check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(15);

/// A check that is made once.
#[derive(Default)]
pub(crate) struct KeyCheck {
    taken: AtomicBool,
    verdict: OnceCell<KeyVerdict>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyVerdict {
    /// Datadog knows the key.
    Valid,
    /// It does not.
    Invalid(Reason),
    /// There was no answer that says so.
    Unknown(Reason),
}

impl KeyCheck {
    /// Whether nobody has taken it on yet. True once.
    pub(crate) fn is_due(&self) -> bool {
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Relaxed)
    }

    /// Asks, or gives the answer that is there.
    pub(crate) async fn verdict(&self, intake: &Intake) -> &KeyVerdict {
        self.verdict.get_or_init(|| ask(intake)).await
    }
}

async fn ask(intake: &Intake) -> KeyVerdict {
    let request = IntakeRequest::empty(Endpoint::Validate);
    match Deadline::after(CHECK_TIMEOUT).bound(intake.exchange(&request)).await {
        Some(Ok(reply)) => read(reply.status, &reply.body),
        Some(Err(error)) => KeyVerdict::Unknown(Reason::new(error.to_string())),
        None => KeyVerdict::Unknown(Reason::new(format!("no answer within {CHECK_TIMEOUT:?}"))),
    }
}

/// The answer is `{"valid":true}`; a key that Datadog does not know is a 403 (contrib `internal/datadog/clientutil/api.go`).
fn read(status: StatusCode, body: &[u8]) -> KeyVerdict {
    let compact: Vec<u8> =
        body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let says = |text: &[u8]| compact.windows(text.len()).any(|window| window == text);
    let said = || Reason::new(format!("{status}: {}", String::from_utf8_lossy(body)));
    match status {
        StatusCode::FORBIDDEN => KeyVerdict::Invalid(said()),
        status if status.is_success() && says(b"\"valid\":true") => KeyVerdict::Valid,
        status if status.is_success() && says(b"\"valid\":false") => KeyVerdict::Invalid(said()),
        _ => KeyVerdict::Unknown(said()),
    }
}

impl KeyVerdict {
    /// Tells the user.
    pub(crate) fn log(&self) {
        match self {
            Self::Valid => tracing::debug!("Datadog knows the API key."),
            Self::Invalid(said) => tracing::error!(
                answer = said.as_str(),
                "Datadog does not know the API key. It may be wrong, or one of another site (settings: api::key, api::site)."
            ),
            Self::Unknown(said) => tracing::warn!(
                error = said.as_str(),
                "The API key could not be checked with Datadog. Data is sent all the same."
            ),
        }
    }

    /// # Errors
    /// When Datadog does not know the key. What else goes wrong is told, and does not stand in the way.
    pub(crate) fn refuse_invalid(&self) -> Result<(), StartError> {
        match self {
            Self::Valid | Self::Unknown(_) => {
                self.log();
                Ok(())
            }
            Self::Invalid(said) => Err(StartError(format!(
                "Datadog does not know the API key, and api::fail_on_invalid_key is set ({said}); it may be wrong, or one of another site (settings: api::key, api::site)"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
