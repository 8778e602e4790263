//! From locations to a plan.

use std::io::IsTerminal;

use confmap::{Diagnostics, Node, Providers, Refresh, ResolveOptions, Resolved, Severity};
use pipeline::Plan;
use telemetry::LogSettings;

use crate::components::COMPONENTS;
use crate::later::{Later, PLACEHOLDER};
use crate::own_telemetry::OwnTelemetry;

/// Where the config comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// Locations as `--config` takes them; none means the embedded default.
    pub locations: Vec<String>,
    /// Settings as `--set` takes them.
    pub sets: Vec<String>,
    /// What the binary does without a config: a location, `yaml:` and a text.
    pub embedded: &'static str,
    /// How the log is written as far as the config does not say.
    pub log: LogSettings,
}

/// A sound config.
pub struct Loaded {
    /// The pipelines.
    pub plan: Plan,
    /// The process's own telemetry.
    pub telemetry: OwnTelemetry,
    /// Warnings.
    pub diagnostics: Diagnostics,
    /// What is to be read again from time to time.
    pub refresh: Option<Refresh>,
}

/// A config as far as it can be understood.
pub struct Read {
    /// The whole tree.
    pub root: Node,
    /// The pipelines, if they are sound.
    pub plan: Option<Plan>,
    /// The process's own telemetry.
    pub telemetry: OwnTelemetry,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
    /// What is to be read again from time to time.
    pub refresh: Option<Refresh>,
}

/// Resolves and reads a config.
///
/// # Errors
/// All that is wrong with it.
pub async fn load(sources: &Sources) -> Result<Loaded, Diagnostics> {
    sound(read(sources).await?)
}

/// As [`load`], with providers that were asked before: they bridge the time when what they ask can't be reached.
///
/// # Errors
/// All that is wrong with it.
pub async fn load_with(sources: &Sources, providers: &Providers) -> Result<Loaded, Diagnostics> {
    sound(read_with(sources, providers).await?)
}

/// A config as far as it can be had without the network.
pub enum Look {
    /// All of it is here: what [`load`] would give.
    Whole(Box<Result<Loaded, Diagnostics>>),
    /// A part of it, or all, comes over the network.
    Partly {
        /// The tree, with placeholders in the places of what is missing; none when the config as a whole is missing, or cannot be read
        /// without the rest.
        root: Option<Node>,
        /// What is missing, as errors name it: without secrets.
        missing: Vec<String>,
    },
}

/// A config's tree without what comes over the network, not read any further.
pub struct Sketch {
    /// The tree, with placeholders in the places of what is missing.
    pub tree: Result<Tree, Diagnostics>,
    /// Whether anything is missing.
    pub is_partial: bool,
}

/// A config resolved, and not read any further.
pub struct Tree {
    /// The whole tree.
    pub root: Node,
    /// Warnings, and what is to be hidden.
    pub diagnostics: Diagnostics,
}

/// Resolves a config as far as that goes without touching the network.
pub async fn sketch(sources: &Sources) -> Sketch {
    let (providers, missing) = Later::instead_of(&providers(), local());
    let tree = resolve(sources, &providers).await;
    let tree = tree.map(|resolved| Tree { root: resolved.root, diagnostics: resolved.warnings });
    Sketch { tree, is_partial: !missing.take().is_empty() }
}

/// Resolves a config.
///
/// # Errors
/// All that is wrong, when it cannot be resolved.
pub async fn tree(sources: &Sources) -> Result<Tree, Diagnostics> {
    let resolved = resolve(sources, &providers()).await?;
    Ok(Tree { root: resolved.root, diagnostics: resolved.warnings })
}

/// Whether a text has a placeholder in it, of [`sketch`] or [`look`].
pub fn has_placeholder(text: &str) -> bool {
    text.contains(PLACEHOLDER)
}

/// Reads a config without touching the network.
pub async fn look(sources: &Sources) -> Look {
    let (providers, missing) = Later::instead_of(&providers(), local());
    let read = read_with(sources, &providers).await;
    let missing = missing.take();
    if missing.is_empty() {
        return Look::Whole(Box::new(read.and_then(sound)));
    }
    Look::Partly { root: read.ok().map(|read| read.root), missing }
}

fn sound(read: Read) -> Result<Loaded, Diagnostics> {
    let Read { plan, telemetry, diagnostics, refresh, .. } = read;
    match plan {
        Some(plan) => Ok(Loaded { plan, telemetry, diagnostics, refresh }),
        None => Err(diagnostics),
    }
}

/// Resolves a config and reads as much of it as can be read.
///
/// # Errors
/// All that is wrong, when it cannot be resolved.
pub async fn read(sources: &Sources) -> Result<Read, Diagnostics> {
    read_with(sources, &providers()).await
}

