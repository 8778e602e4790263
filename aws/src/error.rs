//! Why a request can't be signed: where was looked, what was wrong there, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use net::auth::AuthError;
use net::error::TransportError;

use crate::region::REGION_REMEDY;

/// Why a request can't be signed. Never has a secret in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No source is set up, and this is no instance with a role.
    #[error(
        "no AWS credentials: give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY{0}"
    )]
    NoCredentials(Looked),
    /// A source is set up, and gives none.
    #[error("no AWS credentials from {origin}: {cause}")]
    Credentials {
        /// The source.
        origin: Source,
        /// What is wrong with it.
        cause: Cause,
    },
    /// No region is known.
    #[error("no AWS region: {REGION_REMEDY}{0}")]
    NoRegion(Looked),
    /// What is given as the region is none.
    #[error("{region:?} of {origin} is no AWS region; {REGION_REMEDY}")]
    InvalidRegion {
        /// What was given, shortened.
        region: String,
        /// Where it stands.
        origin: &'static str,
    },
    /// A variable or profile names an endpoint that is no URL.
    #[error("the endpoint of {origin} is no URL; write it as http://host:port")]
    InvalidEndpoint {
        /// Where it stands.
        origin: String,
    },
    /// A service was called, and did not do what it was asked.
    #[error("{service} {action}: {cause}")]
    Call {
        /// The service, as in its host name.
        service: &'static str,
        /// What it was to do.
        action: &'static str,
        /// What went wrong.
        cause: Cause,
    },
    /// The request can't be signed as it is.
    #[error("the request can't be signed: {0}")]
    Unsignable(&'static str),
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `AWS_ACCESS_KEY_ID` and its fellows.
    Environment,
    /// A token file and a role, by `AWS_WEB_IDENTITY_TOKEN_FILE` or the settings.
    WebIdentity,
    /// A profile of the shared files.
    Profile(String),
    /// The container's endpoint: an ECS task role, EKS pod identity, a Lambda function with SnapStart.
    Container,
    /// The instance's role.
    Instance,
    /// A role that was to be assumed.
    Role(String),
}

/// What is wrong with a source or a call.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    /// Half of what belongs together is set.
    #[error("{present} is set and {missing} is not; set both or neither")]
    Incomplete {
        /// What is there.
        present: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// A file can't be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: Arc<io::Error>,
    },
    /// A file is not what it should be.
    #[error("{}:{line}: {expected}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A profile that was asked for does not exist.
    #[error("it is not in {0}; check AWS_PROFILE and the files")]
    NoProfile(String),
    /// A profile says something that makes no sense.
    #[error("the profile {profile:?} {fault}")]
    Profile {
        /// The profile.
        profile: String,
        /// What is wrong with it.
        fault: ProfileFault,
    },
    /// A variable has no URL where one is expected.
    #[error("{0} is no URL of http or https")]
    Url(&'static str),
    /// The address to ask is not one that credentials are taken from.
    #[error(
        "{0} names a host that is not asked over http; only this machine, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23] are"
    )]
    Host(&'static str),
    /// A value that can't be sent.
    #[error("the {0} has characters that a header can't have")]
    Header(&'static str),
    /// There is nobody, or nobody who answers.
    #[error("{0}{hint}", hint = hint(*.1))]
    Transport(Arc<TransportError>, Hint),
    /// The answer is a refusal.
    #[error("answered with status {status}{text}", text = colon(text))]
    Status {
        /// The status.
        status: u16,
        /// The beginning of what it says, if that is text.
        text: String,
    },
    /// AWS refuses, with its own code.
    #[error("{code}{text}", text = colon(message))]
    Refused {
        /// Such as `AccessDenied`.
        code: String,
        /// The first line of what it says.
        message: String,
    },
    /// The answer makes no sense.
    #[error("the answer {0}")]
    Answer(&'static str),
    /// Instance metadata is turned off by a variable.
    #[error("AWS_EC2_METADATA_DISABLED is true")]
    Disabled,
    /// The instance has no role.
    #[error("no role is attached to this instance; attach an instance profile")]
    NoRole,
    /// Something else is missing that is needed on the way.
    #[error("{0}")]
    Other(Box<Error>),
}

/// What is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFault {
    /// One key needs another.
    #[error("has {present} without {missing}")]
    Needs {
        /// The key that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// It is to be the source of another one.
    #[error("is a source_profile and has no credentials")]
    NoKeys,
    /// A number that is none.
    #[error("has a duration_seconds that is no number")]
    Duration,
    /// Two ways at once.
    #[error("has both {0} and {1}; keep one")]
    Both(&'static str, &'static str),
    /// `source_profile` leads back.
    #[error("leads back to itself by source_profile, and has no keys of its own")]
    Loop,
    /// `source_profile` leads nowhere.
    #[error("has source_profile = {0}, which does not exist")]
    NoSource(String),
    /// Too many links.
    #[error("has a chain of more than {0} source profiles")]
    TooLong(usize),
    /// `credential_source` is none of those there are.
    #[error(
        "has a credential_source that is none of Environment, EcsContainer, Ec2InstanceMetadata"
    )]
    CredentialSource,
    /// A key that can't be carried out here.
    #[error(
        "uses {0}, which is not supported; export the credentials to the environment (aws configure export-credentials --format env)"
    )]
    Unsupported(&'static str),
}

