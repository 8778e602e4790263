//! `service::pipelines` and `service::extensions`: who is referred to, and whether that makes sense.

use std::collections::BTreeSet;

use confmap::{Diagnostic, Diagnostics, Item, Mismatch, Path, Section, closest};
use pdata::Signal;

use super::sections::{Configured, OfKind};
use super::{PipelinePlan, pipeline_error};
use crate::factory::{ConnectorFactory, Factory};
use crate::id::{ComponentId, ComponentKind, IdError, PipelineId};

/// A pipeline as written.
pub(super) struct ReadPipeline<'a> {
    pub(super) id: PipelineId,
    pub(super) path: Path,
    pub(super) receivers: Vec<Reference<'a>>,
    pub(super) processors: Vec<Reference<'a>>,
    pub(super) exporters: Vec<Reference<'a>>,
}

/// A component's id where a pipeline names it.
pub(super) struct Reference<'a> {
    pub(super) id: ComponentId,
    pub(super) item: Item<'a>,
}

impl ReadPipeline<'_> {
    pub(super) fn plan(self) -> PipelinePlan {
        PipelinePlan {
            id: self.id,
            receivers: distinct(self.receivers),
            processors: distinct(self.processors),
            exporters: distinct(self.exporters),
        }
    }
}

/// Reads `service::extensions`; the ids that are configured, in order.
pub(super) fn read_extensions(
    service: &mut Section<'_>,
    configured: &Configured<'_>,
) -> Vec<ComponentId> {
    let diagnostics = service.diagnostics();
    let path = service.path().key("extensions");
    let references = references(service, "extensions");
    for reference in &references {
        if !configured.extensions.contains_key(&reference.id) {
            undefined(diagnostics, &path, reference, ComponentKind::Extension, configured);
        }
    }
    distinct(references)
}

/// Reads `service::pipelines`. The pipelines come by id.
pub(super) fn read_pipelines<'a>(
    service: &mut Section<'a>,
    configured: &Configured<'_>,
) -> Vec<ReadPipeline<'a>> {
    let diagnostics = service.diagnostics();
    let mut found: Vec<ReadPipeline<'_>> = Vec::new();
    let entries = service.entries("pipelines");
    if entries.is_empty() {
        service.error("pipelines", "service must have at least one pipeline");
    }
    for (key, item) in entries {
        let id: PipelineId = match key.parse() {
            Ok(id) => id,
            Err(error) => {
                diagnostics.push(bad_pipeline_id(key, &error).at_key(item.origin()));
                // The members are not looked at: what would be checked depends on the signal.
                continue;
            }
        };
        if found.iter().any(|pipeline| pipeline.id == id) {
            let message = format!("duplicate name \"{id}\" after unmarshaling");
            let diagnostic = Diagnostic::decoding("service::pipelines", message);
            diagnostics.push(diagnostic.at_key(item.origin()));
            continue;
        }
        let pipeline = read_pipeline(id, &item);
        check_members(&pipeline, configured, diagnostics);
        found.push(pipeline);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

fn read_pipeline<'a>(id: PipelineId, item: &Item<'a>) -> ReadPipeline<'a> {
    let mut section = item.section();
    let receivers = required_side(&mut section, item, "receivers", ComponentKind::Receiver);
    let exporters = required_side(&mut section, item, "exporters", ComponentKind::Exporter);
    let processors = references(&mut section, "processors");
    let path = section.path().clone();
    section.finish();
    ReadPipeline { id, path, receivers, processors, exporters }
}

/// A list that must not be empty.
fn required_side<'a>(
    section: &mut Section<'a>,
    pipeline: &Item<'a>,
    key: &'static str,
    kind: ComponentKind,
) -> Vec<Reference<'a>> {
    let list = section.item(key);
    let holds_something = |item: &Item<'a>| match item.node().as_seq() {
        Some(elements) => !elements.is_empty(),
        None => !item.node().is_null(),
    };
    if !list.as_ref().is_some_and(holds_something) {
        let message = format!("must have at least one {}", kind.name());
        let place = list.as_ref().unwrap_or(pipeline).origin();
        section.diagnostics().push(Diagnostic::error(section.path(), message).at_key(place));
    }
    references(section, key)
}

/// The ids in a list, or in text with commas, as upstream splits it. Those that are none are reported and left out.
pub(super) fn references<'a>(section: &mut Section<'a>, key: &'static str) -> Vec<Reference<'a>> {
    let Some(item) = section.item(key) else { return Vec::new() };
    if let Some(text) = item.node().as_str() {
        let parts = text.split(',').filter(|part| !part.is_empty());
        let parsed = parts.filter_map(|part| match part.parse() {
            Ok(id) => Some(Reference { id, item: item.clone() }),
            Err(error) => {
                item.report(Mismatch::new(error.to_string()));
                None
            }
        });
        return parsed.collect();
    }
    let decoded = item.elements().into_iter().filter_map(|item| {
        if item.node().is_null() {
            item.report(Mismatch::new("must not be null"));
        }
        Some(Reference { id: item.decode()?, item })
    });
    decoded.collect()
}

fn distinct(references: Vec<Reference<'_>>) -> Vec<ComponentId> {
    let mut seen = BTreeSet::new();
    let ids = references.into_iter().map(|reference| reference.id);
    ids.filter(|id| seen.insert(id.clone())).collect()
}

