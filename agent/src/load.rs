//! From locations to a plan.

use std::io::IsTerminal;

use confmap::{Diagnostics, Node, Providers, Refresh, ResolveOptions, Severity};
use pipeline::Plan;

use crate::cli::Sources;
use crate::components::COMPONENTS;
use crate::own_telemetry::OwnTelemetry;

/// What the agent does without `--config`.
const DEFAULT: &str = concat!("yaml:", include_str!("../default.yaml"));

/// A sound config.
pub(crate) struct Loaded {
    pub(crate) plan: Plan,
    pub(crate) telemetry: OwnTelemetry,
    /// Warnings.
    pub(crate) diagnostics: Diagnostics,
    /// What is to be read again from time to time.
    pub(crate) refresh: Option<Refresh>,
}

/// A config as far as it can be understood.
pub(crate) struct Read {
    pub(crate) root: Node,
    pub(crate) plan: Option<Plan>,
    pub(crate) telemetry: OwnTelemetry,
    /// Errors and warnings.
    pub(crate) diagnostics: Diagnostics,
    /// What is to be read again from time to time.
    pub(crate) refresh: Option<Refresh>,
}

/// Resolves and reads a config.
///
/// # Errors
/// All that is wrong with it.
pub(crate) async fn load(sources: &Sources) -> Result<Loaded, Diagnostics> {
    load_with(sources, &providers()).await
}

/// As [`load`], with providers that were asked before: they bridge the time when what they ask can't be reached.
///
/// # Errors
/// All that is wrong with it.
pub(crate) async fn load_with(
    sources: &Sources,
    providers: &Providers,
) -> Result<Loaded, Diagnostics> {
    let Read { plan, telemetry, diagnostics, refresh, .. } = read_with(sources, providers).await?;
    match plan {
        Some(plan) => Ok(Loaded { plan, telemetry, diagnostics, refresh }),
        None => Err(diagnostics),
    }
}

/// Resolves a config and reads as much of it as can be read.
///
/// # Errors
/// All that is wrong, when it cannot be resolved.
pub(crate) async fn read(sources: &Sources) -> Result<Read, Diagnostics> {
    read_with(sources, &providers()).await
}

async fn read_with(sources: &Sources, providers: &Providers) -> Result<Read, Diagnostics> {
    let embedded = [DEFAULT.to_owned()];
    let locations = match sources.locations.as_slice() {
        [] => &embedded[..],
        locations => locations,
    };
    let options = ResolveOptions::default();
    let resolved = confmap::resolve(locations, &sources.sets, providers, options).await?;
    let (root, diagnostics, refresh) = (resolved.root, resolved.warnings, resolved.refresh);
    let telemetry = root.get("service").and_then(|service| service.get("telemetry"));
    let telemetry = OwnTelemetry::read(telemetry, &diagnostics);
    let plan = Plan::read(&root, &COMPONENTS, &diagnostics);
    Ok(Read { root, plan, telemetry, diagnostics, refresh })
}

/// The config providers of this binary.
pub(crate) fn providers() -> Providers {
    let providers = Providers::local(|name| std::env::var_os(name));
    #[cfg(feature = "confmap-http")]
    let providers = {
        let environment = net::client::Environment::process();
        let http = confmap_http::HttpProvider::http(environment.clone());
        providers.with(http).with(confmap_http::HttpProvider::https(environment))
    };
    // One AWS for all, so that credentials are looked for once; nobody is asked before the first reference.
    #[cfg(any(
        feature = "confmap-s3",
        feature = "confmap-secretsmanager",
        feature = "confmap-ssm"
    ))]
    let aws = confmap_aws::Aws::process();
    #[cfg(feature = "confmap-s3")]
    let providers = providers.with(confmap_s3::S3Provider::new(aws.clone()));
    #[cfg(feature = "confmap-secretsmanager")]
    let providers =
        providers.with(confmap_secretsmanager::SecretsManagerProvider::new(aws.clone()));
    #[cfg(feature = "confmap-ssm")]
    let providers = providers.with(confmap_ssm::SsmProvider::new(aws));
    providers
}

/// Errors and warnings for the person who started the program.
pub(crate) fn show(diagnostics: &Diagnostics) -> String {
    let mut text = diagnostics.render(std::io::stderr().is_terminal());
    let errors = diagnostics.error_count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        text.push_str(&format!("Error: invalid configuration: {errors} error{plural}\n"));
    }
    text
}

/// Errors in one line, for a log record. The first few; the rest is counted.
pub(crate) fn summary(diagnostics: &Diagnostics) -> String {
    const SHOWN: usize = 5;
    let errors = diagnostics.sorted().into_iter().filter(|d| d.severity() == Severity::Error);
    let shown: Vec<String> = errors.take(SHOWN).map(|error| in_one_line(&error)).collect();
    let more = diagnostics.error_count().saturating_sub(shown.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

/// Logs the warnings.
pub(crate) fn log_warnings(diagnostics: &Diagnostics) {
    let warnings = diagnostics.sorted().into_iter().filter(|d| d.severity() == Severity::Warning);
    for warning in warnings {
        tracing::warn!("{}", in_one_line(&warning));
    }
}

fn in_one_line(diagnostic: &confmap::Diagnostic) -> String {
    match diagnostic.origin() {
        Some(origin) => format!("{origin}: {diagnostic}"),
        None => diagnostic.to_string(),
    }
}

/// Notes components that are configured under another name than this program's own, in one record.
pub(crate) fn note_renamed(plan: &Plan) {
    let renamed: Vec<String> = plan
        .renamed()
        .iter()
        .map(|renamed| {
            format!("{} \"{}\" is {}", renamed.kind.name(), renamed.id, renamed.component_type)
        })
        .collect();
    if !renamed.is_empty() {
        tracing::info!(
            renamed = renamed.join(", "),
            "Components are configured under other names. They work the same."
        );
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(all(feature = "exporter-debug", feature = "receiver-otlp"))]
    fn embedded_default_is_sound_and_takes_settings_on_top() {
        use super::{Sources, load, summary};

        let runtime = crate::runtime::build().unwrap();
        let loaded = runtime.block_on(load(&Sources::default())).unwrap();
        assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
        let sets = vec!["exporters.debug.verbosity=nothing".to_owned()];
        let sources = Sources { sets, ..Sources::default() };
        let wrong = runtime.block_on(load(&sources)).err().unwrap();
        assert!(summary(&wrong).contains("exporters.debug.verbosity"), "{}", summary(&wrong));
    }

    #[test]
    #[cfg(all(
        feature = "confmap-http",
        feature = "confmap-s3",
        feature = "confmap-secretsmanager",
        feature = "confmap-ssm"
    ))]
    fn providers_are_those_of_the_collector_and_parameters() {
        let schemes = [
            "awsssm",
            "env",
            "file",
            "http",
            "https",
            "parameterstore",
            "s3",
            "secretsmanager",
            "ssm",
            "yaml",
        ];
        assert_eq!(super::providers().schemes(), schemes);
    }
}