/// What may be wrong when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nothing that could be said.
    None,
    /// The instance may answer no containers.
    HopLimit,
}

/// Where was looked, and why nothing was found there. As text it begins with what was asked in vain, since long texts are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Places that were asked, and why each has nothing.
    pub asked: Vec<(String, String)>,
    /// What is not set, so that nobody was asked.
    pub not_set: Vec<&'static str>,
}

impl Looked {
    pub(crate) fn asked(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.asked.push((place.into(), why.into()));
    }

    pub(crate) fn not_set(&mut self, name: &'static str) {
        self.not_set.push(name);
    }
}

impl Error {
    /// Whether it may go better later. What only a restart can mend — variables, settings — can't; all else may be mended while the
    /// process runs.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoCredentials(_) | Self::NoRegion(_) => true,
            Self::InvalidRegion { .. } | Self::InvalidEndpoint { .. } | Self::Unsignable(_) => {
                false
            }
            Self::Credentials { cause, .. } | Self::Call { cause, .. } => match cause {
                Cause::Incomplete { .. } | Cause::Url(_) | Cause::Host(_) | Cause::Disabled => {
                    false
                }
                Cause::Other(error) => error.is_retryable(),
                _ => true,
            },
        }
    }
}

impl Cause {
    /// There is no answer.
    #[must_use]
    pub fn transport(error: TransportError) -> Self {
        Self::Transport(Arc::new(error), Hint::None)
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        if error.is_retryable() { Self::Unavailable(text) } else { Self::Refused(text) }
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Self::Other(Box::new(error))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::WebIdentity => f.write_str("the web identity"),
            Self::Profile(name) => write!(f, "the profile {name:?}"),
            Self::Container => f.write_str("the container's endpoint"),
            Self::Instance => f.write_str("the instance's metadata"),
            Self::Role(arn) => write!(f, "the role {arn}"),
        }
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, why) in &self.asked {
            write!(f, "; {place}: {why}")?;
        }
        if !self.not_set.is_empty() {
            write!(f, "; not set: {}", self.not_set.join(", "))?;
        }
        Ok(())
    }
}

fn hint(hint: Hint) -> &'static str {
    match hint {
        Hint::None => "",
        Hint::HopLimit => {
            "; if this is a container on an instance, the instance's metadata hop limit has to be 2"
        }
    }
}

fn colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// The first line of what a peer said, as far as it may be shown: AWS's answer to a wrong signature repeats the request, token and all, in
/// the lines below.
pub(crate) fn first_line(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 300;
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect()
}