/// Every member must be configured, support the signal, and stand there once.
fn check_members(
    pipeline: &ReadPipeline<'_>,
    configured: &Configured<'_>,
    diagnostics: &Diagnostics,
) {
    let signal = pipeline.id.signal();
    let check = |reference: &Reference<'_>, kind: ComponentKind, signals: Option<&[Signal]>| {
        match signals {
            None => undefined(diagnostics, &pipeline.path, reference, kind, configured),
            Some(signals) if !signals.contains(&signal) => {
                unsupported(diagnostics, pipeline, reference, kind, signals);
            }
            Some(_) => {}
        }
    };
    // A connector's signals are looked at in connection with both of its sides; an unknown type has been reported.
    let any = Some(&Signal::ALL[..]);
    for reference in &pipeline.receivers {
        let signals = configured.receivers.get(&reference.id).map(|entry| {
            entry.planned.as_ref().map_or(&Signal::ALL[..], |planned| planned.factory.signals)
        });
        let is_connector = configured.connectors.contains_key(&reference.id);
        check(reference, ComponentKind::Receiver, signals.or(any.filter(|_| is_connector)));
    }
    for reference in &pipeline.processors {
        let signals = configured.processors.get(&reference.id).map(|entry| {
            entry.planned.as_ref().map_or(&Signal::ALL[..], |planned| planned.factory.signals)
        });
        check(reference, ComponentKind::Processor, signals);
    }
    for reference in &pipeline.exporters {
        let signals = configured.exporters.get(&reference.id).map(|entry| {
            entry.planned.as_ref().map_or(&Signal::ALL[..], |planned| planned.factory.signals)
        });
        let is_connector = configured.connectors.contains_key(&reference.id);
        check(reference, ComponentKind::Exporter, signals.or(any.filter(|_| is_connector)));
    }
    let mut seen = BTreeSet::new();
    for reference in &pipeline.processors {
        if !seen.insert(&reference.id) {
            let message = format!("references processor \"{}\" multiple times", reference.id);
            pipeline_error(diagnostics, &pipeline.path, reference, message, None);
        }
    }
    for (kind, references) in [
        (ComponentKind::Receiver, &pipeline.receivers),
        (ComponentKind::Exporter, &pipeline.exporters),
    ] {
        let mut seen = BTreeSet::new();
        for reference in references.iter().filter(|reference| !seen.insert(&reference.id)) {
            let message = format!("references {} \"{}\" again", kind.name(), reference.id);
            let diagnostic = Diagnostic::warning(&pipeline.path, message);
            diagnostics.push(diagnostic.at_value(reference.item.node()));
        }
    }
}

fn undefined(
    diagnostics: &Diagnostics,
    path: &Path,
    reference: &Reference<'_>,
    kind: ComponentKind,
    configured: &Configured<'_>,
) {
    let id = &reference.id;
    let (kind_name, section) = (kind.name(), kind.section());
    let message = format!("references {kind_name} \"{id}\" which is not configured");
    let ids: Vec<String> = match kind {
        ComponentKind::Receiver => names(&configured.receivers, Some(&configured.connectors)),
        ComponentKind::Exporter => names(&configured.exporters, Some(&configured.connectors)),
        ComponentKind::Processor => names(&configured.processors, None),
        ComponentKind::Connector => names(&configured.connectors, None),
        ComponentKind::Extension => names(&configured.extensions, None),
    };
    let text = id.to_string();
    let help = match (configured.kind_of(id), closest(&text, ids.iter().map(String::as_str))) {
        (Some(other), _) => format!("\"{id}\" is configured under \"{}\"", other.section()),
        (None, Some(close)) => format!("did you mean \"{close}\"?"),
        (None, None) if ids.is_empty() => format!("add \"{id}:\" under \"{section}\""),
        (None, None) => {
            format!("add \"{id}:\" under \"{section}\", or use one of: {}", ids.join(", "))
        }
    };
    pipeline_error(diagnostics, path, reference, message, Some(help));
}

/// The ids of one map, and of connectors where they may stand, too.
fn names<F: Factory>(
    entries: &OfKind<'_, F>,
    connectors: Option<&OfKind<'_, ConnectorFactory>>,
) -> Vec<String> {
    let connectors = connectors.into_iter().flat_map(OfKind::keys);
    entries.keys().chain(connectors).map(ToString::to_string).collect()
}

fn unsupported(
    diagnostics: &Diagnostics,
    pipeline: &ReadPipeline<'_>,
    reference: &Reference<'_>,
    kind: ComponentKind,
    signals: &[Signal],
) {
    let (id, kind, signal) = (&reference.id, kind.name(), pipeline.id.signal());
    let message = format!(
        "failed to create \"{id}\" {kind} for data type \"{signal}\": telemetry type is not supported"
    );
    let supported: Vec<&str> = signals.iter().map(|signal| signal.name()).collect();
    let help = format!("{} supports {}", id.component_type(), supported.join(", "));
    pipeline_error(diagnostics, &pipeline.path, reference, message, Some(help));
}

fn bad_pipeline_id(key: &str, error: &IdError) -> Diagnostic {
    let path = "service::pipelines";
    let signal = key.split('/').next().unwrap_or_default().trim();
    if signal == "profiles" {
        let message = format!(
            "pipeline {key:?}: profiling signal support is at alpha level, gated under the \"service.profilesSupport\" feature gate"
        );
        return Diagnostic::error(path, message)
            .help("this program does not carry profiles: remove the pipeline");
    }
    let diagnostic = Diagnostic::decoding(path, error.to_string());
    match closest(signal, Signal::ALL.map(Signal::name)) {
        Some(close) if matches!(error, IdError::Signal(_)) => {
            diagnostic.help(format!("did you mean {close:?}?"))
        }
        _ => diagnostic,
    }
}
