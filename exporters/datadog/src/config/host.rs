//! `hostname` and `host_metadata`.

use std::time::Duration;

use confmap::{Decode, Mismatch, Node, Section};

/// What is told about hosts.
#[derive(Clone, Debug)]
pub(crate) struct HostMetadata {
    /// Whether anything is.
    pub(crate) enabled: bool,
    /// Of which host.
    pub(crate) hostname_source: HostnameSource,
    /// Tags of the host.
    pub(crate) tags: Vec<String>,
    /// How often.
    pub(crate) reporter_period: Duration,
}

/// Which host is told about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostnameSource {
    /// The fallback host.
    #[default]
    ConfigOrSystem,
    /// The host of the first resource, and of others as they come; the fallback host if it has none.
    FirstResource,
}

impl Decode for HostnameSource {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let words =
            [("config_or_system", Self::ConfigOrSystem), ("first_resource", Self::FirstResource)];
        confmap::keyword(node, &words)
    }
}

const REPORTER_PERIOD: Duration = Duration::from_secs(30 * 60);
const REPORTER_PERIOD_MIN: Duration = Duration::from_secs(5 * 60);
/// DataDog/datadog-agent `pkg/util/hostname/validate`.
const HOSTNAME_LEN_MAX: usize = 255;
const LOCAL_NAMES: [&str; 4] =
    ["localhost", "localhost.localdomain", "localhost6.localdomain6", "ip6-localhost"];

impl HostMetadata {
    pub(super) fn read(mut section: Section<'_>, only_metadata: bool) -> Self {
        let read = Self {
            enabled: section.get("enabled").unwrap_or(true),
            hostname_source: section.get("hostname_source").unwrap_or_default(),
            tags: section.get("tags").unwrap_or_default(),
            reporter_period: section.get("reporter_period").unwrap_or(REPORTER_PERIOD),
        };
        if read.reporter_period < REPORTER_PERIOD_MIN {
            section.error("reporter_period", "must be 5 minutes or higher");
        }
        // Upstream's `only_metadata` needs it.
        if read.hostname_source == HostnameSource::FirstResource && !only_metadata {
            let message = "first_resource is deprecated; see https://docs.datadoghq.com/opentelemetry/mapping/host_metadata/";
            section.warn("hostname_source", message);
        }
        section.finish();
        read
    }
}

/// Reads `hostname`, the fallback for payloads that name no host.
pub(super) fn read_hostname(section: &mut Section<'_>) -> Option<String> {
    let hostname = section.get::<String>("hostname")?.trim().to_owned();
    if hostname.is_empty() {
        return None;
    }
    if let Some(fault) = hostname_fault(&hostname) {
        section.error("hostname", format!("hostname field is invalid: {fault}"));
    }
    Some(hostname)
}

/// What makes a name none of a host, by the rules of Datadog's Agent.
fn hostname_fault(hostname: &str) -> Option<&'static str> {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if LOCAL_NAMES.iter().any(|local| hostname.eq_ignore_ascii_case(local)) {
        Some("it is a local hostname")
    } else if hostname.len() > HOSTNAME_LEN_MAX {
        Some("it exceeds the maximum length of 255 characters")
    } else if !hostname.split('.').all(is_label) {
        Some("it is not RFC1123 compliant")
    } else {
        None
    }
}
