//! Why there is no value, and what to do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws::{Cause, Error, Source};
use confmap::{ProviderError, Reference};
use net::error::Class;

use crate::spec::{is_hidden, label};

/// Why a call gave nothing. What AWS says stands in it, and never a value.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    why: Arc<Why>,
    /// How often it was tried, if that was more than once, and for how long.
    tried: Option<(u32, Duration)>,
}

/// What it means for the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It does not exist.
    NotFound,
    /// The role may not read it.
    Denied,
    /// It can't be decrypted.
    Key,
    /// The credentials were good once.
    Expired,
    /// There are no credentials, no region or no endpoint, or AWS does not take them.
    Setup,
    /// Too many calls.
    Throttled,
    /// Nobody answers, or AWS is out of order.
    Unavailable,
    /// Anything else that AWS says.
    Refused,
}

#[derive(Clone, Debug)]
enum Why {
    Aws(Error),
    TimedOut { awaited: String, after: Duration },
}

/// What was to be read, for the remedy.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Such as `parameter`.
    pub noun: &'static str,
    /// The action that has to be allowed, such as `ssm:GetParameters`.
    pub action: &'static str,
    /// What else to know of it when it is denied; empty for nothing.
    pub denied: &'static str,
    /// Where to look when there is none.
    pub not_found: &'static str,
}

impl Failure {
    /// The failure of a call, or of what is needed to make it.
    #[must_use]
    pub fn of(error: Error) -> Self {
        Self { kind: kind(&error), why: Arc::new(Why::Aws(error)), tried: None }
    }

    /// The failure of a call to a service that was answered.
    #[must_use]
    pub fn of_call(service: &'static str, action: &'static str, cause: Cause) -> Self {
        Self::of(Error::Call { service, action, cause })
    }

    /// There is an answer, and not to this question.
    pub(crate) fn unanswered() -> Self {
        Self::of(Error::Unsignable("nobody was asked"))
    }

    /// The time is up.
    pub(crate) fn timed_out(awaited: impl Into<String>, after: Duration) -> Self {
        let why = Why::TimedOut { awaited: awaited.into(), after };
        Self { kind: Kind::Unavailable, why: Arc::new(why), tried: None }
    }

    /// The same, after so many attempts in so much time.
    pub(crate) fn tried(mut self, attempts: u32, time: Duration) -> Self {
        self.tried = (attempts > 1).then_some((attempts, time));
        self
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same call may do better by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable | Kind::Expired)
    }

    /// The error of a reference.
    #[must_use]
    pub fn at(&self, reference: &Reference, wanted: Wanted) -> ProviderError {
        let error = ProviderError::new(describe(reference, self));
        match self.help(wanted) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// AWS's own code, if it gave one.
    fn refusal(&self) -> Option<(&str, &str)> {
        let Why::Aws(Error::Call { cause, .. } | Error::Credentials { cause, .. }) = &*self.why
        else {
            return None;
        };
        match cause {
            Cause::Refused { code, message } => Some((code, message)),
            _ => None,
        }
    }

    fn help(&self, wanted: Wanted) -> Option<String> {
        let Wanted { noun, action, denied, not_found } = wanted;
        let (_, message) = self.refusal().unwrap_or_default();
        let who = "the role that this process runs as";
        match self.kind {
            Kind::Denied => {
                let role = matches!(&*self.why, Why::Aws(Error::Credentials { origin: Source::Role(_), .. }));
                let action = action_in(message).unwrap_or(if role { "sts:AssumeRole" } else { action });
                Some(match action {
                    "sts:AssumeRole" => format!(
                        "allow {who} sts:AssumeRole on the role of role_arn, and name it in that role's trust policy"
                    ),
                    _ if action.starts_with("kms:") => key_help(noun),
                    _ => format!("allow {who} the action {action} on this {noun}{denied}"),
                })
            }
            Kind::Key => Some(key_help(noun)),
            Kind::NotFound => Some(format!("{not_found}; or write a default, name:-default")),
            Kind::Expired => Some(
                "renew the credentials; those of a role, a task or a function renew themselves".to_owned(),
            ),
            Kind::Throttled => Some(
                "raise the account's throughput for it, or let fewer processes start at the same time".to_owned(),
            ),
            Kind::Setup => match &*self.why {
                Why::Aws(Error::NoRegion(_)) => {
                    Some("set AWS_REGION, or write the region into the reference, name?region=eu-west-1".to_owned())
                }
                Why::Aws(Error::Call { .. }) => Some(format!(
                    "check the credentials that this process has: the {noun} was asked for with keys that AWS does not know or whose secret is wrong"
                )),
                _ => None,
            },
            Kind::Unavailable => Some(
                "check that AWS can be reached from here: a route, or a VPC endpoint of the service; AWS_ENDPOINT_URL names another place".to_owned(),
            ),
            Kind::Refused => None,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, with_message: bool) -> fmt::Result {
        let what = match self.kind {
            Kind::NotFound => "it does not exist",
            Kind::Denied => "access denied",
            Kind::Key => "it cannot be decrypted",
            Kind::Expired => "the AWS credentials have expired",
            Kind::Throttled => "AWS throttles the calls",
            Kind::Unavailable => "no answer",
            Kind::Setup | Kind::Refused => "",
        };
        f.write_str(what)?;
        let colon = if what.is_empty() { "" } else { ": " };
        match (&*self.why, self.refusal()) {
            (Why::TimedOut { awaited, after }, _) => {
                write!(
                    f,
                    "{colon}timed out after {:.1} s while waiting for {awaited}",
                    after.as_secs_f64()
                )?;
            }
            (Why::Aws(_), Some((code, _))) if !with_message => write!(f, "{colon}{code}")?,
            (Why::Aws(error), _) => write!(f, "{colon}{error}")?,
        }
        match self.tried {
            Some((attempts, time)) => {
                write!(f, " (tried {attempts} times in {:.1} s)", time.as_secs_f64())
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true)
    }
}

/// What went wrong with a reference. Of one that was made from a secret, what AWS says stays out: it repeats names.
#[must_use]
pub fn describe(reference: &Reference, failure: &Failure) -> String {
    struct Shown<'a>(&'a Failure, bool);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, self.1)
        }
    }
    format!("cannot read {}: {}", label(reference), Shown(failure, !is_hidden(reference)))
}

