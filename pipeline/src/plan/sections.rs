//! The sections of components: ids, types, and each component's own settings.

use std::collections::{BTreeMap, BTreeSet};

use confmap::{Diagnostic, Diagnostics, Item, Section, closest};

use super::pipelines::ReadPipeline;
use super::upstream::{self, Known, is_same};
use super::{Components, Planned, Renamed};
use crate::factory::{
    ConnectorFactory, ExporterFactory, ExtensionFactory, Factory, ProcessorFactory, ReceiverFactory,
};
use crate::id::{ComponentId, ComponentKind};

/// Every configured component, by kind.
pub(super) struct Configured<'a> {
    pub(super) receivers: OfKind<'a, ReceiverFactory>,
    pub(super) processors: OfKind<'a, ProcessorFactory>,
    pub(super) exporters: OfKind<'a, ExporterFactory>,
    pub(super) connectors: OfKind<'a, ConnectorFactory>,
    pub(super) extensions: OfKind<'a, ExtensionFactory>,
}

/// The components of one kind, those that cannot be used included: a reference to one is no further error.
pub(super) type OfKind<'a, F> = BTreeMap<ComponentId, Entry<'a, F>>;

/// One configured component.
pub(super) struct Entry<'a, F: Factory> {
    pub(super) item: Item<'a>,
    /// Nothing when its type is unknown, or does nothing here.
    pub(super) planned: Option<Planned<F>>,
}

/// Reads the section of one kind.
pub(super) fn read<'a, F: Factory>(
    root: &mut Section<'a>,
    table: &'static [&'static F],
    components: &Components,
    renamed: &mut Vec<Renamed>,
) -> OfKind<'a, F> {
    let diagnostics = root.diagnostics();
    let mut found = BTreeMap::new();
    for (key, item) in root.entries(F::KIND.section()) {
        let id: ComponentId = match key.parse() {
            Ok(id) => id,
            Err(error) => {
                let diagnostic = Diagnostic::decoding(F::KIND.section(), format!("{error}"));
                diagnostics.push(diagnostic.at_key(item.origin()));
                continue;
            }
        };
        if found.contains_key(&id) {
            let message = format!("duplicate name \"{id}\" after unmarshaling");
            let diagnostic = Diagnostic::decoding(F::KIND.section(), message);
            diagnostics.push(diagnostic.at_key(item.origin()));
            continue;
        }
        let planned = match look_up(table, id.component_type()) {
            Some((factory, own_name)) => {
                if !own_name {
                    let component_type = factory.component_type();
                    renamed.push(Renamed { kind: F::KIND, id: id.clone(), component_type });
                }
                let build = factory.parse(item.section());
                Some(Planned { factory, build, section: item.node().clone() })
            }
            None => {
                let diagnostic = match upstream::known(F::KIND, id.component_type()) {
                    Some(Known::Ignored(why)) => {
                        let message = format!("is accepted and has no effect: {why}");
                        Diagnostic::warning(item.path(), message)
                    }
                    known => unknown_type::<F>(table, components, &id, known),
                };
                diagnostics.push(diagnostic.at_key(item.origin()));
                None
            }
        };
        found.insert(id, Entry { item, planned });
    }
    found
}

/// What is left of a kind when there are no errors: all of it.
pub(super) fn sound<F: Factory>(entries: OfKind<'_, F>) -> BTreeMap<ComponentId, Planned<F>> {
    entries.into_iter().filter_map(|(id, entry)| Some((id, entry.planned?))).collect()
}

/// The factory of a type, and whether the type is written as the factory writes it. Aliases count, and so does any placement of
/// underscores.
fn look_up<F: Factory>(
    table: &'static [&'static F],
    component_type: &str,
) -> Option<(&'static F, bool)> {
    if let Some(factory) = table.iter().find(|f| f.component_type() == component_type) {
        return Some((factory, true));
    }
    let same = |name: &str| is_same(name, component_type);
    let named = |f: &&&F| same(f.component_type()) || f.aliases().iter().any(|alias| same(alias));
    table.iter().find(named).map(|factory| (*factory, false))
}

fn unknown_type<F: Factory>(
    table: &'static [&'static F],
    components: &Components,
    id: &ComponentId,
    known: Option<Known>,
) -> Diagnostic {
    let component_type = id.component_type();
    let valid: Vec<&str> = table.iter().map(|factory| factory.component_type()).collect();
    let message = format!(
        "unknown type: {component_type:?} for id: \"{id}\" (valid values: [{}])",
        valid.join(" ")
    );
    let diagnostic = Diagnostic::decoding(F::KIND.section(), message);
    if let Some(known) = known {
        return diagnostic.help(not_carried(F::KIND, F::KIND, known));
    }
    let other_kinds = components.kinds_of(component_type);
    if !other_kinds.is_empty() {
        return diagnostic.help(belongs_elsewhere(component_type, &other_kinds));
    }
    // Upstream's under another kind, so no slip of the fingers.
    let elsewhere = ComponentKind::ALL
        .into_iter()
        .find_map(|kind| Some((kind, upstream::known(kind, component_type)?)));
    if let Some((kind, known)) = elsewhere {
        return diagnostic.help(not_carried(kind, F::KIND, known));
    }
    let names = table
        .iter()
        .flat_map(|f| [f.component_type()].into_iter().chain(f.aliases().iter().copied()));
    match closest(component_type, names) {
        Some(close) => diagnostic.help(format!("did you mean {close:?}?")),
        None => diagnostic,
    }
}

