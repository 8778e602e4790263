//! What reading a configuration costs, from its text to typed settings. `cargo bench -p confmap`.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use confmap::{Diagnostics, Node, Providers, ResolveOptions, Section, resolve};

fn main() {
    divan::main();
}

/// The size of what a sidecar runs with: two receivers, four processors, three exporters.
const TYPICAL: &str = include_str!("typical.yaml");

#[divan::bench]
fn parse_a_typical_config() -> Node {
    Node::from_yaml("file:typical.yaml", TYPICAL).expect("YAML")
}

#[divan::bench]
fn resolve_a_typical_config(bencher: divan::Bencher<'_, '_>) {
    let providers = Providers::local(|name| match name {
        "OTLP_ENDPOINT" => Some("collector.internal:4317".into()),
        "API_KEY" => Some("0123456789abcdef".into()),
        "HOST" => Some("0.0.0.0".into()),
        _ => None,
    });
    let locations = [format!("yaml:{TYPICAL}")];
    let sets = ["processors.batch.timeout=2s".to_owned()];
    bencher.bench(|| {
        let resolved = resolve(&locations, &sets, &providers, ResolveOptions::default());
        block_on(resolved).map_err(|diagnostics| diagnostics.to_string()).expect("resolves")
    });
}

#[divan::bench]
fn read_sections(bencher: divan::Bencher<'_, '_>) {
    let root = Node::from_yaml("file:typical.yaml", TYPICAL).expect("YAML");
    bencher.bench(|| {
        let diagnostics = Diagnostics::new();
        let mut top = Section::new(Some(&root), "", &diagnostics);
        let mut settings = 0;
        for kind in ["receivers", "processors", "exporters"] {
            for (_, item) in top.entries(kind) {
                let mut section = item.section();
                for key in ["endpoint", "timeout", "compression", "send_batch_size", "headers"] {
                    settings += usize::from(section.is_set(key));
                }
                let _ = section.all_entries();
                section.finish();
            }
        }
        top.is_set("service");
        top.is_set("extensions");
        top.finish();
        settings
    });
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the local providers never wait"),
    }
}
