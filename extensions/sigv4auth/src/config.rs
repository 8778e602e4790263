//! Settings. Keys are those of open-telemetry/opentelemetry-collector-contrib `extension/sigv4authextension/config.go`.

use std::path::PathBuf;

use aws::{Region, Role, Settings};
use confmap::Section;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// Signing name of the service; by the endpoint's host if not set.
    pub(crate) service: Option<String>,
    /// What credentials and region are looked for with.
    pub(crate) settings: Settings,
}

impl Config {
    /// Reads the section.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let region = read_region(&mut section, "region", "the settings");
        let service = text(&mut section, "service");
        let role = read_role(section.section("assume_role"));
        section.finish();
        Self { service, settings: Settings { region, role, ..Settings::default() } }
    }
}

fn read_role(mut section: Section<'_>) -> Option<Role> {
    let arn = text(&mut section, "arn");
    let session_name = text(&mut section, "session_name");
    let sts_region = read_region(&mut section, "sts_region", "assume_role");
    let web_identity_token_file = text(&mut section, "web_identity_token_file").map(PathBuf::from);
    let external_id = text(&mut section, "external_id");
    if let Some(name) = &session_name
        && !is_session_name(name)
    {
        section.error(
            "session_name",
            "must be 2 to 64 letters, digits or characters of _+=,.@-, as STS has it",
        );
    }
    if web_identity_token_file.is_some() && external_id.is_some() {
        section.warn("external_id", "is accepted and has no effect: a web identity has none");
    }
    let role = match arn {
        Some(arn) => Some(Role {
            session_name,
            external_id,
            web_identity_token_file,
            sts_region,
            ..Role::new(arn)
        }),
        None if web_identity_token_file.is_some() => {
            section.error_here("must specify ARN when using WebIdentityTokenFile: set \"arn\"");
            None
        }
        None => {
            for (key, is_set) in [
                ("session_name", session_name.is_some()),
                ("sts_region", sts_region.is_some()),
                ("external_id", external_id.is_some()),
            ] {
                if is_set {
                    let why = "is accepted and has no effect: no role is assumed without \"arn\"";
                    section.warn(key, why);
                }
            }
            None
        }
    };
    section.finish();
    role
}

/// A text that is not empty.
fn text(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    section.get::<String>(key).filter(|text| !text.is_empty())
}

fn read_region(
    section: &mut Section<'_>,
    key: &'static str,
    origin: &'static str,
) -> Option<String> {
    let region = text(section, key)?;
    if Region::new(&region, origin).is_err() {
        section.error_with_help(
            key,
            format!("{region:?} is no AWS region"),
            "write its code, such as eu-west-1",
        );
    }
    Some(region)
}

fn is_session_name(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Config, Diagnostics) {
        let node = Node::from_yaml("test", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let config = Config::read(Section::new(Some(&node), "extensions::sigv4auth", &diagnostics));
        (config, diagnostics)
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let (config, diagnostics) = read("");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(config, Config::default());
    }

    #[test]
    fn all_keys_of_upstream_are_taken() {
        let (config, diagnostics) = read(
            "{region: eu-west-1, service: xray, assume_role: {arn: 'arn:aws:iam::1:role/r', session_name: me@home, sts_region: us-east-1, external_id: x}}",
        );
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(config.service.as_deref(), Some("xray"));
        let role = Role {
            session_name: Some("me@home".to_owned()),
            external_id: Some("x".to_owned()),
            sts_region: Some("us-east-1".to_owned()),
            ..Role::new("arn:aws:iam::1:role/r")
        };
        let region = Some("eu-west-1".to_owned());
        assert_eq!(config.settings, Settings { region, role: Some(role), ..Settings::default() });
        let (config, diagnostics) = read("assume_role: {arn: a, web_identity_token_file: /token}");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        let role = config.settings.role.unwrap();
        assert_eq!(role.web_identity_token_file, Some(PathBuf::from("/token")));
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        for (yaml, errors, word) in [
            ("region: Ireland", 1, "write its code, such as eu-west-1"),
            ("assume_role: {arn: a, sts_region: a/b}", 1, "assume_role::sts_region"),
            ("assume_role: {web_identity_token_file: /token}", 1, "must specify ARN"),
            ("assume_role: {arn: a, session_name: 'my name'}", 1, "2 to 64 letters"),
            ("assume_role: {session_name: name}", 0, "no role is assumed without \"arn\""),
            ("assume_role: {sts_region: us-east-1}", 0, "assume_role::sts_region"),
            ("assume_role: {external_id: x}", 0, "assume_role::external_id"),
            (
                "assume_role: {arn: a, external_id: x, web_identity_token_file: /t}",
                0,
                "a web identity has none",
            ),
            ("role_arn: a", 1, "invalid keys: role_arn"),
            ("assume_role: {role_arn: a}", 1, "invalid keys: role_arn"),
        ] {
            let (_, diagnostics) = read(yaml);
            let text = diagnostics.to_string();
            assert_eq!(diagnostics.error_count(), errors, "{yaml}: {text}");
            assert!(text.contains(word), "{yaml}: {text}");
        }
    }
}
