//! What can be set for the process's own telemetry. The agent decodes `service::telemetry` and fills these structs;
//! nothing here reads configuration.

use std::{fmt, str::FromStr, time::Duration};

use serde_json::{Map, Value};

/// Settings of the process's own log: `service::telemetry::logs`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSettings {
    /// Records below this level are not written.
    pub level: LogLevel,
    /// Form of a record.
    pub encoding: Encoding,
    /// Leaves out the source position of a record.
    pub disable_caller: bool,
    /// Limits repeated records; `None` writes all of them.
    pub sampling: Option<Sampling>,
    /// `stderr`, `stdout`, a path, or a `file://` URL; several are all written to. None at all discards the log.
    pub output_paths: Vec<String>,
    /// Where failures of the outputs themselves are noted; same forms.
    pub error_output_paths: Vec<String>,
    /// Fields added to every record.
    pub initial_fields: Map<String, Value>,
    /// Parts of the program with a level of their own, by the beginning of their sources' paths (`lambda/`).
    pub part_levels: Vec<(&'static str, LogLevel)>,
    /// Attributes of the `resource` field of every record; empty leaves the field out (`disable_zap_resource`).
    pub resource: Vec<(String, String)>,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            encoding: Encoding::Console,
            disable_caller: false,
            sampling: Some(Sampling::default()),
            output_paths: vec!["stderr".to_owned()],
            error_output_paths: vec!["stderr".to_owned()],
            initial_fields: Map::new(),
            part_levels: Vec::new(),
            resource: Vec::new(),
        }
    }
}

/// Limits how often records of the same level and message are written: in each `tick` the first `initial` ones, then
/// every `thereafter`-th.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Length of the window; zero writes every record.
    pub tick: Duration,
    /// Records written at the start of a window.
    pub initial: u64,
    /// Which of the records after that are written; zero writes none of them.
    pub thereafter: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { tick: Duration::from_secs(10), initial: 10, thereafter: 100 }
    }
}

/// Settings of the process's own metrics: `service::telemetry::metrics` and `resource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsSettings {
    /// How much is exposed.
    pub level: MetricsLevel,
    /// Attributes of the `target_info` series.
    pub resource: Vec<(String, String)>,
}

/// Declares an enumeration that users write as a word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $setting:literal { $($(#[$value_meta:meta])* $variant:ident = $($word:literal)|+,)+ }) => {
        $(#[$meta])*
        pub enum $name { $($(#[$value_meta])* $variant,)+ }

        impl FromStr for $name {
            type Err = UnknownWord;

            /// Takes the words of the Collector, in any case.
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let lower = text.to_ascii_lowercase();
                match lower.as_str() {
                    $($($word)|+ => Ok(Self::$variant),)+
                    _ => Err(UnknownWord {
                        setting: $setting,
                        value: text.to_owned(),
                        expected: &[$($($word),+),+],
                    }),
                }
            }
        }
    };
}

words! {
    /// Severity of a log record, lowest first.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    LogLevel, "service::telemetry::logs::level" {
        /// For someone looking for a fault.
        Debug = "debug",
        /// Normal events worth knowing.
        #[default]
        Info = "info",
        /// Something is off and the process goes on.
        Warn = "warn",
        /// Something was lost or does not work.
        Error = "error",
        /// No record of this process is as severe, so as a limit it silences the log.
        Fatal = "fatal" | "dpanic" | "panic",
    }
}

words! {
    /// Form of a log record.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    Encoding, "service::telemetry::logs::encoding" {
        /// Tab-separated columns for people.
        #[default]
        Console = "console",
        /// One JSON object a line.
        Json = "json",
    }
}

words! {
    /// How much of the metrics is exposed; each level includes the one before.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    MetricsLevel, "service::telemetry::metrics::level" {
        /// Nothing.
        None = "none",
        /// What the delivery equation needs, and the process's own resources.
        Basic = "basic",
        /// Indicators most operators want.
        #[default]
        Normal = "normal",
        /// Everything, at the price of more series.
        Detailed = "detailed",
    }
}

/// What the exposition adds to the names of families. The default, nothing, is the Collector's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suffixes {
    /// `_total` to those of counters, unless `without_type_suffix`.
    pub counter: bool,
    /// The unit, such as `_seconds`, to those that do not say it already, unless `without_units`.
    pub unit: bool,
}

impl MetricsLevel {
    /// The word users write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Normal => "normal",
            Self::Detailed => "detailed",
        }
    }
}

/// A setting has a value outside its list of words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {value:?} is not one of {}", expected.join(", "))]
pub struct UnknownWord {
    /// Key of the setting.
    pub setting: &'static str,
    /// What was found.
    pub value: String,
    /// What may stand there.
    pub expected: &'static [&'static str],
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        })
    }
}

#[cfg(test)]
mod tests;
