use std::sync::Arc;

use confmap::{Diagnostics, Node};
use pdata::Signal;
use telemetry::names::label;

use super::*;
use crate::budget::MemoryBudget;
use crate::consumer::{Class, ConsumeError};
use crate::listeners::TransportAddress;
use crate::testing::{COMPONENTS, Probe, envelope, within_patience};

mod drain;
mod reload;

fn plan(yaml: &str) -> Plan {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let plan = Plan::read(&node, &COMPONENTS, &diagnostics);
    plan.unwrap_or_else(|| panic!("{diagnostics}"))
}

async fn start(yaml: &str) -> Service {
    Service::start(plan(yaml), Process::default()).await.unwrap()
}

/// Traces through `fake` and `fake/2` to `fake/out`, all reporting to the probe of this name.
fn chain(probe: &str) -> String {
    let p = format!("probe: {probe}");
    format!(
        "
receivers: {{fake: {{{p}}}}}
processors: {{fake: {{{p}}}, fake/2: {{{p}}}}}
exporters: {{fake/out: {{{p}}}}}
extensions: {{fake/first: {{{p}}}, fake/second: {{{p}}}}}
service:
  shutdown: {{linger: 0s, deadline: 20s}}
  extensions: [fake/first, fake/second]
  pipelines:
    traces: {{receivers: [fake], processors: [fake, fake/2], exporters: [fake/out]}}
"
    )
}

#[tokio::test]
async fn components_start_against_the_flow_of_data_and_stop_with_it() {
    let probe = Probe::new("order");
    let service = start(&chain("order")).await;
    assert_eq!(
        probe.events(),
        [
            "start extension fake/first",
            "start extension fake/second",
            "start exporter fake/out traces",
            "start processor fake/2 traces",
            "start processor fake traces",
            "start receiver fake",
            "ready extension fake/first",
            "ready extension fake/second",
        ]
    );
    let held = service.flush(Deadline::after(crate::testing::PATIENCE)).await;
    assert_eq!(held, 0);
    assert_eq!(
        probe.events(),
        [
            "flush receiver fake",
            "flush processor fake traces",
            "flush processor fake/2 traces",
            "flush exporter fake/out traces",
        ]
    );
    service.shutdown(Stop::AtOnce).await;
    assert_eq!(
        probe.events(),
        [
            "stopping extension fake/first",
            "stopping extension fake/second",
            "stop receiver fake",
            "stop processor fake traces",
            "stop processor fake/2 traces",
            "stop exporter fake/out traces",
            "stop extension fake/second",
            "stop extension fake/first",
        ]
    );
}

