//! The chain: who is asked for credentials, in which order.

mod container;
mod instance;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use crate::credentials::{Credentials, Lasts, Lease};
use crate::environment::Environment;
use crate::error::{Cause, Error, Looked, Source};
use crate::files::Places;
use crate::profile::{Base, Named, Plan};
use crate::session::Shared;
use crate::settings::Role;

/// A token that is longer is none.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;

/// One look for credentials.
pub(crate) struct Chain<'a> {
    pub(crate) session: &'a Shared,
}

impl Chain<'_> {
    /// Asks the first source that is set up; where a role is to be assumed, with what that gives out.
    pub(crate) async fn find(&self) -> Result<Lease, Error> {
        let Some(role) = &self.session.settings.role else { return self.own().await };
        if let Some(file) = &role.web_identity_token_file {
            return self.trade(role, file.clone()).await;
        }
        let own = self.own().await?;
        self.assume(role, own).await
    }

    /// Credentials of one's own.
    async fn own(&self) -> Result<Lease, Error> {
        let environment = &self.session.environment;
        if let Some(profile) = &self.session.settings.profile {
            return self.profile(profile, true, Looked::default()).await;
        }
        let mut looked = Looked::default();
        match from_environment(environment) {
            Ok(Some(lease)) => return Ok(lease),
            Ok(None) => looked.not_set("AWS_ACCESS_KEY_ID"),
            Err(cause) => return Err(failed(Source::Environment, cause)),
        }
        match environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
            Some(file) => return self.web_identity(PathBuf::from(file)).await,
            None => looked.not_set("AWS_WEB_IDENTITY_TOKEN_FILE"),
        }
        let named =
            environment.get("AWS_PROFILE").or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        match named {
            Some(profile) => self.profile(&profile, true, looked).await,
            None => self.profile("default", false, looked).await,
        }
    }

    async fn web_identity(&self, file: PathBuf) -> Result<Lease, Error> {
        let environment = &self.session.environment;
        let arn = environment.get("AWS_ROLE_ARN").ok_or(Cause::Incomplete {
            present: "AWS_WEB_IDENTITY_TOKEN_FILE",
            missing: "AWS_ROLE_ARN",
        });
        let arn = arn.map_err(|cause| failed(Source::WebIdentity, cause))?;
        let session_name = environment.get("AWS_ROLE_SESSION_NAME");
        self.trade(&Role { session_name, ..Role::new(arn) }, file).await
    }

    /// What a profile says, and if it says nothing, the rest of the chain.
    async fn profile(
        &self,
        profile: &str,
        is_named: bool,
        mut looked: Looked,
    ) -> Result<Lease, Error> {
        let at_profile = |cause| failed(Source::Profile(profile.to_owned()), cause);
        let places = Places::of(&self.session.settings, &self.session.environment);
        let profiles = places.read().await.map_err(at_profile)?;
        if !profiles.has(profile) {
            if is_named {
                return Err(at_profile(Cause::NoProfile(places.names())));
            }
            looked.asked(format!("the profile {profile:?}"), format!("not in {}", places.names()));
            return self.rest(looked).await;
        }
        let plan = Plan::of(&profiles, profile)
            .map_err(|(profile, fault)| at_profile(Cause::Profile { profile, fault }))?;
        let mut lease = match plan.base {
            Base::Keys(credentials) => Lease { credentials, lasts: Lasts::UntilRewritten },
            Base::WebIdentity(role) => {
                let file = role.web_identity_token_file.clone().unwrap_or_default();
                self.trade(&role, file).await?
            }
            Base::Named(Named::Environment) => match from_environment(&self.session.environment) {
                Ok(Some(lease)) => lease,
                Ok(None) => {
                    let cause = Cause::Incomplete {
                        present: "credential_source = Environment",
                        missing: "AWS_ACCESS_KEY_ID",
                    };
                    return Err(at_profile(cause));
                }
                Err(cause) => return Err(failed(Source::Environment, cause)),
            },
            Base::Named(Named::Container) => self.container().await?,
            Base::Named(Named::Instance) => self.instance().await?,
            Base::Rest => {
                looked.asked(format!("the profile {profile:?}"), "it has no credentials");
                self.rest(looked).await?
            }
        };
        for role in &plan.roles {
            lease = self.assume(role, lease).await?;
        }
        Ok(lease)
    }

    /// What needs no files.
    async fn rest(&self, mut looked: Looked) -> Result<Lease, Error> {
        if container::is_set_up(&self.session.environment) {
            return self.container().await;
        }
        container::VARIABLES.into_iter().for_each(|name| looked.not_set(name));
        match instance::credentials(&self.session.environment).await {
            Ok(lease) => Ok(lease),
            Err(cause) => {
                looked.asked.insert(0, ("the instance's metadata".to_owned(), cause.to_string()));
                Err(Error::NoCredentials(looked))
            }
        }
    }

    async fn container(&self) -> Result<Lease, Error> {
        if !container::is_set_up(&self.session.environment) {
            let cause = Cause::Incomplete {
                present: "credential_source = EcsContainer",
                missing: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            };
            return Err(failed(Source::Container, cause));
        }
        let lease = container::credentials(&self.session.environment).await;
        lease.map_err(|cause| failed(Source::Container, cause))
    }

    async fn instance(&self) -> Result<Lease, Error> {
        let lease = instance::credentials(&self.session.environment).await;
        lease.map_err(|cause| failed(Source::Instance, cause))
    }

    async fn assume(&self, role: &Role, with: Lease) -> Result<Lease, Error> {
        let sts = self.session.sts(role.sts_region.as_deref()).await?;
        let lease = sts.assume(role, &with.credentials).await;
        lease.map_err(|cause| failed(Source::Role(role.arn.clone()), cause))
    }

    async fn trade(&self, role: &Role, file: PathBuf) -> Result<Lease, Error> {
        let sts = self.session.sts(role.sts_region.as_deref()).await?;
        let lease = sts.assume_with_token(role, file).await;
        lease.map_err(|cause| failed(Source::WebIdentity, cause))
    }
}

