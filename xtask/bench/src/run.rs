//! One run: a subject started, loaded, drained, and asked what it cost.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::{Load, LoadShape, Sent};
use crate::options::Options;
use crate::payload;
use crate::process::{Running, Subject, free_port};
use crate::scenario::{Ports, Scenario};
use crate::sink::{Delivery, Sink};

/// How long what was accepted may take to arrive after the load.
const DRAIN_WITHIN: Duration = Duration::from_secs(15);

/// A process just started pages itself in; the load begins when that is over.
const SETTLE: Duration = Duration::from_millis(500);

/// What all runs share: the sink, and a folder for configurations and logs.
pub(crate) struct Bench {
    pub(crate) sink: Arc<Sink>,
    sink_port: u16,
    folder: PathBuf,
    runs: u16,
}

/// When SIGTERM comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stop {
    /// After everything has arrived.
    Drained,
    /// In the middle of the load.
    Midway,
}

/// What one run showed.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) cpu_us_per_span: f64,
    pub(crate) spans_per_second: f64,
    pub(crate) peak_mib: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) losses: Losses,
    /// Bytes on the wire per delivered span.
    pub(crate) bytes_per_span: f64,
}

/// How the set of what arrived differs from the set of what was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Losses {
    pub(crate) missing: u64,
    pub(crate) doubled: u64,
    /// Spans that were never sent, and requests that could not be read.
    pub(crate) damaged: u64,
    /// By how much the hits of APM stats differ from the spans that count in them.
    pub(crate) miscounted: u64,
    /// The process ended with another status than 0.
    pub(crate) bad_exits: u64,
}

impl Losses {
    pub(crate) fn between(sent: &Sent, delivery: &Delivery) -> Self {
        Self {
            missing: sent.acknowledged.missing_from(&delivery.spans),
            doubled: delivery.spans.doubled(),
            damaged: delivery.foreign + delivery.unreadable,
            ..Self::default()
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            missing: self.missing + other.missing,
            doubled: self.doubled + other.doubled,
            damaged: self.damaged + other.damaged,
            miscounted: self.miscounted + other.miscounted,
            bad_exits: self.bad_exits + other.bad_exits,
        }
    }
}

