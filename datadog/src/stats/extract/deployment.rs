//! The deployment that a span belongs to: what its resource says, or the span itself.

use std::borrow::Cow;

use pdata::text::to_text;
use pdata::view::Attributes;

use crate::attributes::{KnownAttributes, Lookup};
use crate::keys::Key;
use crate::normalize::{self, tag_value};
use crate::source::Source;
use crate::stats::PayloadKey;
use crate::tags;

/// Attributes by which a span can belong to another deployment than its resource.
const KEYS: [Key; 5] = [
    Key::DeploymentEnvironmentName,
    Key::DeploymentEnvironment,
    Key::ServiceVersion,
    Key::ContainerId,
    Key::Hostname,
];
const ENV: &[Key] = &[Key::DeploymentEnvironmentName, Key::DeploymentEnvironment];

/// What tells deployments apart.
pub(super) struct Deployment<'a> {
    env: Cow<'a, str>,
    version: Cow<'a, str>,
    container_id: Cow<'a, str>,
    hostname: Cow<'a, str>,
}

impl<'a> Deployment<'a> {
    /// That of a span, or of a resource alone when there are no attributes of a span. `source` is what the resource comes from.
    pub(super) fn of(
        lookup: &Lookup<'_, 'a>,
        source: Option<&Source<'a>>,
        fallback_host: &'a str,
    ) -> Self {
        let hostname = match source {
            Some(Source::Host(host)) => host.clone(),
            Some(Source::Serverless(_)) => Cow::Borrowed(""),
            None => {
                match (lookup.resource.any_text(Key::Hostname), lookup.span.any_text(Key::Hostname))
                {
                    (host, _) | (_, host) if !host.is_empty() => host,
                    _ => Cow::Borrowed(fallback_host),
                }
            }
        };
        Self {
            env: tag_value(lookup.text(ENV)),
            version: tag_value(lookup.text(&[Key::ServiceVersion])),
            container_id: tag_value(lookup.text(&[Key::ContainerId])),
            hostname,
        }
    }

    /// Whether a span with these attributes may belong to another deployment than its resource.
    pub(super) fn may_differ(span: &KnownAttributes<'_>) -> bool {
        KEYS.iter().any(|key| span.get(*key).is_some())
    }

    pub(super) fn key<'k>(
        &'k self,
        base_service: &'k str,
        container_tags: &'k [&'k str],
    ) -> PayloadKey<'k> {
        PayloadKey {
            env: &self.env,
            hostname: &self.hostname,
            version: &self.version,
            container_id: &self.container_id,
            base_service,
            container_tags,
            ..PayloadKey::default()
        }
    }
}

/// The tags of the container that these attributes of a resource become, sorted.
pub(super) fn container_tags(resource: &Attributes<'_>, keys: &[String]) -> Vec<String> {
    if keys.is_empty() {
        return Vec::new();
    }
    let known = tags::ContainerTags::of(resource);
    let tag = |key: &String| {
        let (key, value) = match tags::container_tag(key.as_bytes()) {
            Some(tag) => {
                let (_, value) = known.iter().find(|(key, _)| *key == tag.as_bytes())?;
                (tag, String::from_utf8_lossy(value).into_owned())
            }
            None => (key.as_str(), to_text(&resource.get(key)?)),
        };
        (!value.is_empty()).then(|| normalize::tag(&format!("{key}:{value}")).into_owned())
    };
    let mut tags: Vec<String> = keys.iter().filter_map(tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}
