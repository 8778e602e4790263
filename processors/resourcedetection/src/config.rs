//! Settings. Keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `processor/resourcedetectionprocessor`.

use std::time::Duration;

use ::config::HttpClient;
use attributes::pattern;
use confmap::{Opaque, Section};
use regex::Regex;

use crate::detected::Wanted;
use crate::detectors::{Kind, ec2, ecs, lambda, system};

/// The settings.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Who is asked; of what several find, the first one's counts.
    pub(crate) detectors: Vec<Kind>,
    /// Whether what is detected takes the place of what senders say of themselves.
    pub(crate) overrides: bool,
    /// How long payloads wait for the detectors, from the start on, and how long one attempt of one of them may take; not at all, and long,
    /// if it is zero.
    pub(crate) timeout: Duration,
    /// How often everybody is asked again; never if not set.
    pub(crate) refresh_interval: Option<Duration>,
    pub(crate) system: System,
    pub(crate) ecs: Wanted,
    pub(crate) ec2: Ec2,
    pub(crate) lambda: Wanted,
}

/// Settings of the detector `system`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct System {
    /// Ways to the host's name, tried in order.
    pub(crate) hostname_sources: Vec<HostnameSource>,
    pub(crate) wanted: Wanted,
}

/// Where a host's name is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostnameSource {
    /// The hosts file, else its canonical name, else a name of its addresses.
    Dns,
    /// The operating system.
    Os,
    /// Its canonical name.
    Cname,
    /// A name of its addresses.
    Lookup,
}

/// Settings of the detector `ec2`.
#[derive(Clone, Debug)]
pub(crate) struct Ec2 {
    /// Names of the instance's tags that become attributes; none if empty.
    pub(crate) tags: Vec<Regex>,
    /// Whether tags come from the instance's metadata rather than the EC2 API.
    pub(crate) tags_from_imds: bool,
    /// How often the metadata is asked in one attempt.
    pub(crate) max_attempts: u32,
    /// Whether it is an error that this is no instance.
    pub(crate) fail_on_missing_metadata: bool,
    pub(crate) wanted: Wanted,
}

const TIMEOUT: Duration = Duration::from_secs(5);
const EC2_MAX_ATTEMPTS: u32 = 3;

/// Detectors that upstream has and this processor has not, by the keys of their settings.
const OTHERS: [&str; 24] = [
    "akamai",
    "aks",
    "alibaba_ecs",
    "azure",
    "consul",
    "digitalocean",
    "docker",
    "eks",
    "elasticbeanstalk",
    "gcp",
    "heroku",
    "hetzner",
    "ibmcloud_classic",
    "ibmcloud_vpc",
    "k8s_api",
    "k8snode",
    "kubeadm",
    "nova",
    "openshift",
    "oraclecloud",
    "scaleway",
    "tencent_cvm",
    "upcloud",
    "vultr",
];
/// Those of them that have no settings, or other names.
const OTHER_NAMES: [&str; 2] = ["dynatrace", "elastic_beanstalk"];

/// Keys of upstream's HTTP client, which no detector here has a use for; those that have none anywhere are named by their reader.
const HTTP_CLIENT: [&str; 15] = [
    "endpoint",
    "proxy_url",
    "tls",
    "headers",
    "auth",
    "compression",
    "compression_params",
    "max_idle_conns",
    "max_idle_conns_per_host",
    "max_conns_per_host",
    "idle_conn_timeout",
    "disable_keep_alives",
    "http2_read_idle_timeout",
    "http2_ping_timeout",
    "force_attempt_http2",
];

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let detectors = read_detectors(&mut section);
        let timeout = read_client(&mut section);
        for key in OTHERS {
            conceal_token(&mut section, key);
            section.ignored(key, "there is no such detector here");
        }
        section.refused(
            "attributes",
            "upstream took it out; turn attributes off one by one, with <detector>::resource_attributes::<name>::enabled: false",
        );
        let refresh: Option<Duration> = section.get("refresh_interval");
        let config = Self {
            detectors,
            overrides: section.get("override").unwrap_or(true),
            timeout,
            refresh_interval: refresh.filter(|interval| !interval.is_zero()),
            system: read_system(section.section("system")),
            ecs: read_plain(section.section("ecs"), ecs::ATTRIBUTES),
            ec2: read_ec2(section.section("ec2")),
            lambda: read_plain(section.section("lambda"), lambda::ATTRIBUTES),
        };
        section.finish();
        config
    }
}

