//! Service extensions as others see them: whom components name as their authenticator, and where an extension has its page.

use confmap::{
    Capability, Diagnostic, Diagnostics, ExtensionReference, Node, Path, Section, closest,
};

use super::pipelines::{self, ReadPipeline, Reference};
use super::sections::{self, Configured, OfKind};
use super::{Components, Probe};
use crate::factory::Factory;
use crate::id::{ComponentId, ComponentKind};

/// What components of the pipelines name as their authenticator must be one, and run.
pub(super) fn check(
    configured: &Configured<'_>,
    pipelines: &[ReadPipeline<'_>],
    enabled: &[ComponentId],
    components: &Components,
    diagnostics: &Diagnostics,
) {
    let references = diagnostics.extension_references();
    if references.is_empty() {
        return;
    }
    let running = running(configured, pipelines, enabled);
    for reference in &references {
        if running.iter().any(|component| reference.path.starts_with(component)) {
            check_reference(reference, configured, enabled, components, diagnostics);
        }
    }
}

/// The paths of what will run.
fn running<'a>(
    configured: &'a Configured<'_>,
    pipelines: &[ReadPipeline<'_>],
    enabled: &[ComponentId],
) -> Vec<&'a Path> {
    let is_in = |side: &[Reference<'_>], id: &ComponentId| side.iter().any(|r| r.id == *id);
    let sends = |id: &ComponentId| pipelines.iter().any(|p| is_in(&p.exporters, id));
    let takes = |id: &ComponentId| pipelines.iter().any(|p| is_in(&p.receivers, id));
    let processes = |id: &ComponentId| pipelines.iter().any(|p| is_in(&p.processors, id));
    let mut paths = of_these(&configured.receivers, takes);
    paths.extend(of_these(&configured.processors, processes));
    paths.extend(of_these(&configured.exporters, sends));
    paths.extend(of_these(&configured.connectors, sends));
    paths.extend(of_these(&configured.extensions, |id| enabled.contains(id)));
    paths
}

fn of_these<'a, F: Factory>(
    entries: &'a OfKind<'_, F>,
    runs: impl Fn(&ComponentId) -> bool,
) -> Vec<&'a Path> {
    entries.iter().filter(|(id, _)| runs(id)).map(|(_, entry)| entry.item.path()).collect()
}

fn check_reference(
    reference: &ExtensionReference,
    configured: &Configured<'_>,
    enabled: &[ComponentId],
    components: &Components,
    diagnostics: &Diagnostics,
) {
    let report = |message: String, help: String| {
        let error = Diagnostic::error(&reference.path, message).help(help);
        diagnostics.push(error.at_value(&reference.node));
    };
    let wanted = reference.wanted;
    let id: ComponentId = match reference.node.text().unwrap_or_default().parse() {
        Ok(id) => id,
        Err(error) => {
            report(format!("{error}"), "it is an id under \"extensions\"".to_owned());
            return;
        }
    };
    let Some(entry) = configured.extensions.get(&id) else {
        let message = format!("references extension \"{id}\" which is not configured");
        report(message, help_for_missing(&id, wanted, configured, components));
        return;
    };
    let Some(planned) = &entry.planned else {
        // That its type is unknown has been reported.
        return;
    };
    if !planned.factory.provides.contains(&wanted) {
        let message = format!("references extension \"{id}\" which is no {wanted}");
        report(message, those_here(wanted, components));
    } else if !enabled.contains(&id) {
        let message = format!("references extension \"{id}\" which does not run");
        report(message, format!("add \"{id}\" to service::extensions"));
    }
}

fn help_for_missing(
    id: &ComponentId,
    wanted: Capability,
    configured: &Configured<'_>,
    components: &Components,
) -> String {
    let fitting = configured.extensions.iter().filter(|(_, entry)| {
        entry.planned.as_ref().is_some_and(|planned| planned.factory.provides.contains(&wanted))
    });
    let fitting: Vec<String> = fitting.map(|(id, _)| id.to_string()).collect();
    if let Some(close) = closest(&id.to_string(), fitting.iter().map(String::as_str)) {
        return format!("did you mean \"{close}\"?");
    }
    if components.kinds_of(id.component_type()).contains(&ComponentKind::Extension) {
        return format!("add \"{id}:\" under \"extensions\" and \"{id}\" to service::extensions");
    }
    let component_type = id.component_type();
    format!("no extension here has the type {component_type:?}; {}", those_here(wanted, components))
}

/// The types of this program that can be what is wanted.
fn those_here(wanted: Capability, components: &Components) -> String {
    let fitting = components.extensions.iter().filter(|f| f.provides.contains(&wanted));
    let fitting: Vec<&str> = fitting.map(|factory| factory.component_type).collect();
    match fitting.as_slice() {
        [] => format!("this program has no {wanted}: remove the setting"),
        some => format!("types that are a {wanted}: {}", some.join(", ")),
    }
}

/// See [`super::Plan::probe`].
pub(super) fn probe(
    config: &Node,
    components: &Components,
    diagnostics: &Diagnostics,
) -> Option<(ComponentId, Probe)> {
    // What is wrong elsewhere is nobody's concern here.
    let elsewhere = Diagnostics::new();
    let mut root = Section::new(Some(config), "", &elsewhere);
    let extensions = sections::read(&mut root, components.extensions, components, &mut Vec::new());
    let mut service = root.section("service");
    let listed = pipelines::references(&mut service, "extensions");
    let _ = (service.all_entries(), root.all_entries());
    listed.into_iter().find_map(|reference| {
        let entry = extensions.get(&reference.id)?;
        let planned = entry.planned.as_ref()?;
        let read = planned.factory.probe?;
        let section = Section::new(Some(&planned.section), entry.item.path(), diagnostics);
        Some((reference.id, read(section)))
    })
}

#[cfg(test)]
mod tests;
