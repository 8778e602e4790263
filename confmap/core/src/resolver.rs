//! From locations to one tree: retrieve, merge, expand, unescape.

use std::{borrow::Cow, sync::Arc};

use self::{
    expand::Expander,
    fetch::{Fetcher, Found},
};
use crate::{
    Diagnostic, Diagnostics, Map, Node, Origin, Path, Providers, Reference, Retrieved, Source,
    Value, path::Trail, suggest, weight::Budget,
};

mod bare;
mod expand;
mod fetch;
mod merge;
mod refresh;
mod scan;

pub use refresh::{Refresh, Refreshed};

/// How references are read.
#[derive(Clone, Copy, Debug)]
pub struct ResolveOptions {
    /// The scheme of a reference that names none, such as `${NAME}`. Without one, such a
    /// reference stays as it is. The Collector's command line sets `env`.
    pub default_scheme: Option<&'static str>,
}

impl Default for ResolveOptions {
    fn default() -> Self {
        Self { default_scheme: Some("env") }
    }
}

/// A configuration with every reference expanded.
#[derive(Debug)]
pub struct Resolved {
    /// The tree, always a map.
    pub root: Node,
    /// What the tree was read from, in that order: locations, settings, references.
    pub sources: Vec<Arc<Source>>,
    /// What the user should know: variables that are not set, documents that are not read.
    pub warnings: Diagnostics,
    /// What is to be asked for again, if a provider wants that of anything.
    pub refresh: Option<Refresh>,
}

/// Reads `locations` (the values of `--config`) and `sets` (those of `--set`), merges them in that
/// order, and expands every `${…}`.
///
/// A location is `scheme:opaque`; without a `:`, or with a drive letter before it, it is a path. A
/// set is `a.b.c=value`. Later ones win: maps are merged key by key, and anything else replaces
/// what was there.
///
/// May be dropped at any point. Each provider ends its own waits.
///
/// # Errors
/// All that is wrong with locations, texts and references, warnings included.
pub async fn resolve(
    locations: &[String],
    sets: &[String],
    providers: &Providers,
    options: ResolveOptions,
) -> Result<Resolved, Diagnostics> {
    let diagnostics = Diagnostics::new();
    providers.begin();
    let mut fetcher = Fetcher::new(providers);
    let found = read_locations(locations, &mut fetcher, &diagnostics).await;
    let found = found.into_iter().chain(read_sets(sets, &mut fetcher, &diagnostics));
    let trees: Vec<Node> = found.filter_map(|found| into_conf(&found, &diagnostics)).collect();
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let Some(mut root) = trees.into_iter().reduce(merge::merge) else {
        diagnostics
            .push(Diagnostic::error(Path::root(), "at least one config flag must be provided"));
        return Err(diagnostics);
    };
    bare::warn(&root, Trail::Root, &diagnostics);
    let mut budget = Budget::new();
    if budget.take_tree(&root).is_err() {
        let message = "the merged configuration is too large";
        diagnostics.push(Diagnostic::error(Path::root(), message).at(root.origin()));
        return Err(diagnostics);
    }
    Expander::new(&mut fetcher, options.default_scheme, budget, &diagnostics)
        .expand_all(&mut root)
        .await;
    diagnostics.conceal(&fetcher.mask());
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    expand::unescape(&mut root);
    let (sources, refresh) = fetcher.finish();
    Ok(Resolved { root, sources, warnings: diagnostics, refresh })
}

