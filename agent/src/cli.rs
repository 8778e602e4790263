//! The command line: the Collector's flags and commands, and `healthcheck`.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Error};

use service::{Sources, load};

use crate::gates::{self, Gate};

/// What the agent does without `--config`.
pub(crate) const DEFAULT: &str = concat!("yaml:", include_str!("../default.yaml"));

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) command: Command,
    pub(crate) sources: Sources,
    pub(crate) gates: Vec<Gate>,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run pipelines.
    Run,
    /// Check a config.
    Validate,
    /// List what this binary contains.
    Components,
    /// Print a config.
    PrintConfig(PrintConfig),
    /// Ask a running agent.
    HealthCheck(HealthCheck),
}

/// How to print a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PrintConfig {
    pub(crate) json: bool,
    pub(crate) unredacted: bool,
    pub(crate) validate: bool,
}

/// How to ask a running agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HealthCheck {
    /// Whom to ask, when not whom the config names.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) timeout: Duration,
}

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `host:port`.
    pub(crate) address: String,
    pub(crate) path: String,
}

const AFTER_HELP: &str = "\
Without --config, hikyaku takes OTLP on 127.0.0.1:4317 (gRPC) and 127.0.0.1:4318 (HTTP) and prints each trace as a tree.
Point an OpenTelemetry SDK at it: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318

Examples:
  hikyaku                                              show on this terminal what an application sends
  hikyaku --config config.yaml                         run an OpenTelemetry Collector config
  hikyaku --config config.yaml --set processors.batch.timeout=2s
  hikyaku validate --config config.yaml                find every mistake in it, with line and column
  hikyaku healthcheck --config config.yaml             exit 0 if the agent that runs it is ready

Exit status: 0 when all went well, 1 for a failure while running, 2 for a wrong config or command line.
SIGTERM and SIGINT stop it once what it holds is delivered; SIGHUP has it read its config again.";

/// Reads the command line, the program's name first.
///
/// # Errors
/// What is wrong with it; or the text of `--help` or `--version`, whose exit code is 0.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, Error> {
    let mut command = command();
    let matches = match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(error) => return Err(config_as_command(&mut command, &error).unwrap_or(error)),
    };
    let (subcommand, of_command) = match matches.subcommand() {
        Some((name, of_command)) => (name, of_command),
        None => ("", &matches),
    };
    let sources = Sources {
        locations: all(of_command, "config"),
        sets: all(of_command, "set"),
        embedded: DEFAULT,
        ..Sources::default()
    };
    let gates = gates::parse(&all(of_command, "feature-gates"));
    let command = match subcommand {
        "validate" => Command::Validate,
        "components" => Command::Components,
        "print-config" => Command::PrintConfig(PrintConfig {
            json: one(of_command, "format").as_deref() == Some("json"),
            unredacted: one(of_command, "mode").as_deref() == Some("unredacted"),
            validate: one(of_command, "validate").as_deref() != Some("false"),
        }),
        "healthcheck" => {
            let text = one(of_command, "timeout").unwrap_or_default();
            let timeout = confmap::parse_duration(&text).map_err(|error| {
                command.error(ErrorKind::InvalidValue, format!("--timeout {text:?}: {error}"))
            })?;
            let endpoint = one(of_command, "endpoint").map(|text| endpoint(&text)).transpose();
            let endpoint = endpoint.map_err(|why| command.error(ErrorKind::InvalidValue, why))?;
            Command::HealthCheck(HealthCheck { endpoint, timeout })
        }
        _ => Command::Run,
    };
    Ok(Invocation { command, sources, gates })
}

/// What is wrong when a config stands where a command should.
fn config_as_command(command: &mut clap::Command, error: &Error) -> Option<Error> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let is_config = word.contains(['.', '/', ':', '\\']);
    let message = format!("{word:?} is no command; if it is a config, write --config {word}");
    is_config.then(|| command.error(ErrorKind::InvalidSubcommand, message))
}

fn command() -> clap::Command {
    let repeated = |name: &'static str, value: &'static str, help: String| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .action(ArgAction::Append)
            .global(true)
    };
    clap::Command::new("hikyaku")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Takes OpenTelemetry data in and hands it on to backends. Runs OpenTelemetry Collector configs.")
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .arg(repeated(
            "config",
            "URI",
            format!("A config: a path, or one of {}: and what it takes; may repeat, later ones win", load::SCHEMES.join(":, ")),
        ))
        .arg(repeated("set", "KEY=VALUE", "One setting on top of the config, such as a.b.c=value; may repeat".to_owned()))
        .arg(
            repeated(
                "feature-gates",
                "GATES",
                "Gates of the Collector, comma-separated, - before those to turn off; none is a choice here, and those that would have changed something or are not known are warned about".to_owned(),
            )
            .allow_hyphen_values(true),
        )
        .subcommand(clap::Command::new("validate").about("Checks a config and shows every error with its line"))
        .subcommand(clap::Command::new("components").about("Lists what this binary contains, as YAML"))
        .subcommand(print_config())
        .subcommand(health_check())
}

fn print_config() -> clap::Command {
    let choice = |name: &'static str, values: [&'static str; 2], help: &'static str| {
        let values_parser = PossibleValuesParser::new(values);
        let [default, _] = values;
        Arg::new(name).long(name).value_parser(values_parser).default_value(default).help(help)
    };
    clap::Command::new("print-config")
        .alias("print-initial-config")
        .about("Prints a config as it is understood: merged, with ${...} expanded")
        .arg(choice("format", ["yaml", "json"], "Form of the output"))
        .arg(choice("mode", ["redacted", "unredacted"], "Whether secrets are masked"))
        .arg(
            choice("validate", ["true", "false"], "Whether to check it, too")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
        )
}

fn health_check() -> clap::Command {
    clap::Command::new("healthcheck")
        .about("Asks the running agent of a config whether it is ready; for images without a shell or curl")
        .after_help(
            "Asks the health_check extension of the config or, where it has none, whether the receivers' ports answer.\n\
             Exit status: 0 when ready, 1 when not, 2 for a wrong config or command line.",
        )
        .arg(
            Arg::new("endpoint")
                .long("endpoint")
                .value_name("HOST:PORT[/PATH]")
                .help("Asks this health_check extension, a URL or HOST:PORT and what its path is set to, and reads no config"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("DURATION")
                .default_value("1s")
                .help("Longest to wait for an answer"),
        )
}

/// Reads `host:port`, `host:port/path` or a URL of them.
fn endpoint(text: &str) -> Result<Endpoint, String> {
    let wrong = |why: &str| format!("--endpoint {text:?} {why}; write HOST:PORT/PATH");
    let (is_url, rest) = match text.split_once("://") {
        None => (false, text),
        Some(("http", rest)) => (true, rest),
        Some(_) => return Err(wrong("is asked over http alone")),
    };
    let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let after_brackets = address.rsplit(']').next().unwrap_or_default();
    let address = match after_brackets.contains(':') {
        true => address.to_owned(),
        false if is_url && !address.is_empty() => format!("{address}:80"),
        false => return Err(wrong("has no port")),
    };
    let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    Ok(Endpoint { address, path })
}

fn all(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

fn one(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

#[cfg(test)]
mod tests;
