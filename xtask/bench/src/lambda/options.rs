//! What the command line of the Lambda bench asks for.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
cargo xtask bench lambda [options]

Measures the extension against an extension that only registers and calls next (exit code 1: a bar is missed).

  --starts N       starts of each program                                                    (41)
  --invocations N  invocations behind which the time to the next call of next is taken      (600)
  --pairs N        alternated pairs of invocations for the response's latency              (1000)
  --gap MS         from one invocation to the next                                           (50)
  --quick          11 starts, 100 invocations, 100 pairs: a first look, never a figure to quote
  --extension PATH the extension's binary                          (../lambda/hikyaku-lambda)
  --floor PATH     the floor                                     (beside this one: hikyaku-lambda-floor)
";

/// The command line, read.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) starts: usize,
    pub(crate) invocations: usize,
    pub(crate) pairs: usize,
    pub(crate) gap: Duration,
    pub(crate) extension: PathBuf,
    pub(crate) floor: PathBuf,
}

impl Options {
    /// Reads the words behind `lambda`. None: help was asked for.
    pub(crate) fn read(
        mut words: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, Box<dyn Error>> {
        let floor = super::beside("hikyaku-lambda-floor")?;
        let target = floor.parent().and_then(|folder| folder.parent());
        let target = target.ok_or("a program outside of a target folder")?;
        let mut options = Self {
            starts: 41,
            invocations: 600,
            pairs: 1000,
            gap: Duration::from_millis(50),
            extension: target.join("lambda").join("hikyaku-lambda"),
            floor: floor.clone(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--starts" => options.starts = value()?.parse()?,
                "--invocations" => options.invocations = value()?.parse()?,
                "--pairs" => options.pairs = value()?.parse()?,
                "--gap" => options.gap = Duration::from_millis(value()?.parse()?),
                "--quick" => {
                    (options.starts, options.invocations, options.pairs) = (11, 100, 100);
                }
                "--extension" => options.extension = value()?.into(),
                "--floor" => options.floor = value()?.into(),
                _ => return Err(format!("unknown option {word}; --help lists them").into()),
            }
        }
        Ok(Some(options))
    }
}
