//! What the environment variables and the command line say.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use lambda::Mode;
use lambda::flush::{Settings as FlushSettings, SettingsError};
use service::Sources;
use telemetry::{Encoding, LogLevel, LogSettings};

/// Where a config stands if no variable names one.
const DEFAULT_PATH: &str = "/opt/collector-config/config.yaml";
/// What is done without any config.
const EMBEDDED: &str = concat!("yaml:", include_str!("../default.yaml"));
/// The parts of the program that `OPENTELEMETRY_EXTENSION_LOG_LEVEL` is about.
const PARTS: [&str; 2] = ["extension/", "lambda/"];
/// A function's memory where nothing says how much it is: the least there is.
const MEMORY_MIB: u64 = 128;

/// What there is to know before anybody is asked.
#[derive(Debug)]
pub(crate) struct Environment {
    /// `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) runtime_api: String,
    /// The name of the executable's file, which the extension has to register under.
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) sources: Sources,
    pub(crate) flush: FlushSettings,
    /// The function's memory, in bytes.
    pub(crate) memory: u64,
    /// What is to be said once there is a log.
    pub(crate) warnings: Vec<String>,
}

/// The program was not started by Lambda.
#[derive(Debug, thiserror::Error)]
#[error(
    "AWS_LAMBDA_RUNTIME_API is not set: this program is an extension that AWS Lambda starts from /opt/extensions; elsewhere run hikyaku"
)]
pub(crate) struct NotInLambda;

impl Environment {
    /// A variable of this process, as text.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// That of this process.
    ///
    /// # Errors
    /// When the program was not started by Lambda.
    pub(crate) fn process() -> Result<Self, NotInLambda> {
        let path = std::env::args_os().next().unwrap_or_default();
        let default = Path::new(DEFAULT_PATH);
        Self::read(|name| std::env::var_os(name), &path, default.is_file().then_some(default))
    }

