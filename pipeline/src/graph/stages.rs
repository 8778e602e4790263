//! The order of components: who feeds whom.

use super::Key;
use crate::plan::{PipelinePlan, Plan};

/// All keys but extensions in topological order: receivers in the first stage, exporters in the last. A key stands in a later stage
/// than everything that feeds it.
pub(super) fn of(plan: &Plan) -> Vec<Vec<Key>> {
    let mut receivers: Vec<Key> = Vec::new();
    let mut middle: Vec<(usize, Key)> = Vec::new();
    let mut exporters: Vec<Key> = Vec::new();
    for pipeline in &plan.pipelines {
        for id in pipeline.receivers.iter().filter(|id| !plan.connectors.contains_key(*id)) {
            add(&mut receivers, Key::Receiver(id.clone()));
        }
        let mut depth = fed_from(pipeline, &middle);
        for id in &pipeline.processors {
            middle.push((depth, Key::Processor(pipeline.id.clone(), id.clone())));
            depth += 1;
        }
        let from = pipeline.id.signal();
        for id in &pipeline.exporters {
            if plan.connectors.contains_key(id) {
                for to in plan.connected(id, from) {
                    place_connector(&mut middle, depth, Key::Connector(id.clone(), from, to));
                }
            } else {
                add(&mut exporters, Key::Exporter(id.clone(), from));
            }
        }
    }
    let deepest = middle.iter().map(|(depth, _)| depth + 1).max().unwrap_or(0);
    let mut stages = vec![receivers];
    stages.extend((0..deepest).map(|at| {
        let of_stage = middle.iter().filter(|(depth, _)| *depth == at);
        of_stage.map(|(_, key)| key.clone()).collect()
    }));
    stages.push(exporters);
    stages
}

fn add(keys: &mut Vec<Key>, key: Key) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// A connector that several pipelines feed stands behind all of them.
fn place_connector(middle: &mut Vec<(usize, Key)>, depth: usize, key: Key) {
    match middle.iter_mut().find(|(_, placed)| *placed == key) {
        Some((at, _)) => *at = (*at).max(depth),
        None => middle.push((depth, key)),
    }
}

/// The depth at which a pipeline begins: behind the connectors that feed it, which earlier pipelines have placed.
fn fed_from(pipeline: &PipelinePlan, middle: &[(usize, Key)]) -> usize {
    let to = pipeline.id.signal();
    let feeds = |key: &Key| match key {
        Key::Connector(id, _, signal) => *signal == to && pipeline.receivers.contains(id),
        _ => false,
    };
    let depths = middle.iter().filter(|(_, key)| feeds(key)).map(|(depth, _)| depth + 1);
    depths.max().unwrap_or(0)
}