#[tokio::test]
async fn connector_to_another_signal_sees_what_others_took_and_has_an_account_of_its_own() {
    let probe = Probe::new("observed");
    let yaml = "
receivers: {fake: {probe: observed}}
exporters: {fake/out: {probe: observed}, fake/metrics: {probe: observed}}
connectors: {fake_spanmetrics: , fake_spanmetrics/alone: , fake/c: }
service:
  pipelines:
    traces/in: {receivers: [fake], exporters: [fake/c, fake_spanmetrics]}
    traces/out: {receivers: [fake/c], exporters: [fake/out]}
    traces/aside: {receivers: [fake], exporters: [fake_spanmetrics/alone]}
    metrics: {receivers: [fake_spanmetrics, fake_spanmetrics/alone], exporters: [fake/metrics]}
";
    let service = start(yaml).await;
    let (out, metrics) = (probe.exporter("fake/out"), probe.exporter("fake/metrics"));
    out.refuse(Some(ConsumeError::overloaded("full")));
    let refused = probe.receive("fake", envelope(Signal::Traces, 3)).await.unwrap_err();
    assert_eq!((refused.class, metrics.offers()), (Class::Overloaded, 0));
    out.refuse(None);
    probe.receive("fake", envelope(Signal::Traces, 5)).await.unwrap();
    assert_eq!((out.items(), metrics.items()), (5, 10));
    let registry = &service.process().registry;
    let delivered = |exporter, data_type| {
        let of = [
            (label::PIPELINE, "traces/in"),
            (label::EXPORTER, exporter),
            (label::DATA_TYPE, data_type),
        ];
        registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &of).get()
    };
    let found = [delivered("fake/c", "traces"), delivered("fake_spanmetrics", "traces_to_metrics")];
    assert_eq!(found, [5, 5]);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn data_goes_through_the_processors_in_order_and_to_every_pipeline_of_its_receiver() {
    let probe = Probe::new("ways");
    let yaml = "
receivers: {fake: {probe: ways}}
processors: {fake/a: , fake/b: }
exporters: {fake/1: {probe: ways}, fake/2: {probe: ways}}
connectors: {fake/c: , fake_spanmetrics: }
service:
  pipelines:
    traces/in: {receivers: [fake], processors: [fake/a, fake/b], exporters: [fake/1, fake/c]}
    traces/out: {receivers: [fake/c], processors: [fake/b], exporters: [fake/2]}
    logs: {receivers: [fake], exporters: [fake/2]}
";
    let yaml = yaml.replace(", fake_spanmetrics: ", "");
    let service = start(&yaml).await;
    assert_eq!(probe.outlets("fake").signals().collect::<Vec<_>>(), [Signal::Traces, Signal::Logs]);
    probe.receive("fake", envelope(Signal::Traces, 3)).await.unwrap();
    let ways = |exporter: &str| -> Vec<Vec<String>> {
        let taken = probe.exporter(exporter).envelopes();
        taken.iter().map(|e| e.client.metadata("via").map(str::to_owned).collect()).collect()
    };
    assert_eq!(ways("fake/1"), [["fake/a", "fake/b"]]);
    assert_eq!(ways("fake/2"), [["fake/a", "fake/b", "fake/c", "fake/b"]]);
    probe.receive("fake", envelope(Signal::Logs, 2)).await.unwrap();
    assert_eq!(probe.exporter("fake/2").items(), 5);
    let registry = &service.process().registry;
    let entered = |pipeline| {
        registry.counter(&names::PIPELINE_ACCEPTED_ITEMS, &[(label::PIPELINE, pipeline)]).get()
    };
    assert_eq!([entered("traces/in"), entered("traces/out"), entered("logs")], [3, 3, 2]);
    let through_connector =
        [(label::PIPELINE, "traces/in"), (label::EXPORTER, "fake/c"), (label::DATA_TYPE, "traces")];
    assert_eq!(registry.counter(&names::EXPORTER_DELIVERED_ITEMS, &through_connector).get(), 3);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn every_pipeline_and_branch_has_all_terms_of_the_delivery_equation_before_any_data() {
    let yaml = "
receivers: {fake: }
exporters: {fake/out: }
connectors: {fake_spanmetrics: }
service:
  pipelines:
    traces: {receivers: [fake], exporters: [fake/out, fake_spanmetrics]}
    metrics: {receivers: [fake_spanmetrics], exporters: [fake/out]}
";
    let service = start(yaml).await;
    let page = telemetry::render(&service.process().registry, telemetry::MetricsLevel::Basic);
    let has = |family: &str, labels: &str| {
        let bears = |line: &str| line.starts_with(&format!("{family}{{")) && line.contains(labels);
        assert!(page.lines().any(bears), "{family} without {labels}:\n{page}");
    };
    for pipeline in ["traces", "metrics"] {
        for word in ["accepted", "forwarded", "refused", "dropped", "held"] {
            let labels = format!("pipeline=\"{pipeline}\"");
            has(&format!("hikyaku_pipeline_{word}_items"), &labels);
        }
    }
    let branches = [
        ("fake/out", "traces"),
        ("fake/out", "metrics"),
        ("fake_spanmetrics", "traces_to_metrics"),
    ];
    for (exporter, data_type) in branches {
        for word in ["accepted", "delivered", "refused", "dropped", "held"] {
            let labels = format!("exporter=\"{exporter}\",data_type=\"{data_type}\"");
            has(&format!("otelcol_exporter_{word}_items"), &labels);
        }
    }
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn refusal_comes_back_to_the_receiver_and_is_counted_for_the_pipeline() {
    let probe = Probe::new("refusal");
    let service = start(&chain("refusal")).await;
    probe.exporter("fake/out").refuse(Some(ConsumeError::overloaded("sending queue is full")));
    let error = probe.receive("fake", envelope(Signal::Traces, 7)).await.unwrap_err();
    assert_eq!(error.class, Class::Overloaded);
    let registry = &service.process().registry;
    let labels = [(label::PIPELINE, "traces")];
    assert_eq!(registry.counter(&names::PIPELINE_REFUSED_ITEMS, &labels).get(), 7);
    assert_eq!(registry.counter(&names::PIPELINE_FORWARDED_ITEMS, &labels).get(), 0);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn failed_start_stops_what_was_started() {
    let probe = Probe::new("undo");
    let yaml = chain("undo")
        .replace("fake: {probe: undo}, fake/2", "fake: {probe: undo, fail_start: true}, fake/2");
    let error = Service::start(plan(&yaml), Process::default()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "failed to start \"fake\" processor in pipeline \"traces\": told to fail"
    );
    assert_eq!(
        probe.events()[4..],
        [
            "stop processor fake traces",
            "stop processor fake/2 traces",
            "stop exporter fake/out traces",
            "stop extension fake/second",
            "stop extension fake/first",
        ]
    );
}

#[tokio::test]
async fn failed_build_starts_nothing() {
    let probe = Probe::new("build");
    let yaml = chain("build").replace("fake/out: {", "fake/out: {fail_build: true, ");
    let error = Service::start(plan(&yaml), Process::default()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "failed to create \"fake/out\" exporter for data type \"traces\": told to fail"
    );
    assert_eq!(probe.events(), Vec::<String>::new());
    assert!(Service::check(&plan(&yaml), &Diagnostics::new()).is_err());
}

#[tokio::test]
async fn unused_components_are_never_built() {
    let probe = Probe::new("unused");
    let yaml =
        chain("unused").replace("exporters: {", "exporters: {fake/unused: {fail_build: true}, ");
    let service = start(&yaml).await;
    assert!(!probe.events().iter().any(|event| event.contains("unused")));
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn extension_is_found_by_components_that_start_after_it() {
    let _probe = Probe::new("capability");
    let yaml = chain("capability").replace("fake/out: {", "fake/out: {uses: fake/first, ");
    start(&yaml).await.shutdown(Stop::AtOnce).await;
    let yaml = yaml.replace("uses: fake/first", "uses: fake/third");
    let error = Service::start(plan(&yaml), Process::default()).await.err().unwrap();
    assert!(error.to_string().contains("extension \"fake/third\" is not running"), "{error}");
}

#[tokio::test]
async fn dropped_service_leaves_no_task_behind() {
    let _probe = Probe::new("dropped");
    let service = start(&chain("dropped")).await;
    let tasks = service.graph.instances.values().next().unwrap().context.tasks.clone();
    let (held_by_task, gone) = tokio::sync::oneshot::channel::<()>();
    let own = tasks.clone();
    tasks.spawn("holds itself", async move {
        let _held = (held_by_task, own);
        std::future::pending::<()>().await;
    });
    drop(service);
    within_patience("the task to be dropped", gone).await.unwrap_err();
}