/// Retrieves all locations; what fails is reported.
async fn read_locations(
    locations: &[String],
    fetcher: &mut Fetcher<'_>,
    diagnostics: &Diagnostics,
) -> Vec<Arc<Found>> {
    let parse = |location: &String| parse_location(location, fetcher.providers(), diagnostics);
    let references: Vec<Reference> = locations.iter().filter_map(parse).collect();
    fetcher.fetch_locations(&references).await;
    let mut found = Vec::with_capacity(references.len());
    for reference in &references {
        match fetcher.get(reference.uri()) {
            Some(Ok(entry)) => {
                for warning in &entry.warnings {
                    diagnostics.push(Diagnostic::warning(Path::root(), warning.clone()));
                }
                found.push(entry.clone());
            }
            Some(Err(error)) => {
                let message = format!("cannot retrieve the configuration: {}", error.message);
                let diagnostic = Diagnostic::error(Path::root(), message);
                diagnostics.push(error.help.iter().cloned().fold(diagnostic, Diagnostic::help));
            }
            None => {}
        }
    }
    found
}

/// Reads what a location says, as upstream's resolver does (`confmap/resolver.go`).
fn parse_location(
    location: &str,
    providers: &Providers,
    diagnostics: &Diagnostics,
) -> Option<Reference> {
    let drive = matches!(location.as_bytes(), [b'A'..=b'z', b':', ..]);
    let uri = if drive || !location.contains(':') {
        Cow::Owned(format!("file:{location}"))
    } else {
        Cow::Borrowed(location)
    };
    let report = |message: String, help: String| {
        diagnostics.push(Diagnostic::error(Path::root(), message).help(help));
    };
    let Some(reference) = Reference::parse(&uri) else {
        let help = "a location is a path, or scheme:… such as file:config.yaml";
        report(format!("invalid uri: {location:?}"), help.to_owned());
        return None;
    };
    if providers.get(reference.scheme()).is_none() {
        let help = suggest::help(reference.scheme(), "supported schemes", &providers.schemes());
        let uri = reference.to_string();
        report(format!("unsupported scheme on URI {uri:?}"), help);
        return None;
    }
    Some(reference)
}

/// Turns every `--set` into the YAML it stands for.
fn read_sets(
    sets: &[String],
    fetcher: &mut Fetcher<'_>,
    diagnostics: &Diagnostics,
) -> Vec<Arc<Found>> {
    let mut found = Vec::with_capacity(sets.len());
    for set in sets {
        let Some((key, value)) = set.split_once('=') else {
            // The text may be a value without its key, so it is not repeated.
            let message = "a --set is missing its equal sign";
            diagnostics.push(
                Diagnostic::error(Path::root(), message)
                    .help("write --set=processors.batch.timeout=2s"),
            );
            continue;
        };
        let text = format!("{}: {}", key.trim().replace('.', "::"), value.trim());
        let name = format!("--set {}", key.trim());
        found.push(fetcher.add_set(name, Retrieved::yaml(text).shown()));
    }
    found
}

/// Takes a retrieved text for a part of the configuration, which must be a map. Nothing at all,
/// and null, is an empty one.
fn into_conf(found: &Found, diagnostics: &Diagnostics) -> Option<Node> {
    if found.has_more_documents {
        let message = "only the first document of the YAML is read";
        let start = Origin::start(found.source.clone());
        diagnostics.push(Diagnostic::warning(Path::root(), message).at(&start).without_excerpt());
    }
    let node = &found.node;
    match node.value() {
        Value::Map(_) => return Some(node.clone()),
        Value::Null => return Some(Node::new(Value::Map(Map::default()), node.origin().clone())),
        _ => {}
    }
    let kind = node.type_name();
    let message = format!("retrieved value (type={kind}) cannot be used as a Conf");
    let error = |message| Diagnostic::error(Path::root(), message);
    diagnostics.push(match &found.not_yaml {
        Some(cause) => {
            let because = "assuming string type since contents are not valid YAML";
            let message = format!("{message}: {because}: {}", cause.message());
            cause.clone().describe(error(message), &found.source)
        }
        None => {
            let help =
                "a configuration is a map with keys such as receivers, exporters and service";
            error(message).at(node.origin()).help(help)
        }
    });
    None
}

/// What to do about `${NAME:-default}`, where `NAME` is read as a scheme, here as upstream.
const DEFAULT_HELP: &str = "a default needs the scheme: ${env:NAME:-default}";

#[cfg(test)]
mod tests;
