use std::fs::File;
use std::io::{PipeReader, Read as _, Seek as _};
use std::os::fd::OwnedFd;

use bytes::Bytes;
use pdata::wire;
use pipeline::testing::PATIENCE;
use pipeline::{Admission, ComponentKind, MemoryBudget, Process};

use super::*;
use crate::config::{Color, Sampling};
use crate::output::Patience;

const IMPATIENT: Patience = Patience { stall: Duration::ZERO, total: Duration::from_secs(60) };
const MANY: Bounds = Bounds { traces: 1_000, bytes: 8 << 20, memories: 1_000 };

/// A span: trace, id, parent (0 for none).
type Spec = (u8, u8, u8);

fn request(spans: &[Spec]) -> Envelope {
    let mut request = Vec::new();
    wire::put_message(&mut request, 1, |resource| {
        wire::put_message(resource, 2, |scope| {
            for &(trace, id, parent) in spans {
                wire::put_message(scope, 2, |span| {
                    wire::put_len(span, 1, &[trace; 16]);
                    wire::put_len(span, 2, &[id; 8]);
                    wire::put_len(span, 4, &[parent; 8]);
                    wire::put_len(span, 5, format!("span {id}").as_bytes());
                    wire::put_fixed64(span, 7, 1_000 + u64::from(id));
                    wire::put_fixed64(span, 8, 2_000);
                });
            }
        });
    });
    Envelope::of(Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload)
}

struct Bench {
    tree: Tree,
    process: Process,
    file: File,
}

impl Bench {
    async fn new() -> Self {
        Self::with(MANY, Config::default().sampling, MemoryBudget::default()).await
    }

    async fn with(bounds: Bounds, sampling: Sampling, budget: MemoryBudget) -> Self {
        let file = tempfile::tempfile().unwrap();
        let outputs = Outputs::to_files(vec![file.try_clone().unwrap()], IMPATIENT);
        let mut process = Process::default();
        process.budget = budget;
        let tree = start(outputs, bounds, sampling, &process).await;
        Self { tree, process, file }
    }

    async fn send(&self, spans: &[Spec]) {
        self.tree.consume(request(spans)).await.unwrap();
    }

    fn counted(&self, family: &str) -> usize {
        counted(&self.process, family)
    }

    /// Waits until this many spans were shown.
    async fn shown(&self, spans: usize) {
        let what = format!("{spans} spans to be shown");
        until(&what, || self.counted("otelcol_exporter_delivered_items") >= spans).await;
        assert_eq!(self.counted("otelcol_exporter_delivered_items"), spans);
    }

    /// What was written so far.
    fn text(&self) -> String {
        let (mut file, mut text) = (&self.file, String::new());
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    /// The headings of what was written so far, from the trace id on.
    fn headings(&self) -> Vec<String> {
        let headings = self.text();
        let headings = headings.lines().filter_map(|line| line.strip_prefix("trace "));
        headings.map(|line| line.replace("  00:00:00.000Z", "")).collect()
    }
}

async fn start(outputs: Outputs, bounds: Bounds, sampling: Sampling, process: &Process) -> Tree {
    let id = "debug".parse().unwrap();
    let signal = Some(Signal::Traces);
    let context = Context::new(process.clone(), ComponentKind::Exporter, id, signal, None);
    let mut config = Config { sampling, ..Config::default() };
    config.tree.color = Color::Never;
    let tree = Tree::with_bounds(Arc::new(config), context, Arc::new(outputs), bounds);
    tree.start().await.unwrap();
    tree
}

/// The sum of the series of a family.
fn counted(process: &Process, family: &str) -> usize {
    let text = telemetry::render(&process.registry, telemetry::MetricsLevel::Detailed);
    let of_family = |line: &&str| line.starts_with(&format!("{family}{{"));
    let series = text.lines().filter(of_family).filter_map(|line| line.rsplit(' ').next());
    series.map(|number| number.parse::<f64>().unwrap() as usize).sum()
}

/// Waits without letting the paused clock advance.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::task::yield_now().await;
    }
}

/// Lets the task do what it can without time passing.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn pass(time: Duration) {
    settle().await;
    tokio::time::advance(time).await;
    settle().await;
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

const ID_1: &str = "01010101010101010101010101010101";
const ID_2: &str = "02020202020202020202020202020202";

