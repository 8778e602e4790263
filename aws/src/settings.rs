//! What a config says of how to talk to AWS.

use std::path::PathBuf;

/// A component's own settings. What is not set comes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The region.
    pub region: Option<String>,
    /// The profile of the shared files. When it is set, it comes before the environment's credentials.
    pub profile: Option<String>,
    /// The shared credentials files, in place of `~/.aws/credentials`; later ones win.
    pub shared_credentials_files: Vec<PathBuf>,
    /// The role that requests are signed as.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The name that the session has in CloudTrail; made up if not set.
    pub session_name: Option<String>,
    /// What the role's owner wants to see from a third party.
    pub external_id: Option<String>,
    /// How long the session lasts; an hour if not set.
    pub duration_seconds: Option<u32>,
    /// A file with a web identity token, which is traded for the role's credentials in place of credentials of one's own.
    pub web_identity_token_file: Option<PathBuf>,
    /// The region whose STS is asked, if not the session's own.
    pub sts_region: Option<String>,
}

impl Role {
    /// The role of this ARN, all else at its defaults.
    #[must_use]
    pub fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), ..Self::default() }
    }
}
