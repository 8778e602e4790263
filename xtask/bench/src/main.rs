//! The load bench: what the agent costs, measured against a program that does the least that can be done.
//!
//! Figures come from the kernel's account of the measured process. Floor and agent run in alternated pairs, and what counts
//! is the median of the pairs' ratios: absolute times drift from run to run, and a ratio taken within seconds does not.
//! Every span of every run is unique, so each run is a loss run too.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench reports on a terminal")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use crate::load::LoadShape;
use crate::options::Options;
use crate::process::{Running, Subject};
use crate::report::{AtRest, Measured, Verdict};
use crate::run::{Bench, Losses, Stop};
use crate::scenario::Scenario;

mod ids;
mod lambda;
mod load;
mod options;
mod payload;
mod process;
mod report;
mod run;
mod scenario;
mod sink;
mod soak;

/// Memory counts as idle this long after the process listens.
const IDLE_AFTER: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "lambda").is_some() {
        return match lambda::Options::read(words) {
            Ok(Some(options)) => conclude(lambda::measure(&options).await, true),
            Ok(None) => {
                print!("{}", lambda::HELP);
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        };
    }
    let options = match Options::read(words) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    conclude(measure(&options).await, options.soak || options.is_complete())
}

/// Says what is met and what is not.
fn conclude(measured: Result<Vec<Verdict>, Box<dyn Error>>, complete: bool) -> ExitCode {
    match measured {
        Ok(verdicts) => {
            println!();
            verdicts.iter().for_each(|verdict| println!("{verdict}"));
            if !complete {
                println!("(a part of the bars, or not as they are defined: nothing to quote)");
            }
            ExitCode::from(u8::from(verdicts.iter().any(|verdict| !verdict.met)))
        }
        Err(error) => {
            eprintln!("the bench could not be finished: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(options: &Options) -> Result<Vec<Verdict>, Box<dyn Error>> {
    let mut bench = Bench::set_up().await?;
    if options.soak {
        return soak::soak(&mut bench, options).await;
    }
    let mut verdicts = Vec::new();
    if options.starts > 0 {
        let at_rest = at_rest(&bench, options).await?;
        println!("{}\n", report::at_rest_line(&at_rest));
        verdicts.extend(at_rest.verdicts());
    }
    let mut measured = Vec::new();
    for scenario in &options.scenarios {
        measured.push(pairs(&mut bench, options, scenario).await?);
    }
    println!(
        "{}\n(processor time per span in us; medians of {} pairs of {} s)",
        report::table(&measured),
        options.pairs,
        options.load_for.as_secs_f64()
    );
    verdicts.extend(measured.iter().flat_map(Measured::verdicts));
    Ok(verdicts)
}

/// Start-up of both programs, alternated, and their memory when nothing has happened yet.
async fn at_rest(bench: &Bench, options: &Options) -> Result<AtRest, Box<dyn Error>> {
    let scenario = options.scenarios.first().ok_or("no scenario chosen")?;
    let floor = bench.floor(options, scenario.delivers)?;
    let agent = bench.agent(options, scenario)?;
    let (mut floor_starts, mut agent_starts) = (Vec::new(), Vec::new());
    for start in 0..options.starts {
        eprint!("\rstart {} of {}", start + 1, options.starts);
        floor_starts.push(Running::start(&floor)?.listening_after);
        agent_starts.push(Running::start(&agent)?.listening_after);
    }
    eprintln!();
    let (floor_idle_mib, agent_idle_mib) = (idle(&floor).await?, idle(&agent).await?);
    Ok(AtRest { floor_starts, agent_starts, floor_idle_mib, agent_idle_mib })
}

async fn idle(subject: &Subject) -> Result<f64, Box<dyn Error>> {
    let process = Running::start(subject)?;
    tokio::time::sleep(IDLE_AFTER).await;
    process.memory_mib("VmRSS")
}

/// The pairs of one scenario, each begun by the other program than the one before, and a last run that is cut short.
async fn pairs(
    bench: &mut Bench,
    options: &Options,
    scenario: &'static Scenario,
) -> Result<Measured, Box<dyn Error>> {
    let shape = LoadShape { spans: options.spans.unwrap_or(scenario.spans), ..options.shape };
    let floor = bench.floor(options, scenario.delivers)?;
    let agent = bench.agent(options, scenario)?;
    let mut pairs = Vec::new();
    for pair in 0..options.pairs {
        let mut figures = Vec::new();
        let order = if pair % 2 == 0 { [&floor, &agent] } else { [&agent, &floor] };
        for subject in order {
            // The floor passes bodies on without their encoding, so what it is sent is always plain.
            let gzip = shape.gzip && subject.name != floor.name;
            let shape = LoadShape { gzip, ..shape };
            let one = bench
                .run(subject, shape, options.load_for, Stop::Drained, scenario.delivers)
                .await?;
            eprintln!(
                "{} {} of {}: {} {:.3} us a span",
                scenario.key,
                pair + 1,
                options.pairs,
                subject.name,
                one.cpu_us_per_span
            );
            if options.json {
                println!("{}", report::json_line(scenario.key, subject.name, &one));
            }
            figures.push((subject.name, one));
        }
        figures.sort_by_key(|(name, _)| *name != floor.name);
        if let [(_, floor), (_, agent)] = figures.as_slice() {
            if floor.losses != Losses::default() {
                return Err(
                    format!("the floor program itself lost spans: {:?}", floor.losses).into()
                );
            }
            pairs.push((floor.clone(), agent.clone()));
        }
    }
    let mut midway = None;
    if scenario.delivers {
        let run = bench.run(&agent, shape, options.load_for, Stop::Midway, true).await?;
        midway = Some(run.losses);
    }
    Ok(Measured { scenario, pairs, midway })
}
