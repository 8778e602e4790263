//! The Lambda bench: what the extension adds to a cold start, to a response and to what is billed behind it.
//!
//! The platform is the bench itself, and the floor an extension that registers and calls next. Both are started and invoked in alternation.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::report::Verdict;
use crate::run::{Bench, median};

mod environment;
mod invocations;
mod options;
mod platform;

use environment::{Environment, Program};
pub(crate) use options::{HELP, Options};

/// The bars, from the project's own requirements.
const START_MS_OVER_FLOOR: f64 = 3.0;
const START_CPU_MS: f64 = 5.0;
const HELD_P99_MS: f64 = 5.0;
const LATENCY_MS: f64 = 0.2;
const IDLE_MIB: f64 = 10.0;
const BINARY_MB: f64 = 8.0;

/// Memory counts as idle this long after the first call of next.
const IDLE_AFTER: Duration = Duration::from_secs(5);

/// A pipeline of Datadog's, with a statistics connector, as a Lambda user has it.
const DATADOG: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: \"127.0.0.1:GRPC\" }, http: { endpoint: \"127.0.0.1:HTTP\" } } }
processors: { batch: {} }
connectors: { datadog/connector: {} }
exporters:
  datadog: { api: { key: 0123456789abcdef0123456789abcdef, site: datadoghq.eu } }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [batch], exporters: [datadog, datadog/connector] }
    metrics: { receivers: [otlp, datadog/connector], processors: [batch], exporters: [datadog] }
    logs: { receivers: [otlp], processors: [batch], exporters: [datadog] }
";

/// Measures everything, and prints it on the way.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let mut bench = Bench::set_up().await?;
    let mut verdicts = sizes(&options.extension)?;
    verdicts.extend(starts(&bench, options).await?);
    verdicts.extend(invocations::held(&mut bench, options).await?);
    verdicts.extend(invocations::latency(&mut bench, options).await?);
    Ok(verdicts)
}

/// The binary as it is. What it makes in a layer's archive, `cargo xtask dist` holds to its budget.
fn sizes(path: &Path) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let bytes = std::fs::metadata(path).map_err(|error| format!("{path:?}: {error}"))?.len();
    Ok(vec![Verdict::at_most("size of the binary", bytes as f64 / 1e6, BINARY_MB, " MB")])
}

/// From just before the process is made to its first call of next, floor and extension in turn.
async fn starts(bench: &Bench, options: &Options) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let floor = Program::new("floor", &options.floor);
    let default = Program::new("default", &options.extension);
    let ports = bench.ports()?;
    let yaml =
        DATADOG.replace("GRPC", &ports.grpc.to_string()).replace("HTTP", &ports.http.to_string());
    let datadog = Program::new("datadog", &options.extension).with_config(bench, &yaml)?;
    let mut figures = [Starts::default(), Starts::default(), Starts::default()];
    for start in 0..options.starts {
        eprint!("\rstart {} of {}", start + 1, options.starts);
        let mut order = [(0, &floor), (1, &default), (2, &datadog)];
        order.rotate_left(start % 3);
        for (place, program) in order {
            let environment = Environment::start(bench, program).await?;
            let (after, cpu) = (environment.ready_after, environment.cpu()?);
            environment.end().await?;
            if let Some(figures) = figures.get_mut(place) {
                figures.after_ms.push(after.as_secs_f64() * 1e3);
                figures.cpu_ms.push(cpu.as_secs_f64() * 1e3);
            }
        }
    }
    eprintln!();
    let [floor_starts, default_starts, datadog_starts] = figures;
    let (base, _) = floor_starts.medians();
    println!("exec to first next: floor {base:.2} ms (medians of {})", options.starts);
    let mut verdicts = Vec::new();
    for (name, starts) in [("default config", default_starts), ("Datadog", datadog_starts)] {
        let (after, cpu) = starts.medians();
        println!("{name}: {after:.2} ms, processor {cpu:.2} ms");
        let over = after - base;
        verdicts.push(Verdict::at_most(
            format!("exec to first next over the floor, {name}"),
            over,
            START_MS_OVER_FLOOR,
            " ms",
        ));
        verdicts.push(Verdict::at_most(
            format!("processor time to first next, {name}"),
            cpu,
            START_CPU_MS,
            " ms",
        ));
    }
    for program in [&default, &datadog] {
        let environment = Environment::start(bench, program).await?;
        tokio::time::sleep(IDLE_AFTER).await;
        let resident = environment.memory_mib("VmRSS")?;
        environment.end().await?;
        let what = format!("memory when idle, {}", program.name);
        verdicts.push(Verdict::at_most(what, resident, IDLE_MIB, " MiB"));
    }
    Ok(verdicts)
}

/// What several starts of one program showed.
#[derive(Debug, Default)]
struct Starts {
    after_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
}

impl Starts {
    fn medians(&self) -> (f64, f64) {
        (median(self.after_ms.iter().copied()), median(self.cpu_ms.iter().copied()))
    }
}

/// A file beside this program.
fn beside(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
