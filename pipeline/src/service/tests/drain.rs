use super::*;

#[tokio::test(start_paused = true)]
async fn items_given_up_are_in_the_report_by_exporter() {
    let _probe = Probe::new("given-up");
    let yaml = chain("given-up").replace("fake/out: {", "fake/out: {holds: 5, ");
    let service = start(&yaml).await;
    let report = service.shutdown(Stop::AtOnce).await;
    assert!(!report.is_complete());
    assert_eq!(report.exporters.len(), 1);
    assert_eq!((report.exporters[0].delivered, report.exporters[0].undelivered), (0, 5));
    assert_eq!(report.exporters[0].id.to_string(), "fake/out");
}

#[tokio::test(start_paused = true)]
async fn exporters_have_time_left_when_an_earlier_stage_is_stuck_and_nobody_overruns_the_deadline()
{
    let probe = Probe::new("stuck");
    let yaml = chain("stuck")
        .replace("fake: {probe: stuck}, fake/2", "fake: {probe: stuck, stuck: true}, fake/2");
    let service = start(&yaml).await;
    let begin = tokio::time::Instant::now();
    let report = service.shutdown(Stop::AtOnce).await;
    assert_eq!(report.overdue, ["\"fake\" processor in pipeline \"traces\""]);
    assert!(!report.is_complete());
    assert!(probe.events().contains(&"stop exporter fake/out traces".to_owned()));
    assert!(begin.elapsed() < Duration::from_secs(20), "took {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn exporter_budget_bounds_each_exporter() {
    let _probe = Probe::new("budget");
    let yaml = chain("budget")
        .replace("fake/out: {", "fake/out: {holds: 1, ")
        .replace("deadline: 20s", "deadline: 20s, exporter_budget: 2s");
    let service = start(&yaml).await;
    let begin = tokio::time::Instant::now();
    service.shutdown(Stop::AtOnce).await;
    assert_eq!(begin.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn receivers_linger_while_data_comes_in_and_stop_when_it_is_quiet() {
    let probe = Probe::new("linger");
    let yaml = chain("linger").replace("linger: 0s", "linger: 10s, quiet: 1s");
    let service = start(&yaml).await;
    let begin = tokio::time::Instant::now();
    let stopping = tokio::spawn(service.shutdown(Stop::Lingering));
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(900)).await;
        probe.receive("fake", envelope(Signal::Traces, 1)).await.unwrap();
    }
    let report = within_patience("the end", stopping).await.unwrap();
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(4 * 900 + 1000), "stopped after {took:?}, too early");
    assert!(took < Duration::from_secs(6), "stopped after {took:?}, too late");
    assert!(report.is_complete());
    assert_eq!(probe.exporter("fake/out").items(), 4);
}

#[tokio::test(start_paused = true)]
async fn lingering_ends_even_if_data_never_stops() {
    let probe = Probe::new("endless");
    let yaml = chain("endless").replace("linger: 0s", "linger: 3s, quiet: 1s");
    let service = start(&yaml).await;
    let begin = tokio::time::Instant::now();
    let stopping = tokio::spawn(service.shutdown(Stop::Lingering));
    while !stopping.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let _may_be_closed = probe.receive("fake", envelope(Signal::Traces, 1)).await;
        assert!(begin.elapsed() < Duration::from_secs(20), "it lingers for ever");
    }
    assert_eq!(begin.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn given_deadline_goes_before_the_configured_one() {
    let _probe = Probe::new("by");
    let yaml = chain("by")
        .replace("fake/out: {", "fake/out: {holds: 1, ")
        .replace("linger: 0s", "linger: 5s");
    let service = start(&yaml).await;
    let begin = tokio::time::Instant::now();
    service.shutdown(Stop::By(Deadline::after(Duration::from_secs(1)))).await;
    assert!(begin.elapsed() <= Duration::from_secs(1), "took {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn flush_tells_what_is_still_held() {
    let _probe = Probe::new("held");
    let yaml = chain("held")
        .replace("fake/out: {", "fake/out: {holds: 3, ")
        .replace("fake/2: {", "fake/2: {holds: 4, ");
    let service = start(&yaml).await;
    assert_eq!(service.flush(Deadline::after(Duration::from_secs(1))).await, 7);
}

#[tokio::test]
async fn memory_budget_is_on_the_metrics_page_while_the_service_runs() {
    let _probe = Probe::new("memory");
    let (fatal, _) = tokio::sync::mpsc::channel(1);
    let registry = Arc::new(telemetry::Registry::new());
    let process = Process::new(registry.clone(), MemoryBudget::new(10, 20), fatal);
    let service = Service::start(plan(&chain("memory")), process).await.unwrap();
    let page = || telemetry::render(&registry, telemetry::MetricsLevel::Basic);
    assert!(page().contains("\nhikyaku_memory_budget_bytes 20\n"));
    service.shutdown(Stop::AtOnce).await;
    assert!(!page().contains("hikyaku_memory_budget_bytes 20"));
}

#[tokio::test]
async fn what_is_held_can_be_told_after_the_service_is_gone() {
    let _probe = Probe::new("look");
    let service = start(&chain("look")).await;
    let registry = service.process().registry.clone();
    let of_exporter = [(label::EXPORTER, "fake/out"), (label::DATA_TYPE, "traces")];
    registry.gauge(&names::EXPORTER_HELD_ITEMS, &of_exporter).add(3);
    registry.gauge(&names::PIPELINE_HELD_ITEMS, &[(label::PIPELINE, "traces")]).add(4);
    let held = service.held();
    drop(service);
    assert_eq!(held.count(), 7);
}
