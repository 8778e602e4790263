//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use ::config::{HttpClient, PemSource, Timeout};
use aws::Role;
use confmap::{Opaque, Section};
use exporter_helper::Settings;
use http::Uri;
use net::client::is_absolute;

use crate::translate::Options;

/// The exporter's settings; keys and defaults are those of open-telemetry/opentelemetry-collector-contrib `exporter/awsxrayexporter` and
/// `internal/aws/awsutil`.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The client.
    pub(crate) client: HttpClient,
    /// Where X-Ray is, if not where the region says.
    pub(crate) endpoint: Option<Uri>,
    /// How many calls there may be at a time.
    pub(crate) num_workers: usize,
    /// Who calls, and for which region.
    pub(crate) aws: aws::Settings,
    /// How spans are translated.
    pub(crate) options: Options,
    /// Queue and retry.
    pub(crate) helper: Settings,
}

const NUM_WORKERS: usize = 8;
/// More calls at a time make nothing faster; each has a connection of its own.
const NUM_WORKERS_MAX: usize = 256;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let request_timeout = read_request_timeout(&mut section);
        let timeout = Timeout::read(&mut section, Timeout(request_timeout)).0;
        // Both bound an attempt.
        let timeout = [timeout, request_timeout].into_iter().flatten().min();
        let num_workers = read_num_workers(&mut section);
        let client = read_client(&mut section, timeout, num_workers);
        let endpoint = read_endpoint(&mut section);
        // An attempt may be several calls, and wait for its turn; each call has the limit.
        let helper = Settings::read(&mut section, Timeout(None));
        let aws = read_aws(&mut section);
        let options = Options::new(
            &section.get::<Vec<String>>("indexed_attributes").unwrap_or_default(),
            section.get("index_all_attributes").unwrap_or_default(),
            &section.get::<Vec<String>>("aws_log_groups").unwrap_or_default(),
        );
        read_what_has_no_effect(&mut section);
        section.finish();
        Self { client, endpoint, num_workers, aws, options, helper }
    }
}

/// Zero is no limit, as for Go's client.
fn read_request_timeout(section: &mut Section<'_>) -> Option<Duration> {
    const KEY: &str = "request_timeout_seconds";
    match section.get::<i64>(KEY) {
        None => Some(REQUEST_TIMEOUT),
        Some(0) => None,
        Some(seconds) => match u64::try_from(seconds) {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_negative) => {
                section.error(KEY, format!("must be a number of seconds, found {seconds}"));
                None
            }
        },
    }
}

fn read_num_workers(section: &mut Section<'_>) -> usize {
    const KEY: &str = "num_workers";
    let Some(number) = section.get::<i64>(KEY) else { return NUM_WORKERS };
    match usize::try_from(number) {
        Ok(number @ 1..=NUM_WORKERS_MAX) => number,
        _ => {
            let message = format!("must be from 1 to {NUM_WORKERS_MAX}, found {number}");
            section.error(KEY, message);
            NUM_WORKERS
        }
    }
}

fn read_client(
    section: &mut Section<'_>,
    timeout: Option<Duration>,
    num_workers: usize,
) -> HttpClient {
    let mut client = HttpClient { timeout, max_idle_conns: num_workers, ..HttpClient::default() };
    client.tls.insecure_skip_verify = section.get("no_verify_ssl").unwrap_or_default();
    let authorities = section.get::<String>("certificate_file_path");
    let authorities = authorities.filter(|path| !path.is_empty());
    client.tls.material.ca = authorities.map(|path| PemSource::File(PathBuf::from(path)));
    // It may hold a password.
    let proxy = section.get::<Opaque>("proxy_address").filter(|proxy| !proxy.is_empty());
    if let Some(proxy) = &proxy
        && !proxy.expose().parse().is_ok_and(|url: Uri| is_absolute(&url))
    {
        let help = "write it with its scheme, such as http://proxy.example.com:3128";
        section.error_with_help("proxy_address", "is not a URL of http or https", help);
    }
    client.proxy_url = proxy;
    client
}

fn read_endpoint(section: &mut Section<'_>) -> Option<Uri> {
    const KEY: &str = "endpoint";
    let text = section.get::<String>(KEY).filter(|text| !text.is_empty())?;
    let url = text.parse::<Uri>().ok().filter(|url| is_absolute(url) && url.query().is_none());
    if url.is_none() {
        let help =
            "write the base URL with its scheme, such as https://xray.eu-west-1.amazonaws.com";
        section.error_with_help(KEY, format!("{text:?} is not a URL of http or https"), help);
    }
    url
}

fn read_aws(section: &mut Section<'_>) -> aws::Settings {
    let mut text = |key| section.get::<String>(key).filter(|text| !text.is_empty());
    let (region, profile) = (text("region"), text("profile"));
    let (role_arn, external_id) = (text("role_arn"), text("external_id"));
    if external_id.is_some() && role_arn.is_none() {
        section.warn("external_id", "is accepted and has no effect: there is no role_arn");
    }
    let role = role_arn.map(|arn| Role { external_id, ..Role::new(arn) });
    let files = section.get::<Vec<String>>("shared_credentials_file").unwrap_or_default();
    let files = files.into_iter().map(PathBuf::from).collect();
    aws::Settings { region, profile, shared_credentials_files: files, role }
}

/// The keys that change nothing here, with what does.
fn read_what_has_no_effect(section: &mut Section<'_>) {
    section.ignored("max_retries", "retry_on_failure says how long a call is tried");
    section.ignored(
        "local_mode",
        "the metadata of a task or an instance is only asked for what nothing else says",
    );
    section.ignored("resource_arn", "it stands in telemetry records, which are not sent");
    section.ignored("imds_retries", "metadata is asked anew with the next attempt");
    section.ignored(
        "transit_spans_in_otlp_format",
        "spans are sent as segment documents; for OTLP use otlphttp with sigv4auth",
    );
    section.ignored("middleware", "there are no such extensions");
    let mut telemetry = section.section("telemetry");
    for key in
        ["enabled", "include_metadata", "contributors", "hostname", "instance_id", "resource_arn"]
    {
        telemetry.ignored(
            key,
            "telemetry records are not sent; service::telemetry::metrics has the numbers",
        );
    }
    telemetry.finish();
}

#[cfg(test)]
mod tests;
