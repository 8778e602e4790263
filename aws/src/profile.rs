//! What a profile of the shared files says of where credentials come from.
//!
//! Rules as in aws/aws-sdk-go-v2 `config/shared_config.go` and `resolve_credentials.go`.

use std::path::PathBuf;

use crate::credentials::Credentials;
use crate::error::ProfileFault;
use crate::files::Profiles;
use crate::settings::Role;

/// How many profiles a chain of `source_profile` may have.
const CHAIN_MAX: usize = 8;

/// A profile, followed to its end.
pub(crate) struct Plan {
    pub(crate) base: Base,
    /// Roles to assume one after the other, each with the credentials of the one before.
    pub(crate) roles: Vec<Role>,
}

/// Where a profile's first credentials come from.
pub(crate) enum Base {
    /// Its own keys.
    Keys(Credentials),
    /// A token file that is traded for a role.
    WebIdentity(Role),
    /// What `credential_source` names.
    Named(Named),
    /// It does not say: the container's endpoint or the instance's metadata.
    Rest,
}

/// The values of `credential_source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Environment,
    Container,
    Instance,
}

/// Keys of ways to get credentials that are not carried out.
const UNSUPPORTED: [&str; 7] = [
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "sso_region",
    "login_session",
    "credential_process",
];

impl Plan {
    /// The plan of a profile. The error names the profile that is wrong, which may be one further down the chain.
    pub(crate) fn of(profiles: &Profiles, profile: &str) -> Result<Self, (String, ProfileFault)> {
        let mut visited: Vec<String> = Vec::new();
        let mut roles = Vec::new();
        let mut name = profile.to_owned();
        let base = loop {
            let step = Step { profiles, name: &name };
            let is_again = visited.contains(&name);
            if visited.len() > CHAIN_MAX {
                return Err((name, ProfileFault::TooLong(CHAIN_MAX)));
            }
            // A profile that is its own source has to have keys, and its role is assumed once.
            match step.next(is_again, !visited.is_empty()) {
                Err(fault) => return Err((name, fault)),
                Ok(Next::End(base, role)) => {
                    roles.extend(role);
                    break base;
                }
                Ok(Next::Source(source, role)) => {
                    if !profiles.has(&source) {
                        return Err((name, ProfileFault::NoSource(source)));
                    }
                    roles.push(role);
                    visited.push(std::mem::replace(&mut name, source));
                }
            }
        };
        roles.reverse();
        Ok(Self { base, roles })
    }
}

struct Step<'a> {
    profiles: &'a Profiles,
    name: &'a str,
}

enum Next {
    Source(String, Role),
    End(Base, Option<Role>),
}

impl<'a> Step<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.profiles.get(self.name, key)
    }

    fn next(&self, is_again: bool, is_source: bool) -> Result<Next, ProfileFault> {
        let keys = self.keys()?;
        if is_again {
            return keys.map(|keys| Next::End(Base::Keys(keys), None)).ok_or(ProfileFault::Loop);
        }
        let role = self.role()?;
        if is_source && let Some(keys) = keys {
            return Ok(Next::End(Base::Keys(keys), role));
        }
        let ways = [
            "source_profile",
            "credential_source",
            "credential_process",
            "web_identity_token_file",
        ];
        let mut set = ways.into_iter().filter(|way| self.get(way).is_some());
        if let (Some(one), Some(other)) = (set.next(), set.next()) {
            return Err(ProfileFault::Both(one, other));
        }
        if let Some(source) = self.get("source_profile") {
            let role = role.ok_or_else(|| self.needs_role("source_profile"))?;
            return Ok(Next::Source(source.to_owned(), role));
        }
        if let Some(keys) = keys {
            return Ok(Next::End(Base::Keys(keys), role));
        }
        if let Some(named) = self.get("credential_source") {
            let named = match named {
                "Environment" => Named::Environment,
                "EcsContainer" => Named::Container,
                "Ec2InstanceMetadata" => Named::Instance,
                _ => return Err(ProfileFault::CredentialSource),
            };
            let role = role.ok_or_else(|| self.needs_role("credential_source"))?;
            return Ok(Next::End(Base::Named(named), Some(role)));
        }
        if let Some(file) = self.get("web_identity_token_file") {
            let role = role.ok_or_else(|| self.needs_role("web_identity_token_file"))?;
            let role = Role { web_identity_token_file: Some(PathBuf::from(file)), ..role };
            return Ok(Next::End(Base::WebIdentity(role), None));
        }
        if let Some(key) = UNSUPPORTED.into_iter().find(|key| self.get(key).is_some()) {
            return Err(ProfileFault::Unsupported(key));
        }
        if is_source {
            return Err(ProfileFault::NoKeys);
        }
        Ok(Next::End(Base::Rest, role))
    }

    fn keys(&self) -> Result<Option<Credentials>, ProfileFault> {
        const KEY: &str = "aws_access_key_id";
        const SECRET: &str = "aws_secret_access_key";
        match (self.get(KEY), self.get(SECRET)) {
            (Some(key), Some(secret)) => {
                Ok(Some(Credentials::new(key, secret, self.get("aws_session_token"))))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(ProfileFault::Needs { present: KEY, missing: SECRET }),
            (None, Some(_)) => Err(ProfileFault::Needs { present: SECRET, missing: KEY }),
        }
    }

    fn role(&self) -> Result<Option<Role>, ProfileFault> {
        let Some(arn) = self.get("role_arn") else { return Ok(None) };
        if self.get("mfa_serial").is_some() {
            return Err(ProfileFault::Unsupported("mfa_serial"));
        }
        let duration_seconds = match self.get("duration_seconds").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_no_number)) => return Err(ProfileFault::Duration),
        };
        let owned = |key| self.get(key).map(str::to_owned);
        Ok(Some(Role {
            arn: arn.to_owned(),
            session_name: owned("role_session_name"),
            external_id: owned("external_id"),
            duration_seconds,
            web_identity_token_file: None,
            sts_region: None,
        }))
    }

    fn needs_role(&self, present: &'static str) -> ProfileFault {
        ProfileFault::Needs { present, missing: "role_arn" }
    }
}

#[cfg(test)]
mod tests;
