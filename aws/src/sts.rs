//! Roles, assumed by the Security Token Service.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Uri;

use crate::chain::{parse_time, read_token};
use crate::credentials::{Credentials, Lasts, Lease};
use crate::endpoint::Service;
use crate::environment::Environment;
use crate::error::Cause;
use crate::query::{self, Call, Route};
use crate::region::Region;
use crate::settings::Role;
use crate::xml::Element;

/// The STS of a region.
pub(crate) struct Sts<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) endpoint: Uri,
    pub(crate) region: Region,
    pub(crate) now: SystemTime,
}

impl Sts<'_> {
    /// Assumes a role with credentials.
    pub(crate) async fn assume(&self, role: &Role, with: &Credentials) -> Result<Lease, Cause> {
        self.call("AssumeRole", self.parameters(role), Some(with)).await
    }

    /// Trades a token for a role. Nothing is signed: the token says who asks.
    pub(crate) async fn assume_with_token(
        &self,
        role: &Role,
        token_file: PathBuf,
    ) -> Result<Lease, Cause> {
        let token = read_token(token_file).await?;
        let mut parameters = self.parameters(role);
        parameters.push(("WebIdentityToken", token.to_string()));
        self.call("AssumeRoleWithWebIdentity", parameters, None).await
    }

    fn parameters(&self, role: &Role) -> Vec<(&'static str, String)> {
        let since = self.now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let made_up = || format!("hikyaku-{}", since.as_secs());
        let mut parameters = vec![
            ("RoleArn", role.arn.clone()),
            ("RoleSessionName", role.session_name.clone().unwrap_or_else(made_up)),
        ];
        if let Some(seconds) = role.duration_seconds {
            parameters.push(("DurationSeconds", seconds.to_string()));
        }
        if let Some(id) =
            role.external_id.clone().filter(|_| role.web_identity_token_file.is_none())
        {
            parameters.push(("ExternalId", id));
        }
        parameters
    }

    async fn call(
        &self,
        action: &'static str,
        parameters: Vec<(&'static str, String)>,
        credentials: Option<&Credentials>,
    ) -> Result<Lease, Cause> {
        let call = Call { service: Service::STS, version: "2011-06-15", action, parameters };
        let route = Route {
            environment: self.environment,
            endpoint: self.endpoint.clone(),
            region: self.region.as_str(),
            credentials,
            now: self.now,
        };
        let answer = query::send(&call, route).await.map_err(query::cause)?;
        lease(&answer, &format!("{action}Result"))
    }
}

/// The credentials in an answer.
fn lease(answer: &Element, result: &str) -> Result<Lease, Cause> {
    let credentials = answer.find(&[result, "Credentials"]);
    let credentials = credentials.ok_or(Cause::Answer("has no Credentials"))?;
    let text = |name| credentials.text_of(&[name]);
    let (Some(key), Some(secret), Some(token), Some(end)) = (
        text("AccessKeyId"),
        text("SecretAccessKey"),
        text("SessionToken"),
        text("Expiration").and_then(parse_time),
    ) else {
        return Err(Cause::Answer("has Credentials without a key, a token or an end"));
    };
    let credentials = Credentials::new(key, secret, Some(token));
    Ok(Lease { credentials, lasts: Lasts::Until(end) })
}
