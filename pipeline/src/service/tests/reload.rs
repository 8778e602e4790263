use super::*;
use crate::consumer::Consumer;

fn events_of(probe: &Probe, verbs: &[&str]) -> Vec<String> {
    let begins = |event: &String| verbs.iter().any(|verb| event.starts_with(verb));
    probe.events().into_iter().filter(begins).collect()
}

/// Waits for what a reload retired.
async fn retired(service: &mut Service) {
    let all = async { while service.retiring.join_next().await.is_some() {} };
    within_patience("the old components to end", all).await;
}

#[tokio::test]
async fn nothing_is_touched_when_nothing_changed() {
    let probe = Probe::new("same");
    let mut service = start(&chain("same")).await;
    probe.events();
    let done = service.reload(plan(&chain("same"))).await.unwrap();
    assert_eq!(done, Reloaded { kept: 6, started: 0, retired: 0 });
    retired(&mut service).await;
    assert_eq!(probe.events(), ["reloaded extension fake/first", "reloaded extension fake/second"]);
    probe.receive("fake", envelope(Signal::Traces, 1)).await.unwrap();
    assert_eq!(probe.exporter("fake/out").items(), 1);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn changed_component_is_replaced_and_its_neighbours_go_on() {
    let probe = Probe::new("changed");
    let mut service = start(&chain("changed")).await;
    probe.events();
    let outlets = probe.outlets("fake");
    let changed = chain("changed").replace("fake/2: {", "fake/2: {value: new, ");
    let done = service.reload(plan(&changed)).await.unwrap();
    assert_eq!(done, Reloaded { kept: 5, started: 1, retired: 1 });
    retired(&mut service).await;
    assert_eq!(
        events_of(&probe, &["start", "stop"]),
        ["start processor fake/2 traces", "stop processor fake/2 traces"]
    );
    outlets.get(Signal::Traces).unwrap().consume(envelope(Signal::Traces, 1)).await.unwrap();
    assert_eq!(probe.exporter("fake/out").items(), 1);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn kept_receiver_feeds_the_new_pipelines_and_the_old_exporter_ends_after_the_new_one_began() {
    let probe = Probe::new("rewired");
    let mut service = start(&chain("rewired")).await;
    probe.events();
    let outlets = probe.outlets("fake");
    let rewired = chain("rewired")
        .replace("exporters: {", "exporters: {fake/new: {probe: rewired}, ")
        .replace(
            "processors: [fake, fake/2], exporters: [fake/out]",
            "processors: [fake/2], exporters: [fake/new]",
        );
    service.reload(plan(&rewired)).await.unwrap();
    retired(&mut service).await;
    assert_eq!(
        events_of(&probe, &["start", "stop"]),
        [
            "start exporter fake/new traces",
            "stop processor fake traces",
            "stop exporter fake/out traces"
        ]
    );
    outlets.get(Signal::Traces).unwrap().consume(envelope(Signal::Traces, 1)).await.unwrap();
    let taken = probe.exporter("fake/new").envelopes();
    assert_eq!(taken[0].client.metadata("via").collect::<Vec<_>>(), ["fake/2"]);
    assert_eq!(probe.exporter("fake/out").items(), 0);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn processors_in_another_order_are_made_anew() {
    let probe = Probe::new("reordered");
    let mut service = start(&chain("reordered")).await;
    probe.events();
    let reordered = chain("reordered").replace("[fake, fake/2]", "[fake/2, fake]");
    let done = service.reload(plan(&reordered)).await.unwrap();
    assert_eq!((done.started, done.retired), (2, 2));
    probe.receive("fake", envelope(Signal::Traces, 1)).await.unwrap();
    let taken = probe.exporter("fake/out").envelopes();
    assert_eq!(taken[0].client.metadata("via").collect::<Vec<_>>(), ["fake/2", "fake"]);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn receiver_with_another_set_of_signals_is_made_anew() {
    let probe = Probe::new("signals");
    let mut service = start(&chain("signals")).await;
    probe.events();
    let more =
        format!("{}    logs: {{receivers: [fake], exporters: [fake/out]}}\n", chain("signals"));
    service.reload(plan(&more)).await.unwrap();
    retired(&mut service).await;
    assert_eq!(
        events_of(&probe, &["start", "stop"]),
        ["start exporter fake/out logs", "start receiver fake", "stop receiver fake"]
    );
    probe.receive("fake", envelope(Signal::Logs, 1)).await.unwrap();
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn failure_to_build_or_start_leaves_everything_as_it_was() {
    let probe = Probe::new("kept");
    let mut service = start(&chain("kept")).await;
    let registry = service.process().registry.clone();
    let successful = registry.gauge(&names::CONFIG_LAST_RELOAD_SUCCESSFUL, &[]);
    for (fault, expected) in [
        ("fail_build", &[][..]),
        (
            "fail_start",
            &[
                "start exporter fake/out traces",
                "start processor fake/2 traces",
                // The one that failed may have begun something.
                "stop receiver fake",
                "stop processor fake/2 traces",
                "stop exporter fake/out traces",
            ],
        ),
    ] {
        probe.events();
        let faulty = chain("kept")
            .replace("fake/out: {", "fake/out: {value: new, ")
            .replace("fake/2: {", "fake/2: {value: new, ")
            .replace("receivers: {fake: {", &format!("receivers: {{fake: {{{fault}: true, "));
        service.reload(plan(&faulty)).await.unwrap_err();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.extend([
            "reload refused extension fake/first",
            "reload refused extension fake/second",
        ]);
        assert_eq!(events_of(&probe, &["start", "stop", "reload"]), expected);
        assert_eq!(successful.get(), 0);
    }
    let failures = registry.counter(&names::CONFIG_RELOADS, &[(label::OUTCOME, "failure")]);
    assert_eq!(failures.get(), 2);
    service.reload(plan(&chain("kept"))).await.unwrap();
    assert_eq!(successful.get(), 1);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn running_receiver_still_delivers_after_a_failed_reload() {
    let probe = Probe::new("still");
    let mut service = start(&chain("still")).await;
    let outlets = probe.outlets("fake");
    let faulty = chain("still")
        .replace("fake/2: {", "fake/2: {value: new, ")
        .replace("fake/out: {", "fake/out: {fail_start: true, ");
    service.reload(plan(&faulty)).await.unwrap_err();
    outlets.get(Signal::Traces).unwrap().consume(envelope(Signal::Traces, 2)).await.unwrap();
    assert_eq!(probe.exporter("fake/out").items(), 2);
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn component_that_uses_a_replaced_extension_is_made_anew() {
    let probe = Probe::new("uses");
    let with_use = chain("uses").replace("fake/out: {", "fake/out: {uses: fake/first, ");
    let mut service = start(&with_use).await;
    probe.events();
    let changed = with_use.replace("fake/first: {", "fake/first: {value: new, ");
    service.reload(plan(&changed)).await.unwrap();
    retired(&mut service).await;
    assert_eq!(
        events_of(&probe, &["start", "stop", "ready"]),
        [
            "start extension fake/first",
            "start exporter fake/out traces",
            "ready extension fake/first",
            "stop exporter fake/out traces",
            "stop extension fake/first",
        ]
    );
    service.shutdown(Stop::AtOnce).await;
}

#[tokio::test]
async fn port_is_handed_over_to_a_changed_or_renamed_receiver_and_to_an_overlapping_address() {
    let probe = Probe::new("ports");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listening = |id: &str, address: &str| {
        let section = format!("receivers: {{{id}: {{listen: '{address}', ");
        chain("ports")
            .replace("receivers: {fake: {", &section)
            .replace("receivers: [fake]", &format!("receivers: [{id}]"))
    };
    let mut service = start(&listening("fake", &format!("127.0.0.1:{free}"))).await;
    let owners = |service: &Service| service.process().listeners.addresses();
    let connects = || std::net::TcpStream::connect(("127.0.0.1", free)).is_ok();
    for (id, address) in [
        ("fake", format!("127.0.0.1:{free}")),
        ("fake/renamed", format!("127.0.0.1:{free}")),
        ("fake/renamed", format!("0.0.0.0:{free}")),
        ("fake", format!("localhost:{free}")),
    ] {
        service.reload(plan(&listening(id, &address))).await.unwrap();
        assert!(connects(), "{id} at {address}");
        retired(&mut service).await;
        assert!(connects(), "{id} at {address}");
        let owners = owners(&service);
        assert_eq!(owners.len(), 1, "{owners:?}");
        assert_eq!((owners[0].0.to_string().as_str(), owners[0].1.port()), (id, free));
    }
    let stranger = service
        .process()
        .listeners
        .bind(&"zipkin".parse().unwrap(), &TransportAddress::Tcp(format!("localhost:{free}")));
    assert!(stranger.is_err(), "the hand-over is over");
    probe.events();
    service.shutdown(Stop::AtOnce).await;
    assert!(!connects());
}

#[tokio::test]
async fn port_goes_back_to_its_owner_when_the_reload_fails() {
    let _probe = Probe::new("back");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listening = |id: &str, more: &str| {
        let section = format!("receivers: {{{id}: {{listen: '127.0.0.1:{free}', ");
        let yaml = chain("back").replace("receivers: {fake: {", &section);
        yaml.replace("receivers: [fake]", &format!("receivers: [{more}{id}]"))
    };
    let mut service = start(&listening("fake", "")).await;
    // Receivers start in their order in the pipeline, so the port is claimed before the other one fails.
    let faulty = listening("fake/renamed", "")
        .replace("receivers: [fake/renamed]", "receivers: [fake/renamed, fake/z]");
    let faulty = faulty.replace("receivers: {", "receivers: {fake/z: {fail_start: true}, ");
    service.reload(plan(&faulty)).await.unwrap_err();
    let owners = service.process().listeners.addresses();
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].0.to_string(), "fake");
    let both = listening("fake", "").replace(
        "receivers: {",
        &format!("receivers: {{fake/two: {{listen: '127.0.0.1:{free}'}}, "),
    );
    let both = both
        .replace("receivers: [fake]", "receivers: [fake, fake/two]")
        .replace("fake: {listen", "fake: {value: 1, listen");
    let error = service.reload(plan(&both)).await.unwrap_err();
    assert!(error.to_string().contains("listens there already"), "{error}");
    service.shutdown(Stop::AtOnce).await;
}