/// What to do about a component of upstream's that is `written` under a kind, its own as a rule. One that is in no pipeline is read
/// like the others, so it has to go from both places.
fn not_carried(kind: ComponentKind, written: ComponentKind, known: Known) -> String {
    let (what, section) = (kind.with_article(), written.section());
    let place = match written {
        ComponentKind::Extension => "service::extensions",
        _ => "the pipelines",
    };
    let said = format!("it is {what} of the Collector's");
    match known {
        Known::Ignored(_) => format!("{said}: take it out"),
        Known::Refused(instead) => {
            let instead = instead.map(|text| format!("; {text}")).unwrap_or_default();
            format!("{said}, not carried here: take it out of {section} and of {place}{instead}")
        }
    }
}

/// Says what a type is that was written under the wrong kind.
pub(super) fn belongs_elsewhere(component_type: &str, kinds: &[ComponentKind]) -> String {
    let is: Vec<String> = kinds.iter().map(|kind| kind.with_article()).collect();
    let under: Vec<String> = kinds.iter().map(|kind| format!("{:?}", kind.section())).collect();
    let (is, under) = (is.join(" and "), under.join(" or "));
    format!("in this program {component_type:?} is {is}, which belongs under {under}")
}

impl Components {
    /// The kinds that have a component type of this name.
    pub(super) fn kinds_of(&self, component_type: &str) -> Vec<ComponentKind> {
        let has = [
            (ComponentKind::Receiver, look_up(self.receivers, component_type).is_some()),
            (ComponentKind::Processor, look_up(self.processors, component_type).is_some()),
            (ComponentKind::Exporter, look_up(self.exporters, component_type).is_some()),
            (ComponentKind::Connector, look_up(self.connectors, component_type).is_some()),
            (ComponentKind::Extension, look_up(self.extensions, component_type).is_some()),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect()
    }
}

impl Configured<'_> {
    /// There must be something that takes data in, and something that sends it out.
    pub(super) fn check_sides(&self, root: &Section<'_>) {
        if self.receivers.is_empty() {
            root.error("receivers", "no receiver configuration specified in config");
        }
        if self.exporters.is_empty() {
            root.error("exporters", "no exporter configuration specified in config");
        }
    }

    /// Warns of components that were configured and do nothing.
    pub(super) fn warn_of_unused(
        &self,
        pipelines: &[ReadPipeline<'_>],
        enabled: &[ComponentId],
        diagnostics: &Diagnostics,
    ) {
        let mut used = BTreeSet::new();
        for pipeline in pipelines {
            let references = [&pipeline.receivers, &pipeline.processors, &pipeline.exporters];
            used.extend(references.into_iter().flatten().map(|reference| &reference.id));
        }
        let used_in_pipeline = |id: &ComponentId| used.contains(id);
        let why = "is configured and used by no pipeline";
        warn_unless(&self.receivers, used_in_pipeline, why, diagnostics);
        warn_unless(&self.processors, used_in_pipeline, why, diagnostics);
        warn_unless(&self.exporters, used_in_pipeline, why, diagnostics);
        warn_unless(&self.connectors, used_in_pipeline, why, diagnostics);
        let why = "is configured and not listed in service::extensions, so it does not run";
        warn_unless(&self.extensions, |id| enabled.contains(id), why, diagnostics);
    }

    /// The kind that a component of this id is configured as.
    pub(super) fn kind_of(&self, id: &ComponentId) -> Option<ComponentKind> {
        let is = [
            (ComponentKind::Receiver, self.receivers.contains_key(id)),
            (ComponentKind::Processor, self.processors.contains_key(id)),
            (ComponentKind::Exporter, self.exporters.contains_key(id)),
            (ComponentKind::Connector, self.connectors.contains_key(id)),
            (ComponentKind::Extension, self.extensions.contains_key(id)),
        ];
        is.into_iter().find(|(_, is)| *is).map(|(kind, _)| kind)
    }
}

fn warn_unless<F: Factory>(
    entries: &OfKind<'_, F>,
    used: impl Fn(&ComponentId) -> bool,
    why: &str,
    diagnostics: &Diagnostics,
) {
    for (_, entry) in entries.iter().filter(|(id, entry)| entry.planned.is_some() && !used(id)) {
        let diagnostic = Diagnostic::warning(entry.item.path(), why);
        diagnostics.push(diagnostic.at_key(entry.item.origin()));
    }
}