#[tokio::test(start_paused = true)]
async fn trace_that_comes_in_several_requests_is_one_tree() {
    let bench = Bench::new().await;
    bench.send(&[(1, 3, 2)]).await;
    bench.send(&[(1, 2, 1)]).await;
    bench.send(&[(1, 1, 0)]).await;
    pass(Duration::from_millis(999)).await;
    assert_eq!(bench.text(), "");
    assert_eq!(bench.counted("otelcol_exporter_held_items"), 3);
    pass(Duration::from_millis(2)).await;
    bench.shown(3).await;
    assert_eq!(bench.headings(), [format!("{ID_1}  999 ns  3 spans")]);
    let names = bench.text();
    let names: Vec<&str> = names.lines().filter_map(|line| line.split("  ").last()).collect();
    assert_eq!(names, ["", "00:00:00.000Z", "span 1", "└─ span 2", " └─ span 3"]);
    assert_eq!(bench.counted("otelcol_exporter_held_items"), 0);
    assert_eq!(bench.counted("otelcol_exporter_sent_spans"), 3);
}

#[tokio::test(start_paused = true)]
async fn trace_without_its_root_or_a_parent_is_waited_for_longer() {
    for spans in [[(1, 2, 1)].as_slice(), &[(1, 1, 0), (1, 3, 2)]] {
        let bench = Bench::new().await;
        bench.send(spans).await;
        pass(Duration::from_millis(5_999)).await;
        assert_eq!(bench.text(), "");
        pass(Duration::from_millis(2)).await;
        bench.shown(spans.len()).await;
        assert!(bench.text().contains("(missing parent"), "{}", bench.text());
    }
}

#[tokio::test(start_paused = true)]
async fn trace_that_never_rests_is_shown_all_the_same() {
    let bench = Bench::new().await;
    for id in 2..62 {
        bench.send(&[(1, id, 1)]).await;
        pass(Duration::from_millis(499)).await;
    }
    assert_eq!(bench.text(), "");
    pass(Duration::from_millis(100)).await;
    bench.shown(60).await;
}

#[tokio::test(start_paused = true)]
async fn late_span_is_shown_as_an_addition_that_names_its_trace_and_parent() {
    let bench = Bench::new().await;
    bench.send(&[(1, 1, 0), (1, 2, 1)]).await;
    pass(Duration::from_secs(2)).await;
    bench.shown(2).await;
    bench.send(&[(1, 3, 2)]).await;
    // Its parent is known, so it has to wait for nobody.
    pass(Duration::from_millis(1_001)).await;
    bench.shown(3).await;
    let late = format!("{ID_1}  1 late span of span 1");
    assert_eq!(bench.headings(), [format!("{ID_1}  999 ns  2 spans"), late]);
    assert!(bench.text().contains("(under span 2, shown before)"), "{}", bench.text());
}

#[tokio::test(start_paused = true)]
async fn flush_shows_everything_at_once() {
    let bench = Bench::new().await;
    bench.send(&[(1, 1, 0), (2, 1, 0)]).await;
    assert_eq!(bench.tree.flush(soon()).await, 0);
    assert_eq!(bench.headings(), [ID_1, ID_2].map(|id| format!("{id}  999 ns  1 span")));
}

#[tokio::test(start_paused = true)]
async fn shutdown_shows_everything_and_takes_nothing_more() {
    let bench = Bench::new().await;
    bench.send(&[(1, 2, 1)]).await;
    assert_eq!(bench.tree.shutdown(soon()).await, 0);
    assert_eq!(bench.headings().len(), 1);
    let refused = bench.tree.consume(request(&[(2, 1, 0)])).await.unwrap_err();
    assert_eq!(refused.class, Class::Closed);
}