async fn read_with(sources: &Sources, providers: &Providers) -> Result<Read, Diagnostics> {
    let resolved = resolve(sources, providers).await?;
    let (root, diagnostics, refresh) = (resolved.root, resolved.warnings, resolved.refresh);
    let telemetry = root.get("service").and_then(|service| service.get("telemetry"));
    let telemetry = OwnTelemetry::read(telemetry, sources.log.clone(), &diagnostics);
    let plan = Plan::read(&root, &COMPONENTS, &diagnostics);
    Ok(Read { root, plan, telemetry, diagnostics, refresh })
}

async fn resolve(sources: &Sources, providers: &Providers) -> Result<Resolved, Diagnostics> {
    let embedded = [sources.embedded.to_owned()];
    let locations = match sources.locations.as_slice() {
        [] => &embedded[..],
        locations => locations,
    };
    confmap::resolve(locations, &sources.sets, providers, ResolveOptions::default()).await
}

/// The config providers of this binary.
pub fn providers() -> Providers {
    let providers = local();
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
    let providers = providers.with(confmap_ssm::SsmProvider::new(aws.clone()));
    providers
}

/// The schemes of [`providers`], in their order, for those who only name them.
pub const SCHEMES: &[&str] = &[
    #[cfg(feature = "confmap-ssm")]
    "awsssm",
    "env",
    "file",
    #[cfg(feature = "confmap-http")]
    "http",
    #[cfg(feature = "confmap-http")]
    "https",
    #[cfg(feature = "confmap-ssm")]
    "parameterstore",
    #[cfg(feature = "confmap-s3")]
    "s3",
    #[cfg(feature = "confmap-secretsmanager")]
    "secretsmanager",
    #[cfg(feature = "confmap-ssm")]
    "ssm",
    "yaml",
];

/// The providers that need no network.
fn local() -> Providers {
    Providers::local(|name| std::env::var_os(name))
}

/// Errors and warnings for the person who started the program.
pub fn show(diagnostics: &Diagnostics) -> String {
    let mut text = diagnostics.render(std::io::stderr().is_terminal());
    let errors = diagnostics.error_count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        text.push_str(&format!("Error: invalid configuration: {errors} error{plural}\n"));
    }
    text
}

/// Errors in one line, for a log record. The first few; the rest is counted.
pub fn summary(diagnostics: &Diagnostics) -> String {
    const SHOWN: usize = 5;
    let errors = diagnostics.sorted().into_iter().filter(|d| d.severity() == Severity::Error);
    let shown: Vec<String> = errors.take(SHOWN).map(|error| with_remedy(&error)).collect();
    let more = diagnostics.error_count().saturating_sub(shown.len());
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

/// Logs the warnings.
pub fn log_warnings(diagnostics: &Diagnostics) {
    let warnings = diagnostics.sorted().into_iter().filter(|d| d.severity() == Severity::Warning);
    for warning in warnings {
        tracing::warn!("{}", in_one_line(&warning));
    }
}

fn with_remedy(diagnostic: &confmap::Diagnostic) -> String {
    match diagnostic.help_text() {
        Some(help) => format!("{} ({help})", in_one_line(diagnostic)),
        None => in_one_line(diagnostic),
    }
}

fn in_one_line(diagnostic: &confmap::Diagnostic) -> String {
    match diagnostic.origin() {
        Some(origin) => format!("{origin}: {diagnostic}"),
        None => diagnostic.to_string(),
    }
}

/// Notes components that are configured under another name than this program's own, in one record.
pub fn note_renamed(plan: &Plan) {
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
    use super::{Look, Sources, look};

    fn looked_at(text: &'static str) -> Look {
        let sources = Sources { embedded: text, ..Sources::default() };
        crate::runtime::build().unwrap().block_on(look(&sources))
    }

    #[test]
    #[cfg(all(feature = "exporter-nop", feature = "receiver-nop"))]
    fn a_config_without_remote_parts_is_whole_at_the_first_look() {
        let text = "yaml:{receivers: {nop: }, exporters: {nop: }, service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}}";
        assert!(matches!(looked_at(text), Look::Whole(loaded) if loaded.is_ok()));
        assert!(matches!(looked_at("yaml:{service: 1}"), Look::Whole(loaded) if loaded.is_err()));
    }

    #[test]
    #[cfg(feature = "confmap-http")]
    fn a_look_asks_nobody_for_what_is_remote() {
        // Nothing listens there, and a look that asked would say so.
        let Look::Partly { root: Some(root), missing } =
            looked_at("yaml:{receivers: {otlp: {a: \"${http://127.0.0.1:1/x?key=hunter2}\"}}}")
        else {
            panic!("the config has a remote part");
        };
        assert!(root.get("receivers").unwrap().get("otlp").is_some());
        assert_eq!(missing, ["http://127.0.0.1:1/x?[REDACTED]"]);
        let whole = looked_at("http://127.0.0.1:1/x");
        assert!(
            matches!(whole, Look::Partly { root: None, missing } if missing == ["http://127.0.0.1:1/x"])
        );
    }

    #[test]
    fn providers_are_those_of_the_list() {
        assert_eq!(super::providers().schemes(), super::SCHEMES);
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
