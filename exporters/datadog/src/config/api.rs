//! `api`: the key, the site, and the URLs that follow from it.

use std::borrow::Cow;

use confmap::{Item, Opaque, Section};
use http::{HeaderValue, Uri};
use net::client::is_absolute;

/// Who sends.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// The key, without white space around it.
    pub(crate) key: Opaque,
    /// The site that URLs are derived from.
    pub(crate) site: String,
    /// Whether the start waits for the key to be checked, and fails for one that Datadog does not know.
    pub(crate) fail_on_invalid_key: bool,
}

const SITE: &str = "datadoghq.com";
/// What hosts of Datadog begin with. None of them is a part of a site.
const HOST_PREFIXES: [&str; 5] = ["app.", "api.", "trace.agent.", "http-intake.logs.", "www."];
const SITES: [&str; 9] = [
    SITE,
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "ddog-gov.com",
    "us2.ddog-gov.com",
];
/// What sites are called that are not called by the first part of their host.
const SITE_NAMES: [(&str, &str); 8] = [
    ("us", SITE),
    ("us1", SITE),
    ("eu", "datadoghq.eu"),
    ("eu1", "datadoghq.eu"),
    ("uk", "uk1.datadoghq.com"),
    ("gov", "ddog-gov.com"),
    ("us1-fed", "ddog-gov.com"),
    ("us2-fed", "us2.ddog-gov.com"),
];
/// The signals, whose URLs follow from the site where they have no endpoint.
const SIGNALS: [&str; 3] = ["traces", "metrics", "logs"];

impl Api {
    /// Reads `api` of the exporter's section.
    pub(super) fn read(exporter: &mut Section<'_>) -> Self {
        let has_endpoint = |signal: Option<Item<'_>>| {
            signal.is_some_and(|signal| signal.node().get("endpoint").is_some())
        };
        let is_site_used = SIGNALS.iter().any(|signal| !has_endpoint(exporter.item(signal)));
        let mut section = exporter.section("api");
        let key = section.get::<Opaque>("key").unwrap_or_default();
        let key = Opaque::new(key.expose().trim());
        if key.is_empty() {
            let help = "set it to an API key of your organization, such as ${env:DD_API_KEY}";
            section.error_with_help("key", "api.key is not set", help);
        } else if HeaderValue::from_str(key.expose()).is_err() {
            section.error("key", "has characters that cannot be sent in a header");
        } else if !key.expose().bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "has characters other than 0-9 and a-f, which API keys of Datadog do not have; an application key or a reference that was not resolved will not do";
            section.warn("key", message);
        }
        let site = read_site(&mut section, is_site_used);
        let fail_on_invalid_key = section.get("fail_on_invalid_key").unwrap_or_default();
        section.finish();
        Self { key, site, fail_on_invalid_key }
    }
}

fn read_site(section: &mut Section<'_>, is_used: bool) -> String {
    const KEY: &str = "site";
    let Some(site) = section.get::<String>(KEY) else { return SITE.to_owned() };
    let sites = SITES.join(", ");
    if site.is_empty() {
        // Endpoints may all be set, and the site be left empty.
        if is_used {
            let help = format!("{}; sites are {sites}", default_for(section.item(KEY)));
            section.error_with_help(KEY, "is empty, and not every endpoint is set", help);
        }
    } else if let Some(meant) = site_meant(&site) {
        let message = format!("{site:?} is not a site, but the address of a page or a host of one");
        section.error_with_help(KEY, message, format!("write {meant}; sites are {sites}"));
    } else if format!("https://{site}").parse::<Uri>().is_err() {
        let message = format!("{site:?} is not a site");
        section.error_with_help(KEY, message, format!("sites are {sites}"));
    } else if is_used && !SITES.iter().any(|known| known.eq_ignore_ascii_case(&site)) {
        let closest = site_like(&site).map(|site| format!(": did you mean {site:?}?"));
        let closest = closest.as_deref().unwrap_or(";");
        let message = format!(
            "{site:?} is no site that is known, and the API key is sent to hosts below it{closest} sites are {sites}"
        );
        section.warn(KEY, message);
    }
    site
}

/// What to write in the place of a site that is empty.
fn default_for(site: Option<Item<'_>>) -> String {
    let references = site.as_ref().map_or(&[][..], |site| site.node().references());
    let variable = match references {
        [reference] => reference.strip_prefix("env:"),
        _ => None,
    };
    match variable.and_then(|variable| variable.split(":-").next()) {
        Some(variable) => format!("write ${{env:{variable}:-{SITE}}}"),
        None => format!("leave it out for {SITE}"),
    }
}

/// The site that may be meant by what is none: by its name, by its name in front of a domain of Datadog's, or by most of its letters.
fn site_like(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let (name, domain) = text.split_once('.').unwrap_or((&text, "datadog"));
    let called = SITE_NAMES.iter().find(|(known, _)| *known == name).map(|(_, site)| *site);
    let named = |site: &&&str| site.split('.').next() == Some(name) && name.len() == 3;
    let by_name = called.or_else(|| SITES.iter().find(named).copied());
    by_name.filter(|_| domain.starts_with("datadog")).or_else(|| confmap::closest(&text, SITES))
}

/// The site in what users take for one: a URL, or a host with a name in front. Nothing for what may be a site.
fn site_meant(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let host = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    let site = HOST_PREFIXES.iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host);
    (site != text && !site.is_empty()).then_some(site)
}

/// Reads `endpoint` of a signal's section: the base of its URLs, which the site gives where it is not set.
pub(super) fn read_endpoint(section: &mut Section<'_>, default: &str) -> Option<Uri> {
    let set = section.get::<String>("endpoint");
    let help = format!("write it with its scheme, such as {default}, or leave it out");
    match set.as_deref() {
        // The empty site has been reported.
        None if default.ends_with('.') => None,
        // A site that is none has been reported.
        None => default.parse().ok(),
        Some(endpoint) if endpoint.trim_matches('/').is_empty() => {
            section.error_with_help("endpoint", "endpoint cannot be empty", help);
            None
        }
        Some(endpoint) => match with_scheme(endpoint).parse::<Uri>() {
            Ok(uri) if is_base(&uri) => Some(uri),
            _ => {
                let message = format!("{endpoint:?} is not a URL of http or https");
                section.error_with_help("endpoint", message, help);
                None
            }
        },
    }
}

/// An address without a scheme is one of https, as upstream has it for logs.
fn with_scheme(endpoint: &str) -> Cow<'_, str> {
    if endpoint.contains("://") {
        Cow::Borrowed(endpoint)
    } else {
        Cow::Owned(format!("https://{endpoint}"))
    }
}

fn is_base(uri: &Uri) -> bool {
    is_absolute(uri) && uri.query().is_none()
}