#[tokio::test(start_paused = true)]
async fn oldest_trace_is_shown_early_when_there_are_too_many() {
    for bounds in [Bounds { traces: 1, ..MANY }, Bounds { bytes: 300, ..MANY }] {
        let bench = Bench::with(bounds, Config::default().sampling, MemoryBudget::default()).await;
        bench.send(&[(1, 1, 0)]).await;
        settle().await;
        assert_eq!(bench.text(), "");
        bench.send(&[(2, 1, 0)]).await;
        bench.shown(1).await;
        assert_eq!(bench.headings(), [format!("{ID_1}  999 ns  1 span")]);
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_taken_from_the_budget_and_given_back() {
    let budget = MemoryBudget::new(usize::MAX, 100_000);
    let bench = Bench::with(MANY, Config::default().sampling, budget.clone()).await;
    bench.send(&[(1, 1, 0)]).await;
    until("the spans' memory to be claimed", || budget.held_bytes() > 0).await;
    let Admission::Granted(others) = budget.try_hold(100_000 - budget.held_bytes()) else {
        unreachable!("there is that much room");
    };
    // Now there is room for one trace of this size, so the older one is shown.
    bench.send(&[(2, 1, 0)]).await;
    bench.shown(1).await;
    assert_eq!(budget.held_bytes(), 100_000);
    assert_eq!(bench.tree.flush(soon()).await, 0);
    assert_eq!(budget.held_bytes(), others.bytes());
}

#[tokio::test(start_paused = true)]
async fn trace_that_is_sampled_out_counts_and_is_not_shown() {
    let sampling = Sampling { initial: 1, thereafter: 0 };
    let bench = Bench::with(MANY, sampling, MemoryBudget::default()).await;
    bench.send(&[(1, 1, 0), (2, 1, 0)]).await;
    assert_eq!(bench.tree.flush(soon()).await, 0);
    assert_eq!(bench.headings().len(), 1);
    bench.shown(2).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_while_nobody_reads() {
    let (mut reader, tree, process) = on_a_full_pipe(Bounds { traces: 1, ..MANY }).await;
    tree.consume(request(&[(1, 1, 0), (2, 1, 0), (3, 1, 0)])).await.unwrap();
    let refused = tree.consume(request(&[(4, 1, 0)])).await.unwrap_err();
    assert_eq!(refused.class, Class::Overloaded);
    assert_eq!(counted(&process, "otelcol_exporter_held_items"), 3);
    assert_eq!(tree.flush(soon()).await, 3);
    // Somebody reads again.
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let started = std::time::Instant::now();
    while tree.flush(soon()).await > 0 {
        assert!(started.elapsed() < PATIENCE, "waited in vain for what was held to be shown");
    }
    assert_eq!(counted(&process, "otelcol_exporter_delivered_items"), 3);
    assert_eq!(tree.shutdown(soon()).await, 0);
    drop((tree, process));
    let text = reading.join().unwrap();
    assert_eq!(text.matches("trace ").count(), 3, "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reads_by_the_end_is_counted_as_given_up() {
    let (_reader, tree, process) = on_a_full_pipe(MANY).await;
    tree.consume(request(&[(1, 1, 0), (2, 1, 0)])).await.unwrap();
    assert_eq!(tree.shutdown(Deadline::after(Duration::from_secs(1))).await, 2);
    assert_eq!(counted(&process, "otelcol_exporter_dropped_items"), 2);
    assert_eq!(counted(&process, "otelcol_exporter_held_items"), 0);
}

#[tokio::test(start_paused = true)]
async fn spans_for_an_output_that_is_gone_are_counted_as_dropped() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let outputs = Outputs::to_files(vec![File::from(OwnedFd::from(writer))], IMPATIENT);
    let process = Process::default();
    let tree = start(outputs, MANY, Config::default().sampling, &process).await;
    tree.consume(request(&[(1, 1, 0)])).await.unwrap();
    assert_eq!(tree.flush(soon()).await, 0);
    assert_eq!(counted(&process, "otelcol_exporter_dropped_items"), 1);
    assert_eq!(counted(&process, "otelcol_exporter_held_items"), 0);
}

/// Bytes that stand in the pipe of [`on_a_full_pipe`] before the trees.
const FILLING: usize = 4096;

/// An exporter whose output takes nothing until somebody reads.
async fn on_a_full_pipe(bounds: Bounds) -> (PipeReader, Tree, Process) {
    let (reader, writer) = std::io::pipe().unwrap();
    // The smallest pipe: a page.
    rustix::pipe::fcntl_setpipe_size(&writer, FILLING).unwrap();
    rustix::io::write(&writer, &[b'.'; FILLING]).unwrap();
    let outputs = Outputs::to_files(vec![File::from(OwnedFd::from(writer))], IMPATIENT);
    let process = Process::default();
    let tree = start(outputs, bounds, Config::default().sampling, &process).await;
    (reader, tree, process)
}