impl Bench {
    /// Starts the sink and makes the folder, beside the profile's own in the target folder.
    pub(crate) async fn set_up() -> Result<Self, Box<dyn Error>> {
        let (sink, sink_port) = Sink::listen().await?;
        let own = std::env::current_exe()?;
        let target =
            own.parent().and_then(Path::parent).ok_or("a program outside of a target folder")?;
        let folder = target.join("bench");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { sink, sink_port, folder, runs: 0 })
    }

    /// The floor program as a subject.
    pub(crate) fn floor(
        &self,
        options: &Options,
        delivers: bool,
    ) -> Result<Subject, Box<dyn Error>> {
        let ports = self.ports()?;
        let mut arguments = vec![ports.grpc.to_string(), ports.http.to_string()];
        arguments.extend(delivers.then(|| ports.sink.to_string()));
        Ok(Subject {
            name: "floor",
            program: options.floor.clone(),
            arguments,
            port: if options.shape.grpc { ports.grpc } else { ports.http },
            stats: false,
            log: self.folder.join("floor.log"),
        })
    }

    /// The agent as a subject, with the scenario's configuration.
    pub(crate) fn agent(
        &self,
        options: &Options,
        scenario: &Scenario,
    ) -> Result<Subject, Box<dyn Error>> {
        let ports = self.ports()?;
        let file = self.folder.join(format!("{}.yaml", scenario.key));
        std::fs::write(&file, scenario.yaml(ports))?;
        Ok(Subject {
            name: "agent",
            program: options.agent.clone(),
            arguments: vec!["--config".to_owned(), file.to_string_lossy().into_owned()],
            port: if options.shape.grpc { ports.grpc } else { ports.http },
            stats: scenario.stats,
            log: self.folder.join(format!("{}.log", scenario.key)),
        })
    }

    /// Starts a subject, loads it, stops it, and says what it cost and lost.
    pub(crate) async fn run(
        &mut self,
        subject: &Subject,
        shape: LoadShape,
        load_for: Duration,
        stop: Stop,
        delivers: bool,
    ) -> Result<Figures, Box<dyn Error>> {
        let run = self.next_run();
        let process = Running::start(subject)?;
        tokio::time::sleep(SETTLE).await;
        let cpu_before = process.cpu()?;
        let load_started = Instant::now();
        let load = Load::start(shape, subject.port, run);
        if stop == Stop::Midway {
            tokio::time::sleep(load_for / 2).await;
            process.terminate()?;
            tokio::time::sleep(load_for / 2).await;
        } else {
            tokio::time::sleep(load_for).await;
        }
        let sent = load.stop().await;
        let loaded_for = load_started.elapsed();
        let (mut cpu, mut peak_mib) = (Duration::ZERO, 0.0);
        if stop == Stop::Drained {
            if delivers {
                self.drained(sent.acknowledged.len()).await;
            }
            (cpu, peak_mib) =
                (process.cpu()?.saturating_sub(cpu_before), process.memory_mib("VmHWM")?);
            process.terminate()?;
        }
        let status = process.ended().await?;
        let delivery = self.sink.take();
        let mut losses = Losses::default();
        if delivers {
            losses = Losses::between(&sent, &delivery);
        }
        if subject.stats {
            let counts = |number| payload::counts_in_stats(number % shape.spans as u64);
            losses.miscounted = sent.acknowledged.count(counts).abs_diff(delivery.hits);
        }
        losses.bad_exits = u64::from(!status.success());
        let acknowledged = sent.acknowledged.len();
        if acknowledged == 0 {
            return Err(
                format!("{} acknowledged nothing; see {:?}", subject.name, subject.log).into()
            );
        }
        let mut latencies = sent.latencies;
        latencies.sort_unstable();
        Ok(Figures {
            cpu_us_per_span: cpu.as_secs_f64() * 1e6 / acknowledged as f64,
            spans_per_second: acknowledged as f64 / loaded_for.as_secs_f64(),
            peak_mib,
            p50: quantile(&latencies, 0.5),
            p99: quantile(&latencies, 0.99),
            acknowledged,
            refused: sent.refused,
            losses,
            bytes_per_span: delivery.wire_bytes as f64 / delivery.spans.len().max(1) as f64,
        })
    }

    /// The number of the next run; the sink takes no other's spans from here on.
    pub(crate) fn next_run(&mut self) -> u16 {
        self.runs += 1;
        self.sink.begin(self.runs);
        self.runs
    }

    /// Waits until so many spans have arrived, or for as long as that may take; the sets say which it was.
    pub(crate) async fn drained(&self, spans: u64) {
        let waiting = Instant::now();
        while self.sink.arrived() < spans && waiting.elapsed() < DRAIN_WITHIN {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where configurations and logs go.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn ports(&self) -> Result<Ports, Box<dyn Error>> {
        let (grpc, http, metrics) = (free_port()?, free_port()?, free_port()?);
        Ok(Ports { grpc, http, metrics, sink: self.sink_port })
    }
}

/// The value below which a share of sorted values lies; zero of none.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |position: usize| values.get(position).copied().unwrap_or_default();
    let last = values.len().saturating_sub(1);
    f64::midpoint(at(last / 2), at(last.div_ceil(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([]), 0.0);
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn quantiles_are_values_that_were_there() {
        let values = [10, 20, 30, 40, 50];
        assert_eq!([0.0, 0.5, 0.99].map(|share| quantile(&values, share)), [10, 30, 50]);
        assert_eq!(quantile::<u8>(&[], 0.5), 0);
    }
}
