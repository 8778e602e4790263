//! Connectors: the end of pipelines and the start of others. They must have both sides, and no way may lead back to its start.

use std::collections::{BTreeMap, BTreeSet};

use confmap::{Diagnostic, Diagnostics};
use pdata::Signal;

use super::pipelines::{ReadPipeline, Reference};
use super::sections::{Configured, OfKind};
use crate::factory::Factory;
use crate::id::ComponentId;

/// One connector between two pipelines, by their positions.
struct Connection<'a> {
    connector: &'a ComponentId,
    from: usize,
    to: usize,
}

/// Checks the connectors. Returns the pipelines' positions in topological order: a pipeline stands before those it feeds.
pub(super) fn check(
    pipelines: &[ReadPipeline<'_>],
    configured: &Configured<'_>,
    diagnostics: &Diagnostics,
) -> Vec<usize> {
    let mut connections = Vec::new();
    for (id, entry) in &configured.connectors {
        ambiguous(id, &configured.receivers, "receiver", diagnostics);
        ambiguous(id, &configured.exporters, "exporter", diagnostics);
        let Some(planned) = &entry.planned else { continue };
        let pairs = planned.factory.signals;
        let ends = uses(pipelines, id, |pipeline| &pipeline.exporters);
        let starts = uses(pipelines, id, |pipeline| &pipeline.receivers);
        for used in &ends {
            let fed: Vec<_> =
                starts.iter().filter(|s| pairs.contains(&(used.signal, s.signal))).collect();
            connections.extend(fed.iter().map(|start| Connection {
                connector: id,
                from: used.position,
                to: start.position,
            }));
        }
        let leads_on =
            |end: &Use<'_>| starts.iter().any(|s| pairs.contains(&(end.signal, s.signal)));
        let is_fed =
            |start: &Use<'_>| ends.iter().any(|e| pairs.contains(&(e.signal, start.signal)));
        one_sided(id, ["exporter", "receiver"], &ends, leads_on, pipelines, diagnostics);
        one_sided(id, ["receiver", "exporter"], &starts, is_fed, pipelines, diagnostics);
    }
    let order = topological(pipelines.len(), &connections);
    if order.len() < pipelines.len() {
        report_cycle(&order, pipelines, &connections, diagnostics);
    }
    order
}

/// Where a pipeline names a connector.
struct Use<'a> {
    position: usize,
    signal: Signal,
    reference: &'a Reference<'a>,
}

fn uses<'a>(
    pipelines: &'a [ReadPipeline<'a>],
    id: &ComponentId,
    side: impl Fn(&'a ReadPipeline<'a>) -> &'a [Reference<'a>],
) -> Vec<Use<'a>> {
    let used = pipelines.iter().enumerate().filter_map(|(position, pipeline)| {
        let reference = side(pipeline).iter().find(|reference| reference.id == *id)?;
        Some(Use { position, signal: pipeline.id.signal(), reference })
    });
    used.collect()
}

fn ambiguous<F: Factory>(
    id: &ComponentId,
    others: &OfKind<'_, F>,
    kind: &str,
    diagnostics: &Diagnostics,
) {
    let Some(other) = others.get(id) else { return };
    let message = format!(
        "ambiguous ID: Found both \"{id}\" {kind} and \"{id}\" connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename \"{id}\" connector to \"{id}/connector\")"
    );
    let path = confmap::Path::from("connectors").key(&id.to_string());
    diagnostics.push(Diagnostic::error(path, message).at_key(other.item.origin()));
}

/// Reports the uses of a connector on one side that have no counterpart on the other, one error for each signal.
fn one_sided(
    id: &ComponentId,
    [side, other]: [&str; 2],
    uses: &[Use<'_>],
    has_counterpart: impl Fn(&Use<'_>) -> bool,
    pipelines: &[ReadPipeline<'_>],
    diagnostics: &Diagnostics,
) {
    let mut by_signal: BTreeMap<Signal, Vec<&Use<'_>>> = BTreeMap::new();
    for lonely in uses.iter().filter(|used| !has_counterpart(used)) {
        by_signal.entry(lonely.signal).or_default().push(lonely);
    }
    for lonely in by_signal.values() {
        let names: Vec<String> = lonely
            .iter()
            .filter_map(|used| Some(pipelines.get(used.position)?.id.to_string()))
            .collect();
        let message = format!(
            "connector \"{id}\" used as {side} in [{}] pipeline but not used in any supported {other} pipeline",
            names.join(" ")
        );
        let Some(first) = lonely.first() else { continue };
        let diagnostic = Diagnostic::error("service::pipelines", message);
        diagnostics.push(diagnostic.at_value(first.reference.item.node()));
    }
}

/// Positions in topological order; those on a cycle, or behind one, are missing.
fn topological(count: usize, connections: &[Connection<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    loop {
        let next = (0..count).find(|position| {
            let fed_by_the_rest =
                |c: &&Connection<'_>| c.to == *position && !order.contains(&c.from);
            !order.contains(position) && !connections.iter().any(|c| fed_by_the_rest(&c))
        });
        match next {
            Some(position) => order.push(position),
            None => return order,
        }
    }
}

/// Names one cycle as the Collector does: each connector, and the processors of the pipeline it leads into.
fn report_cycle(
    order: &[usize],
    pipelines: &[ReadPipeline<'_>],
    connections: &[Connection<'_>],
    diagnostics: &Diagnostics,
) {
    let cyclic: Vec<&Connection<'_>> = connections
        .iter()
        .filter(|connection| !order.contains(&connection.from) && !order.contains(&connection.to))
        .collect();
    let Some(cycle) = find_cycle(&cyclic) else { return };
    let mut names = Vec::new();
    for connection in &cycle {
        let (Some(from), Some(to)) = (pipelines.get(connection.from), pipelines.get(connection.to))
        else {
            continue;
        };
        let (id, from, to_signal) = (connection.connector, from.id.signal(), to.id.signal());
        names.push(format!("connector \"{id}\" ({from} to {to_signal})"));
        let of_pipeline = |reference: &Reference<'_>| {
            format!("processor \"{}\" in pipeline \"{}\"", reference.id, to.id)
        };
        names.extend(to.processors.iter().map(of_pipeline));
    }
    names.extend(names.first().cloned());
    let message = format!("cycle detected: {}", names.join(" -> "));
    let mut diagnostic = Diagnostic::error("service::pipelines", message);
    let place = cycle.first().and_then(|connection| {
        let from = pipelines.get(connection.from)?;
        from.exporters.iter().find(|reference| reference.id == *connection.connector)
    });
    if let Some(place) = place {
        diagnostic = diagnostic.at_value(place.item.node());
    }
    diagnostics.push(diagnostic);
}

/// A way that leads back to where it began. Each step takes the first connection on; a dead end is never tried twice.
fn find_cycle<'a>(connections: &[&'a Connection<'a>]) -> Option<Vec<&'a Connection<'a>>> {
    let mut dead_ends = BTreeSet::new();
    let mut way: Vec<&Connection<'_>> = vec![connections.first()?];
    while let Some(last) = way.last() {
        if let Some(start) = way.iter().position(|connection| connection.from == last.to) {
            return Some(way.split_off(start));
        }
        let next = connections.iter().find(|c| c.from == last.to && !dead_ends.contains(&c.to));
        match next {
            Some(connection) => way.push(connection),
            None => {
                dead_ends.insert(last.to);
                way.pop();
                if way.is_empty() {
                    way.extend(connections.iter().find(|c| !dead_ends.contains(&c.to)));
                }
            }
        }
    }
    None
}
