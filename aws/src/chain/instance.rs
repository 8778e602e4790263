//! The role of an EC2 instance.

use super::lease_of_json;
use crate::credentials::{Lasts, Lease};
use crate::environment::Environment;
use crate::error::{Cause, first_line};
use crate::metadata::Instance;

const ROLES: &str = "/meta-data/iam/security-credentials/";

/// What the instance's metadata gives out.
pub(super) async fn credentials(environment: &Environment) -> Result<Lease, Cause> {
    let instance = Instance::connect(environment).await?;
    let roles = instance.get(ROLES).await?.unwrap_or_default();
    let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or(Cause::NoRole)?;
    let answer = instance.get(&format!("{ROLES}{role}")).await?.ok_or(Cause::NoRole)?;
    let answer: serde_json::Value =
        serde_json::from_str(&answer).map_err(|_invalid| Cause::Answer("is no JSON"))?;
    let text = |key| answer.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let code = text("Code");
    if !code.is_empty() && !code.eq_ignore_ascii_case("success") {
        return Err(Cause::Refused {
            code: first_line(code),
            message: first_line(text("Message")),
        });
    }
    lease_of_json(&answer, |end| end.map_or(Lasts::UntilRewritten, Lasts::UntilAtLeast))
}
