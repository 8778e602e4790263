//! The long run: a steady rate, a backend that goes away every minute, and memory that must not grow.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::load::{Load, LoadShape};
use crate::options::Options;
use crate::process::Running;
use crate::report::{PEAK_MIB, Verdict};
use crate::run::{Bench, Losses, median};
use crate::scenario;

/// The backend refuses for this long at the end of every minute.
const OUTAGE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_secs(60);

/// Growth from the second quarter to the last that is still called none: allocators breathe.
const GROWTH_MIB: f64 = 4.0;

/// Runs the soak and says what it found.
pub(crate) async fn soak(
    bench: &mut Bench,
    options: &Options,
) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let scenarios = scenario::chosen("otlp-gzip")?;
    let scenario = scenarios.first().ok_or("no scenario to soak")?;
    let shape = LoadShape { spans: options.spans.unwrap_or(scenario.spans), ..options.shape };
    let run = bench.next_run();
    let subject = bench.agent(options, scenario)?;
    let process = Running::start(&subject)?;
    let load = Load::start(shape, subject.port, run);
    let started = Instant::now();
    let mut resident = Vec::new();
    while started.elapsed() < options.load_for {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let in_minute = Duration::from_secs(started.elapsed().as_secs() % 60);
        bench.sink.refuse(in_minute >= MINUTE - OUTAGE);
        resident.push(process.memory_mib("VmRSS")?);
    }
    bench.sink.refuse(false);
    let sent = load.stop().await;
    bench.drained(sent.acknowledged.len()).await;
    let peak = process.memory_mib("VmHWM")?;
    process.terminate()?;
    let status = process.ended().await?;
    let mut losses = Losses::between(&sent, &bench.sink.take());
    losses.bad_exits = u64::from(!status.success());
    let quarter = resident.len() / 4;
    let early = median(resident.iter().copied().skip(quarter).take(quarter));
    let late = median(resident.iter().copied().skip(3 * quarter));
    Ok(vec![
        Verdict::no_loss(format!("{} spans through outages", sent.acknowledged.len()), losses),
        Verdict::at_most("growth, second quarter to last", late - early, GROWTH_MIB, " MiB"),
        Verdict::at_most("peak memory", peak, PEAK_MIB, " MiB"),
    ])
}