    fn read(
        lookup: impl Fn(&str) -> Option<OsString>,
        executable: &OsString,
        default_config: Option<&Path>,
    ) -> Result<Self, NotInLambda> {
        let text = |name: &str| {
            let value = lookup(name)?.into_string().ok()?;
            (!value.is_empty()).then_some(value)
        };
        let runtime_api = text("AWS_LAMBDA_RUNTIME_API").ok_or(NotInLambda)?;
        let mut warnings = Vec::new();
        let name = Path::new(executable).file_name().unwrap_or(executable.as_os_str());
        let older = text("OPENTELEMETRY_COLLECTOR_CONFIG_FILE");
        if older.is_some() {
            warnings.push(
                "OPENTELEMETRY_COLLECTOR_CONFIG_FILE is deprecated; set OPENTELEMETRY_COLLECTOR_CONFIG_URI"
                    .to_owned(),
            );
        }
        let location = text("OPENTELEMETRY_COLLECTOR_CONFIG_URI")
            .or(older)
            .or_else(|| Some(default_config?.to_str()?.to_owned()));
        let level = level(text("OPENTELEMETRY_EXTENSION_LOG_LEVEL"), &mut warnings);
        let memory = text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|mib| mib.parse().ok());
        Ok(Self {
            runtime_api,
            name: name.to_string_lossy().into_owned(),
            mode: Mode::of(text("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref()),
            sources: Sources {
                locations: location.into_iter().collect(),
                sets: Vec::new(),
                embedded: EMBEDDED,
                log: LogSettings {
                    encoding: Encoding::Json,
                    part_levels: PARTS.map(|part| (part, level)).to_vec(),
                    ..LogSettings::default()
                },
            },
            flush: flush_settings(text, &mut warnings),
            memory: memory.unwrap_or(MEMORY_MIB).saturating_mul(1 << 20),
            warnings,
        })
    }
}

fn level(text: Option<String>, warnings: &mut Vec<String>) -> LogLevel {
    let Some(text) = text else { return LogLevel::default() };
    text.parse().unwrap_or_else(|_: telemetry::UnknownWord| {
        warnings.push(format!(
            "OPENTELEMETRY_EXTENSION_LOG_LEVEL is {text:?}, which is no level; valid values: debug, info, warn, error, fatal; going on with info"
        ));
        LogLevel::default()
    })
}

fn flush_settings(
    text: impl Fn(&str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> FlushSettings {
    let mut settings = FlushSettings::default();
    let mut warn = |name: &str, error: SettingsError| {
        warnings.push(format!("{name}: {error}; going on with the default"));
    };
    let mut duration = |name: &str, value: &mut Duration| {
        let Some(text) = text(name) else { return };
        match FlushSettings::duration(&text) {
            Ok(duration) => *value = duration,
            Err(error) => warn(name, error),
        }
    };
    duration("HIKYAKU_FLUSH_MAX_AGE", &mut settings.max_age);
    duration("HIKYAKU_FLUSH_BUDGET", &mut settings.budget);
    // Last, since a number behind the strategy's name wins over the variable of its own.
    if let Some(strategy) = text("HIKYAKU_FLUSH_STRATEGY")
        && let Err(error) = settings.set_strategy(&strategy)
    {
        warn("HIKYAKU_FLUSH_STRATEGY", error);
    }
    settings
}

#[cfg(test)]
mod tests {
    use lambda::flush::Strategy;

    use super::*;

    fn read(variables: &[(&str, &str)], default: Option<&str>) -> Environment {
        let lookup = |name: &str| {
            let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
            let found = variables.iter().chain([&api]).find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let executable = OsString::from("/opt/extensions/hikyaku.bin");
        Environment::read(lookup, &executable, default.map(Path::new)).unwrap()
    }

    #[test]
    fn outside_of_lambda_the_program_says_what_it_is() {
        let error = Environment::read(|_| None, &OsString::new(), None).unwrap_err();
        assert!(error.to_string().contains("AWS_LAMBDA_RUNTIME_API"), "{error}");
    }

    #[test]
    fn the_name_is_the_whole_file_name() {
        assert_eq!(read(&[], None).name, "hikyaku.bin");
    }

    #[test]
    fn the_config_is_the_first_that_is_named() {
        let uri = ("OPENTELEMETRY_COLLECTOR_CONFIG_URI", "yaml:a");
        let file = ("OPENTELEMETRY_COLLECTOR_CONFIG_FILE", "/var/task/b.yaml");
        let of = |variables: &[(&str, &str)], default| read(variables, default).sources.locations;
        assert_eq!(of(&[uri, file], Some("/c")), ["yaml:a"]);
        assert_eq!(of(&[file], Some("/c")), ["/var/task/b.yaml"]);
        let empty = ("OPENTELEMETRY_COLLECTOR_CONFIG_URI", "");
        assert_eq!(of(&[empty], Some("/c")), ["/c"]);
        assert!(of(&[], None).is_empty());
        let warnings = read(&[file], None).warnings;
        assert!(warnings.concat().contains("deprecated"), "{warnings:?}");
        assert!(read(&[uri], None).warnings.is_empty());
    }

    #[test]
    fn log_level_is_about_the_extension_alone_and_a_wrong_one_is_said() {
        let of = |value| read(&[("OPENTELEMETRY_EXTENSION_LOG_LEVEL", value)], None);
        let debug = of("debug");
        assert!(debug.sources.log.part_levels.contains(&("lambda/", LogLevel::Debug)));
        assert_eq!(debug.sources.log.level, LogLevel::Info);
        let wrong = of("loud");
        assert!(wrong.sources.log.part_levels.contains(&("lambda/", LogLevel::Info)));
        assert!(wrong.warnings.concat().contains("OPENTELEMETRY_EXTENSION_LOG_LEVEL"));
    }

    #[test]
    fn flush_settings_are_read_and_wrong_ones_are_said() {
        let environment = read(
            &[
                ("HIKYAKU_FLUSH_STRATEGY", "periodic"),
                ("HIKYAKU_FLUSH_MAX_AGE", "7s"),
                ("HIKYAKU_FLUSH_BUDGET", "soon"),
            ],
            None,
        );
        let seven = Duration::from_secs(7);
        assert_eq!(environment.flush.strategy, Strategy::Periodic(seven));
        assert_eq!(environment.flush.budget, FlushSettings::default().budget);
        assert!(environment.warnings.concat().contains("HIKYAKU_FLUSH_BUDGET"));
    }

    #[test]
    fn memory_is_the_functions() {
        let of = |variables: &[(&str, &str)]| read(variables, None).memory >> 20;
        assert_eq!(of(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")]), 512);
        assert_eq!(of(&[]), 128);
    }
}
