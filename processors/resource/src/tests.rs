use confmap::{Diagnostics, Node, Section};
use pdata::view::{AnyValue, Resource};
use pipeline::testing::{Recorder, payload};
use pipeline::{ComponentKind, Context, Envelope, Outlet, Process};

use super::*;

fn parse(yaml: &str) -> (BuildProcessor, Vec<String>) {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let build = (FACTORY.parse)(Section::new(Some(&node), "processors::resource", &diagnostics));
    let messages = diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect();
    (build, messages)
}

/// What the processor makes of a payload.
async fn process(yaml: &str, payload: Payload) -> Payload {
    let (build, messages) = parse(yaml);
    assert!(messages.is_empty(), "{messages:?}");
    let (id, signal) = ("resource".parse().unwrap(), Some(payload.signal()));
    let kind = ComponentKind::Processor;
    let (next, context) =
        (Recorder::default(), Context::new(Process::default(), kind, id, signal, None));
    let processor = build(context, Outlet::to(Arc::new(next.clone()))).unwrap();
    processor.consume(Envelope::of(payload)).await.unwrap();
    next.envelopes().remove(0).payload
}

fn resources(payload: &Payload) -> Vec<Resource<'_>> {
    let spans = payload.resource_spans().map(|group| group.resource);
    let metrics = payload.resource_metrics().map(|group| group.resource);
    let logs = payload.resource_logs().map(|group| group.resource);
    spans.chain(metrics).chain(logs).collect()
}

#[tokio::test]
async fn resources_of_every_signal_are_changed_and_items_kept() {
    let yaml = "attributes: [{key: cloud.zone, value: zone-1, action: upsert}, \
                {key: k8s.cluster, from_attribute: cloud.zone, action: INSERT}, {key: cloud.zone, action: delete}]";
    for signal in Signal::ALL {
        let mut two = payload(signal, 3);
        two.append(payload(signal, 2));
        let processed = process(yaml, two).await;
        assert_eq!(processed.items(), 5);
        let resources = resources(&processed);
        assert_eq!(resources.len(), 2);
        for resource in resources {
            let attributes: Vec<_> = resource.attributes.iter().map(|a| (a.key, a.value)).collect();
            let expected = ("k8s.cluster".into(), AnyValue::Str("zone-1".into()));
            assert_eq!(attributes, [expected], "{signal}");
        }
    }
}

#[tokio::test]
async fn payload_without_anything_to_change_is_passed_on_as_it_is() {
    let yaml = "attributes: [{key: a, value: x, action: update}, {pattern: b, action: delete}]";
    for signal in Signal::ALL {
        let before = payload(signal, 3);
        let after = process(yaml, before.clone()).await;
        let places =
            |payload: &Payload| payload.chunks().iter().map(|c| c.as_ptr()).collect::<Vec<_>>();
        assert_eq!(places(&before), places(&after));
    }
}

#[test]
fn attributes_must_be_there_and_other_keys_not() {
    assert_eq!(parse("{}").1, ["missing required field \"attributes\""]);
    let (_, messages) = parse("{attributes: [{key: a, action: delete}], actions: []}");
    assert_eq!(messages, ["has invalid keys: actions"]);
}