fn key_help(noun: &str) -> String {
    format!(
        "allow the role that this process runs as the action kms:Decrypt on the key that the {noun} is encrypted with; \
         the key has to exist, be enabled, and be in the same region"
    )
}

/// The action in `… is not authorized to perform: ssm:GetParameters on resource …`.
fn action_in(message: &str) -> Option<&str> {
    if message.contains("ciphertext refers to") || message.contains("KMS is not allowed") {
        return Some("kms:Decrypt");
    }
    let (_, action) = message.split_once("perform: ")?;
    let action = action.split_whitespace().next()?;
    let is_action = |(service, name): (&str, &str)| {
        service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    action.split_once(':').is_some_and(is_action).then_some(action)
}

fn kind(error: &Error) -> Kind {
    let cause = match error {
        Error::Call { cause, .. } => cause,
        Error::Credentials { cause: cause @ Cause::Refused { .. }, .. } => cause,
        _ => return Kind::Setup,
    };
    match cause {
        Cause::Refused { code, message } => kind_of_code(code, message),
        Cause::Status { status: 404, .. } => Kind::NotFound,
        Cause::Status { status: 403, .. } => Kind::Denied,
        Cause::Status { status: 429, .. } => Kind::Throttled,
        Cause::Transport(error, _) if error.class() == Class::Permanent => Kind::Refused,
        Cause::Status { status: 500.., .. } | Cause::Transport(..) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

/// Codes of Systems Manager, Secrets Manager, S3, STS and KMS, and those that all services share (their API references, and
/// boto/botocore `data/_retry.json` for the transient ones).
fn kind_of_code(code: &str, message: &str) -> Kind {
    match code {
        "ParameterNotFound"
        | "ParameterVersionNotFound"
        | "ParameterVersionLabelNotFound"
        | "ResourceNotFoundException"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "NoSuchVersion" => Kind::NotFound,
        "AccessDeniedException" | "AccessDenied" | "AllAccessDisabled" | "Forbidden" => {
            Kind::Denied
        }
        "InvalidKeyId"
        | "DecryptionFailure"
        | "KeyUnavailableException"
        | "DisabledException"
        | "KMSInvalidStateException"
        | "NotFoundException"
        | "IncorrectKeyException"
        | "InvalidCiphertextException"
        | "KMS.NotFoundException"
        | "KMS.DisabledException" => Kind::Key,
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" | "TokenRefreshRequired" => {
            Kind::Expired
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "InvalidToken"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "RequestTimeTooSkewed" => {
            if message.contains("expired") {
                Kind::Expired
            } else {
                Kind::Setup
            }
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "TransactionInProgressException" => Kind::Throttled,
        "InternalServerError"
        | "InternalServiceError"
        | "InternalServerException"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: Wanted = Wanted {
        noun: "parameter",
        action: "ssm:GetParameters",
        denied: " (ssm:GetParameter is another action)",
        not_found: "check the name and the region",
    };

    fn refused(code: &str, message: &str) -> Failure {
        let cause = Cause::Refused { code: code.to_owned(), message: message.to_owned() };
        Failure::of_call("ssm", "GetParameters", cause)
    }

    fn said(failure: &Failure) -> (String, String) {
        let reference = Reference::parse("ssm:/a:-d").unwrap();
        let error = failure.at(&reference, PARAMETER);
        (error.to_string(), error.help_text().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_denial_names_the_action_that_is_missing() {
        let user = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:…";
        let (error, help) = said(&refused("AccessDeniedException", user));
        assert_eq!(
            error,
            format!(
                "cannot read ssm:/a: access denied: ssm GetParameters: AccessDeniedException: {user}"
            )
        );
        assert_eq!(
            help,
            "allow the role that this process runs as the action ssm:GetParameters on this parameter (ssm:GetParameter is another action)"
        );
        for message in [
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
            "Access to KMS is not allowed",
            "User: x is not authorized to perform: kms:Decrypt on resource: y",
        ] {
            let (_, help) = said(&refused("AccessDeniedException", message));
            assert!(help.contains("the action kms:Decrypt on the key"), "{help}");
        }
        let cause = Cause::Refused { code: "AccessDenied".to_owned(), message: String::new() };
        let role =
            Error::Credentials { origin: Source::Role("arn:aws:iam::1:role/r".to_owned()), cause };
        let (error, help) = said(&Failure::of(role));
        assert!(error.contains("the role arn:aws:iam::1:role/r"), "{error}");
        assert!(help.contains("sts:AssumeRole on the role of role_arn"), "{help}");
    }

    #[test]
    fn every_kind_of_failure_says_what_to_do() {
        for (code, kind, error_has, help_has) in [
            ("ParameterNotFound", Kind::NotFound, "it does not exist", "check the name"),
            ("InvalidKeyId", Kind::Key, "cannot be decrypted", "kms:Decrypt"),
            ("ExpiredTokenException", Kind::Expired, "have expired", "renew the credentials"),
            ("UnrecognizedClientException", Kind::Setup, "Unrecognized", "check the credentials"),
            ("ThrottlingException", Kind::Throttled, "throttles", "throughput"),
            ("InternalServerError", Kind::Unavailable, "no answer", "can be reached"),
            ("ValidationException", Kind::Refused, "ValidationException", ""),
        ] {
            let failure = refused(code, "").tried(3, Duration::from_millis(1500));
            assert_eq!(failure.kind(), kind, "{code}");
            let (error, help) = said(&failure);
            assert!(
                error.contains(error_has) && error.ends_with(" (tried 3 times in 1.5 s)"),
                "{error}"
            );
            assert!(
                help.contains(help_has) && help.is_empty() == help_has.is_empty(),
                "{code}: {help}"
            );
        }
        let (error, help) = said(&Failure::timed_out("ssm in eu-west-1", Duration::from_secs(5)));
        assert_eq!(
            error,
            "cannot read ssm:/a: no answer: timed out after 5.0 s while waiting for ssm in eu-west-1"
        );
        assert!(help.contains("VPC endpoint"), "{help}");
    }

    #[test]
    fn what_may_pass_by_itself_is_transient() {
        for (code, is_transient) in [
            ("ThrottlingException", true),
            ("InternalServerError", true),
            ("ExpiredToken", true),
            ("AccessDeniedException", false),
            ("ParameterNotFound", false),
            ("UnrecognizedClientException", false),
            ("ValidationException", false),
        ] {
            assert_eq!(refused(code, "").is_transient(), is_transient, "{code}");
        }
        assert!(!Failure::of(Error::NoCredentials(aws::Looked::default())).is_transient());
    }
}
