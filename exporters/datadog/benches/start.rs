//! What an exporter costs before its first payload: reading its section and building the exporters of all signals.

use confmap::{Diagnostics, Node, Section};
use divan::Bencher;
use exporter_datadog::FACTORY;
use pdata::Signal;
use pipeline::{ComponentKind, Context, Process};

const SECTION: &str = "
api: {key: 0123456789abcdef0123456789abcdef, site: datadoghq.eu}
hostname: web-1
traces: {span_name_remappings: {a: b}, peer_tags: [a, b]}
metrics: {histograms: {mode: distributions, send_aggregation_metrics: true}}
host_metadata: {tags: [\"env:prod\"]}
";

fn main() {
    divan::main();
}

#[divan::bench]
fn reading_and_building(bencher: Bencher<'_, '_>) {
    let node = Node::from_yaml("bench.yaml", SECTION).expect("the YAML above is sound");
    bencher.bench_local(|| {
        let diagnostics = Diagnostics::new();
        let section = Section::new(Some(&node), "exporters::datadog", &diagnostics);
        let build = (FACTORY.parse)(section);
        let process = Process::default();
        Signal::ALL.map(|signal| {
            let id = "datadog".parse().expect("a sound id");
            let kind = ComponentKind::Exporter;
            build(Context::new(process.clone(), kind, id, Some(signal), None)).is_ok()
        })
    });
}