/// The keys of the environment. Half a pair is an error: the other half was forgotten.
fn from_environment(environment: &Environment) -> Result<Option<Lease>, Cause> {
    const KEY: &str = "AWS_ACCESS_KEY_ID";
    const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
    // The second names are those of old SDKs, which today's still know.
    let get = |name, old| environment.get(name).or_else(|| environment.get(old));
    match (get(KEY, "AWS_ACCESS_KEY"), get(SECRET, "AWS_SECRET_KEY")) {
        (Some(key), Some(secret)) => {
            let token = environment.get("AWS_SESSION_TOKEN");
            let credentials = Credentials::new(&key, &secret, token.as_deref());
            Ok(Some(Lease { credentials, lasts: Lasts::Forever }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(Cause::Incomplete { present: KEY, missing: SECRET }),
        (None, Some(_)) => Err(Cause::Incomplete { present: SECRET, missing: KEY }),
    }
}

fn failed(origin: Source, cause: Cause) -> Error {
    match cause {
        // What it says names its place already.
        Cause::Other(error) => *error,
        cause => Error::Credentials { origin, cause },
    }
}

/// The credentials in the answer of a metadata service.
fn lease_of_json(
    answer: &Value,
    lasts: impl FnOnce(Option<SystemTime>) -> Lasts,
) -> Result<Lease, Cause> {
    let text = |key| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(key), Some(secret)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
        return Err(Cause::Answer("has no AccessKeyId or no SecretAccessKey"));
    };
    let end = match text("Expiration") {
        None => None,
        Some(time) => {
            Some(parse_time(time).ok_or(Cause::Answer("has an Expiration that is no time"))?)
        }
    };
    Ok(Lease { credentials: Credentials::new(key, secret, text("Token")), lasts: lasts(end) })
}

/// A time as AWS writes it.
pub(crate) fn parse_time(text: &str) -> Option<SystemTime> {
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(time).ok()
}

/// A token in a file, without the line's end.
pub(crate) async fn read_token(path: PathBuf) -> Result<Arc<str>, Cause> {
    let read = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let failed = |error| Cause::File { path: path.clone(), error: Arc::new(error) };
        let file = std::fs::File::open(&path).map_err(failed)?;
        let mut text = String::new();
        file.take(TOKEN_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() || text.len() as u64 > TOKEN_BYTES_MAX {
            let expected = "is empty or longer than 64 KiB, so it is no token";
            return Err(Cause::Syntax { path: path.clone(), line: 1, expected });
        }
        Ok(Arc::from(text))
    });
    read.await.unwrap_or(Err(Cause::Answer("was lost: the thread that reads files failed")))
}

#[cfg(test)]
mod tests;
