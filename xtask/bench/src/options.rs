//! What the command line asks for.

use std::error::Error;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::load::LoadShape;
use crate::scenario::{self, Scenario};

pub(crate) const HELP: &str = "\
cargo xtask bench [soak] [options]
cargo xtask bench lambda [options]      (the Lambda extension; --help behind it lists its own)

Measures the agent against the floor program on this machine and says whether every bar is met (exit code 1: not all).

  --only KEYS      scenarios, separated by commas: nop, otlp, otlp-single, otlp-gzip,
                   zipkin, datadog, xray                                                      (all)
  --pairs N        pairs of runs (floor, agent) per scenario                                   (7)
  --secs S         seconds of load per run                                                     (5)
  --starts N       starts of each program for the start-up time, 0 for none                    (41)
  --quick          3 pairs of 2 seconds, 11 starts: a first look, never a figure to quote
  --in grpc|http   how spans are sent                                                          (grpc)
  --spans N        spans per request, instead of the scenario's own
  --conns N        connections that send                                                       (4)
  --rate N         spans a second over all connections, 0 for as many as are answered          (0)
  --gzip           compress what is sent to the agent; the floor is always sent plain bodies
  --agent PATH     the agent's binary                                  (beside this one: hikyaku)
  --floor PATH     the floor program                             (beside this one: hikyaku-floor)
  --json           print every run as a line of JSON as well

soak: one long run at a steady rate with an outage of the backend every minute; nothing may be lost, memory may not grow.
  --secs S         seconds of load                                                           (600)
  --rate N         spans a second                                                          (20000)
";

/// The command line, read.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) soak: bool,
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) pairs: usize,
    pub(crate) load_for: Duration,
    pub(crate) starts: usize,
    pub(crate) shape: LoadShape,
    /// Replaces the scenario's own number of spans per request.
    pub(crate) spans: Option<usize>,
    pub(crate) agent: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) json: bool,
}

impl Options {
    /// Reads the words after the program's name. None: help was asked for.
    pub(crate) fn read(
        words: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, Box<dyn Error>> {
        let mut words = words.peekable();
        let soak = words.next_if(|word| word == "soak").is_some();
        let own = std::env::current_exe()?;
        let beside = |name: &str| own.with_file_name(name);
        let mut options = Self {
            soak,
            scenarios: scenario::ALL.iter().collect(),
            pairs: 7,
            load_for: Duration::from_secs(if soak { 600 } else { 5 }),
            starts: 41,
            shape: LoadShape { rate: if soak { 20_000.0 } else { 0.0 }, ..LoadShape::default() },
            spans: None,
            agent: beside("hikyaku"),
            floor: beside("hikyaku-floor"),
            json: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--only" => options.scenarios = scenario::chosen(&value()?)?,
                "--pairs" => options.pairs = number(&word, &value()?)?,
                "--secs" => {
                    options.load_for = Duration::try_from_secs_f64(number(&word, &value()?)?)?
                }
                "--starts" => options.starts = number(&word, &value()?)?,
                "--quick" => {
                    (options.pairs, options.starts) = (3, 11);
                    options.load_for = Duration::from_secs(2);
                }
                "--in" => options.shape.grpc = matches(&word, &value()?, ["http", "grpc"])?,
                "--spans" => options.spans = Some(number(&word, &value()?)?),
                "--conns" => options.shape.connections = number(&word, &value()?)?,
                "--rate" => options.shape.rate = number(&word, &value()?)?,
                "--gzip" => options.shape.gzip = true,
                "--agent" => options.agent = value()?.into(),
                "--floor" => options.floor = value()?.into(),
                "--json" => options.json = true,
                _ => return Err(format!("unknown option {word}; --help lists them").into()),
            }
        }
        if options.pairs == 0 || options.shape.connections == 0 || options.spans == Some(0) {
            return Err("--pairs, --conns and --spans must be at least 1".into());
        }
        Ok(Some(options))
    }
}

impl Options {
    /// Whether the run measures every bar the way it is defined.
    pub(crate) fn is_complete(&self) -> bool {
        self.scenarios.len() == scenario::ALL.len()
            && self.pairs >= 7
            && self.load_for >= Duration::from_secs(5)
            && self.starts >= 41
            && self.spans.is_none()
            && self.shape == LoadShape::default()
    }
}

fn number<T: FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{option} {value}: a number was expected"))
}

/// Whether `value` is the second of two words.
fn matches(option: &str, value: &str, [no, yes]: [&str; 2]) -> Result<bool, String> {
    match value {
        _ if value == yes => Ok(true),
        _ if value == no => Ok(false),
        _ => Err(format!("{option} {value}: {no} or {yes} was expected")),
    }
}