/// Reads the keys of the HTTP client, of which the time counts alone.
fn read_client(section: &mut Section<'_>) -> Duration {
    let defaults = HttpClient { timeout: Some(TIMEOUT), ..HttpClient::default() };
    let client = HttpClient::read(section, defaults);
    for key in HTTP_CLIENT {
        section.ignored(key, "metadata is asked for without a proxy, and AWS as its variables say");
    }
    client.timeout.unwrap_or_default()
}

/// Keeps the token of a detector that there is not out of printed configs.
fn conceal_token(section: &mut Section<'_>, key: &'static str) {
    if matches!(key, "consul" | "openshift") {
        for (name, item) in section.entries(key) {
            if name == "token" {
                let _concealed = item.decode::<Opaque>();
            }
        }
    }
}

fn read_detectors(section: &mut Section<'_>) -> Vec<Kind> {
    if !section.is_set("detectors") {
        return vec![Kind::Env];
    }
    let items = section.list("detectors");
    if items.is_empty() {
        section.error("detectors", "names nobody: remove the key for the default, [env]");
    }
    let mut detectors = Vec::new();
    for item in items {
        let Some(name) = item.decode::<String>() else { continue };
        let name = name.trim();
        match Kind::of(name) {
            Some(kind) => detectors.push(kind),
            None => {
                let names = Kind::ALL.map(Kind::name).join(", ");
                let is_upstreams = OTHERS.contains(&name) || OTHER_NAMES.contains(&name);
                let what = if is_upstreams { "is not carried here" } else { "is unknown" };
                item.error(format!("the detector {name:?} {what}; those there are: {names}"));
            }
        }
    }
    detectors
}

/// Reads the settings of a detector that has none but its attributes.
fn read_plain(mut section: Section<'_>, attributes: &[(&'static str, bool)]) -> Wanted {
    let wanted = read_wanted(&mut section, attributes);
    section.finish();
    wanted
}

fn read_system(mut section: Section<'_>) -> System {
    let mut hostname_sources = Vec::new();
    for item in section.list("hostname_sources") {
        match item.decode::<String>().as_deref() {
            Some("dns") => hostname_sources.push(HostnameSource::Dns),
            Some("os") => hostname_sources.push(HostnameSource::Os),
            Some("cname") => hostname_sources.push(HostnameSource::Cname),
            Some("lookup") => hostname_sources.push(HostnameSource::Lookup),
            Some(other) => item.error(format!(
                "hostname_sources contains invalid value: {other:?}; valid values: dns, os, cname, lookup"
            )),
            None => {}
        }
    }
    if hostname_sources.is_empty() {
        hostname_sources = vec![HostnameSource::Dns, HostnameSource::Os];
    }
    let wanted = read_wanted(&mut section, system::ATTRIBUTES);
    section.finish();
    System { hostname_sources, wanted }
}

fn read_ec2(mut section: Section<'_>) -> Ec2 {
    let mut tags = Vec::new();
    for item in section.list("tags") {
        let Some(text) = item.decode::<String>() else { continue };
        match pattern::compile(&text) {
            Ok(tag) => tags.push(tag),
            Err(error) => item.error(format!("is no regular expression: {}", error.reason)),
        }
    }
    section.ignored("max_backoff", "the pauses between attempts are at most 0.15 s");
    let ec2 = Ec2 {
        tags,
        tags_from_imds: section.get("tags_from_imds").unwrap_or(false),
        max_attempts: section.get("max_attempts").unwrap_or(EC2_MAX_ATTEMPTS),
        fail_on_missing_metadata: section.get("fail_on_missing_metadata").unwrap_or(false),
        wanted: read_wanted(&mut section, ec2::ATTRIBUTES),
    };
    section.finish();
    ec2
}

/// Reads which attributes are on.
fn read_wanted(section: &mut Section<'_>, attributes: &[(&'static str, bool)]) -> Wanted {
    let mut toggles = section.section("resource_attributes");
    let mut wanted = Vec::new();
    for (name, default) in attributes {
        let mut toggle = toggles.section(name);
        if toggle.get("enabled").unwrap_or(*default) {
            wanted.push(*name);
        }
        toggle.finish();
    }
    toggles.finish();
    Wanted::of(wanted)
}

#[cfg(test)]
mod tests;
