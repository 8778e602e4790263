//! The project's tasks, as `cargo xtask <task>`.
//!
//! Nothing but the standard library, so that a fresh clone gets to its first test quickly. A task is a sequence of
//! commands in the project's folder; the first one that fails ends it, with its output and a remedy. Whatever a task
//! fetches lands under `.parts/`, whatever it builds under the target folder.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to a terminal")]

use std::path::Path;
use std::process::ExitCode;

mod command;
mod dist;
mod parity;
mod parts;
mod tools;

use command::{Cargo, Failure};

/// What proptest draws from.
const SEED: &str = "PROPTEST_RNG_SEED";

const HELP: &str = "\
cargo xtask <task>

  test [ARGS]   set up the real parts (Python, Node, Zipkin, moto, Lambda), then run every test; ARGS go to `cargo test`
  parts [NAME…] set up the real parts, or the named ones, and stop
  bench [ARGS]  measure a release build against the floor program; ARGS go to the bench (`--help` lists them)
  parity [NAME] record anew what the reference Collector makes of our cases (needs Go)
  dist [ARGS]   make what people run: static binaries, images, Lambda layers (`--help` says more)
  prove [NAME…] everything that takes long, or the named ones: property tests on ever new inputs (laws), distributions in real containers
                (dist), both benches in full (bench), the Lambda freeze campaigns (freezes), the soak (soak)
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let outcome = match task.as_str() {
        "test" => test(&rest),
        "parts" => parts::set_up(root(), &rest),
        "bench" => bench(&rest),
        "parity" => parity::refresh(root(), &rest),
        "dist" => dist::make(root(), &rest),
        "prove" => prove(&rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprint!("unknown task {other:?}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask {task} failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Sets up the parts while the first build runs, then runs all tests.
///
/// Binaries and tests are built in one call: one set of features, so that no crate is compiled twice, and the agent that
/// the black-box tests start is the one just built.
fn test(arguments: &[String]) -> Result<(), Failure> {
    let cargo = Cargo::find(root());
    std::thread::scope(|scope| {
        let parts = scope.spawn(|| parts::set_up(root(), &[]));
        let built = cargo.run(&["build", "--workspace", "--bins", "--tests"]);
        let parts =
            parts.join().unwrap_or_else(|_| Err(Failure::new("setting up the parts panicked")));
        built.and(parts)
    })?;
    let mut call = vec!["test", "--workspace"];
    call.extend(arguments.iter().map(String::as_str));
    // One draw for all, so that what turns a test red is the change; `prove laws` draws anew.
    if std::env::var_os(SEED).is_some() {
        return cargo.run(&call);
    }
    cargo.run_with(&call, &[(SEED, "1")])
}

/// The laws that property tests state, on inputs that nobody has seen: each round draws others.
fn laws() -> Result<(), Failure> {
    const ROUNDS: u64 = 30;
    let cargo = Cargo::find(root());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let first = now.map_or(0, |now| now.as_secs());
    for seed in first..first + ROUNDS {
        println!("laws: {SEED}={seed}");
        cargo
            .run_with(&["test", "--quiet", "--workspace", "--lib"], &[(SEED, &seed.to_string())])?;
    }
    Ok(())
}

/// Builds what is measured as it ships, one package at a time, so that no feature of one leaks into the other.
fn bench(arguments: &[String]) -> Result<(), Failure> {
    let cargo = Cargo::find(root());
    if arguments.first().is_some_and(|word| word == "lambda") {
        cargo.run(&["build", "--profile", "lambda", "--package", "hikyaku-lambda"])?;
    } else {
        cargo.run(&["build", "--release", "--package", "hikyaku"])?;
    }
    cargo.run(&["build", "--release", "--package", "xtask-bench"])?;
    let program = command::target_dir(root()).join("release").join("hikyaku-bench");
    command::run_visibly(&program, arguments, root())
}

fn prove(names: &[String]) -> Result<(), Failure> {
    const ALL: [&str; 5] = ["laws", "dist", "bench", "freezes", "soak"];
    if let Some(unknown) = names.iter().find(|name| !ALL.contains(&name.as_str())) {
        let all = ALL.join(", ");
        return Err(Failure::new(format!("there is no proof {unknown:?}; there are {all}")));
    }
    for proof in ALL.into_iter().filter(|one| names.is_empty() || names.iter().any(|n| n == one)) {
        match proof {
            "laws" => laws()?,
            "dist" => dist::prove(root())?,
            "bench" => {
                bench(&[])?;
                bench(&["lambda".to_owned()])?;
            }
            "freezes" => freezes()?,
            _ => bench(&["soak".to_owned()])?,
        }
    }
    Ok(())
}

/// The Lambda extension through a thousand freezes of each strategy, and a hundred thousand invocations of one process.
fn freezes() -> Result<(), Failure> {
    let cargo = Cargo::find(root());
    cargo.run(&["build", "--package", "hikyaku-lambda"])?;
    let long = [("HIKYAKU_LAMBDA_FREEZES", "1000"), ("HIKYAKU_LAMBDA_INVOCATIONS", "100000")];
    for filter in ["lambda::campaign", "lambda::long"] {
        cargo.run_with(&["test", "--package", "tests", "--test", "it", "--", filter], &long)?;
    }
    Ok(())
}

/// The project's folder: the parent of this package's.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
