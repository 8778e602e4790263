//! Settings.

use ::config::{AddressError, HttpServer, ListenAddress, TlsClient, Transport, split_host_port};
use aws::Role;
use confmap::{Decode, Mismatch, Node, Opaque, Section};
use http::Uri;
use net::client::is_absolute;

/// The receiver's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `receiver/awsxrayreceiver` and
/// `internal/aws/proxy`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where segments come in, `host:port` of UDP.
    pub(crate) endpoint: String,
    /// What answers the SDK's questions.
    pub(crate) proxy: Proxy,
}

/// The section `proxy_server`.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) server: HttpServer,
    /// How AWS is reached.
    pub(crate) tls: TlsClient,
    /// A proxy on the way there; it may hold a password.
    pub(crate) proxy_url: Option<Opaque>,
    /// Where requests go; the first whose paths fit, and the last one takes all.
    pub(crate) routes: Vec<Route>,
}

/// A service of AWS that requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The paths, without the slash at their beginning; `None` is every path.
    pub(crate) paths: Option<Vec<String>>,
    /// Its name, as in hosts and signatures.
    pub(crate) service: String,
    /// Where it is, if not where the region says.
    pub(crate) endpoint: Option<Uri>,
    /// Who calls, and for which region.
    pub(crate) aws: aws::Settings,
}

/// The ports of X-Ray's daemon.
const ENDPOINT: &str = "localhost:2000";
const SERVICE: &str = "xray";
/// Questions about sampling have a few kilobytes.
const QUESTION_BYTES_MAX: usize = 1 << 20;

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let _udp: Option<Udp> = section.get("transport");
        let endpoint = section.get("endpoint").unwrap_or_else(|| ENDPOINT.to_owned());
        section.ignored("dialer", "a receiver does not connect to anyone");
        if let Err(error) = check(&endpoint) {
            section.error("endpoint", error.to_string());
        }
        let mut proxy = section.section("proxy_server");
        let read = Proxy::read(&mut proxy);
        proxy.finish();
        section.finish();
        Self { endpoint, proxy: read }
    }
}

impl Proxy {
    fn read(section: &mut Section<'_>) -> Self {
        let endpoint = section.get("endpoint").unwrap_or_else(|| ENDPOINT.to_owned());
        if let Err(error) = check(&endpoint) {
            section.error("endpoint", error.to_string());
        }
        section.ignored("dialer", "a server does not connect to anyone");
        let server = HttpServer {
            address: ListenAddress { transport: Transport::Tcp, endpoint },
            write_timeout: None,
            idle_timeout: None,
            keep_alives_enabled: false,
            max_body_bytes: QUESTION_BYTES_MAX,
            ..HttpServer::default()
        };
        let mut tls = TlsClient::read(section, TlsClient::default());
        // Upstream's word for it here. Nothing is ever sent to AWS in plain text for it.
        tls.insecure_skip_verify |= std::mem::take(&mut tls.insecure);
        let proxy_url = read_proxy_address(section);
        section.ignored(
            "local_mode",
            "the metadata of a task or an instance is only asked for what nothing else says",
        );
        section.ignored("imds_retries", "metadata is asked anew with the next request");
        let main = Route {
            paths: None,
            service: text(section, "service_name").unwrap_or_else(|| SERVICE.to_owned()),
            endpoint: read_endpoint(section),
            aws: read_aws(section, &aws::Settings::default()),
        };
        check_service(section, &main.service);
        let mut routes: Vec<Route> = section
            .list("additional_routing_rules")
            .into_iter()
            .map(|rule| {
                let mut section = rule.section();
                let route = read_rule(&mut section, &main.aws);
                section.finish();
                route
            })
            .collect();
        routes.push(main);
        Self { server, tls, proxy_url, routes }
    }
}

/// A rule of `additional_routing_rules`; what it leaves out of region and role is the proxy's own.
fn read_rule(section: &mut Section<'_>, main: &aws::Settings) -> Route {
    let paths: Vec<String> = section.get("paths").unwrap_or_default();
    if paths.is_empty() {
        section.error("paths", "must name at least one path, such as [/GetSamplingRules]");
    }
    let paths = paths.iter().map(|path| path.trim_start_matches('/').to_owned()).collect();
    let service = text(section, "service_name");
    if service.is_none() {
        section.error("service_name", "must be the service's name, such as xray");
    }
    let service = service.unwrap_or_else(|| SERVICE.to_owned());
    check_service(section, &service);
    let endpoint = read_endpoint(section);
    Route { paths: Some(paths), service, endpoint, aws: read_aws(section, main) }
}

fn read_aws(section: &mut Section<'_>, main: &aws::Settings) -> aws::Settings {
    let role = text(section, "role_arn").map(Role::new);
    aws::Settings {
        region: text(section, "region").or_else(|| main.region.clone()),
        role: role.or_else(|| main.role.clone()),
        ..aws::Settings::default()
    }
}

/// The name becomes part of a host's.
fn check_service(section: &Section<'_>, name: &str) {
    let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(is_label) {
        let message = "must be a service's name as in its host, such as xray";
        section.error("service_name", message);
    }
}

fn read_endpoint(section: &mut Section<'_>) -> Option<Uri> {
    const KEY: &str = "aws_endpoint";
    let text = text(section, KEY)?;
    let url = text.parse::<Uri>().ok().filter(|url| is_absolute(url) && url.query().is_none());
    if url.is_none() {
        let help =
            "write the base URL with its scheme, such as https://xray.eu-west-1.amazonaws.com";
        section.error_with_help(KEY, format!("{text:?} is not a URL of http or https"), help);
    }
    url
}

fn read_proxy_address(section: &mut Section<'_>) -> Option<Opaque> {
    let proxy = section.get::<Opaque>("proxy_address").filter(|proxy| !proxy.is_empty())?;
    if !proxy.expose().parse().is_ok_and(|url: Uri| is_absolute(&url)) {
        let help = "write it with its scheme, such as http://proxy.example.com:3128";
        section.error_with_help("proxy_address", "is not a URL of http or https", help);
    }
    Some(proxy)
}

fn text(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    section.get::<String>(key).filter(|text| !text.is_empty())
}

fn check(endpoint: &str) -> Result<(), AddressError> {
    split_host_port(endpoint).map(drop)
}

/// The only transport of segments.
struct Udp;

impl Decode for Udp {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match String::decode(node)?.as_str() {
            "udp" => Ok(Self),
            other => Err(Mismatch::new(format!("transport {other:?} is not supported"))
                .help("X-Ray's SDKs send over udp only")),
        }
    }
}

#[cfg(test)]
mod tests;
