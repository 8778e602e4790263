//! What the operator reads.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use super::*;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is logged, level, message and fields, for the thread that logs it, which is the test's. Made the logger of the whole process,
/// since `tracing` decides once for all threads whether anybody wants a line.
struct Lines;

impl Lines {
    fn capture() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
        Self
    }

    fn take(&self) -> Vec<String> {
        LINES.take()
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("exporter_helper")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new(), String::new());
        event.record(&mut line);
        let text = format!("{} {}{}", event.metadata().level(), line.0, line.1);
        LINES.with_borrow_mut(|lines| lines.push(text));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String, String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, "{value:?}").unwrap(),
            name if name.starts_with("otelcol.") => {}
            name => write!(self.1, " {name}={value:?}").unwrap(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn outage_is_one_warning_and_one_line_when_it_ends() {
    let lines = Lines::capture();
    let backend = Backend::answering(|nth, _| if nth < 20 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(queued(), backend);
    for id in 0..5 {
        rig.offer(id..id + 1).await.unwrap();
    }
    rig.settled().await;
    let expected = [
        "WARN Exporting failed. Will retry the request after interval. error=connection refused interval=1s",
        "INFO Exporting works again. outage=4s failed_attempts=20 dropped_items=0",
    ];
    assert_eq!(lines.take(), expected);
    rig.offer(10..11).await.unwrap();
    rig.settled().await;
    assert_eq!(lines.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn losses_are_told_at_once_and_then_in_summary() {
    let lines = Lines::capture();
    let rig = Rig::new(queued(), Backend::answering(|_, _| Fail(unauthorised())));
    for second in 0..3 {
        for n in 0..10 {
            let first = second * 100 + n * 10;
            rig.offer(first..first + 2).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(15)).await;
    }
    let error = "error=\"not retryable error: who are you\"";
    let line =
        |items| format!("ERROR Exporting failed. Dropping data. {error} dropped_items={items}");
    assert_eq!(lines.take(), [line(2), line(40)]);
    rig.shutdown(1).await;
    assert_eq!(
        lines.take(),
        ["ERROR Exporting failed. Dropping data. error=\"as before\" dropped_items=18"]
    );
}

#[tokio::test(start_paused = true)]
async fn rejected_data_comes_with_a_hint() {
    let lines = Lines::capture();
    let settings = Settings { retry: None, ..unqueued() };
    let rig = Rig::new(settings, Backend::answering(|_, _| Fail(unavailable())));
    rig.offer(0..2).await.unwrap_err();
    let expected = "ERROR Exporting failed. Rejecting data. Try enabling sending_queue to survive temporary failures. \
        Try enabling retry_on_failure config option to retry on retryable errors. error=\"connection refused\" rejected_items=2";
    assert_eq!(lines.take(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn partial_success_names_the_items_of_the_signal() {
    let lines = Lines::capture();
    let rig = Rig::new(queued(), Backend::answering(|_, _| Reject(2)));
    rig.offer(0..5).await.unwrap();
    rig.settled().await;
    let expected = "WARN Partial success response response=\"some were bad\" dropped_spans=2";
    assert_eq!(lines.take(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn line_at_the_end_of_an_outage_has_the_sum_of_its_losses() {
    let lines = Lines::capture();
    let retry = Retry { max_elapsed_time: Some(Duration::from_millis(1500)), ..steady() };
    let backend = Backend::answering(|nth, _| if nth < 6 { Fail(unavailable()) } else { Take });
    let rig = Rig::new(Settings { retry: Some(retry), ..queued() }, backend);
    for id in 0..3 {
        rig.offer(10 * id..10 * id + 5).await.unwrap();
    }
    rig.settled().await;
    rig.offer(100..101).await.unwrap();
    rig.settled().await;
    let expected = [
        "WARN Exporting failed. Will retry the request after interval. error=connection refused interval=1s",
        "ERROR Exporting failed. Dropping data. error=\"no more retries left: connection refused\" dropped_items=5",
        "INFO Exporting works again. outage=1s failed_attempts=3 dropped_items=15",
    ];
    assert_eq!(lines.take(), expected);
    rig.shutdown(1).await;
    assert_eq!(lines.take(), [""; 0], "the sum has been told");
}
