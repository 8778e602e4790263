//! What can be set.

use std::time::Duration;

/// How data is flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The strategy. Default: [`Strategy::Auto`].
    pub strategy: Strategy,
    /// How old data may become before an invocation waits for it to be sent. Default: 10 s.
    pub max_age: Duration,
    /// How long one invocation may be held for a flush. Default: 1 s.
    pub budget: Duration,
}

/// When data is flushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// At the end of each invocation, which waits for it.
    End,
    /// When the last flush is so long ago: beside the handler, and the invocation waits for its end.
    Periodic(Duration),
    /// Beside each handler. An invocation waits only for data that is too old.
    Continuous,
    /// As [`Strategy::End`] while invocations are rare; left for the next invocation, and sent beside its handler, when they are frequent.
    #[default]
    Auto,
}

/// A value that is none of those there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct SettingsError {
    value: String,
    expected: &'static str,
}

const STRATEGIES: &str = "a flush strategy; valid values: end, periodic, continuous and auto, with milliseconds as in \"periodic,10000\"";
const DURATION: &str = "a duration; write a number with a unit, such as 500ms or 10s";

impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            max_age: Duration::from_secs(10),
            budget: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// Takes the value of `HIKYAKU_FLUSH_STRATEGY`: a name, with a number of milliseconds behind a comma if wanted, as in the variable of
    /// Datadog's extension, whose other spellings are taken, too. The number is the budget of `end`, the interval of `periodic`, and the
    /// age limit of `continuous` and `auto`.
    ///
    /// # Errors
    /// Names the value and the valid ones. Nothing is changed then.
    pub fn set_strategy(&mut self, value: &str) -> Result<(), SettingsError> {
        let wrong = || SettingsError { value: value.to_owned(), expected: STRATEGIES };
        let (name, number) = match value.split_once(',') {
            Some((name, number)) => {
                let number = number.trim().parse().map_err(|_| wrong())?;
                (name, Some(Duration::from_millis(number)))
            }
            None => (value, None),
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "end" => {
                self.strategy = Strategy::End;
                self.budget = number.unwrap_or(self.budget);
            }
            "periodic" | "periodically" => {
                self.strategy = Strategy::Periodic(number.unwrap_or(self.max_age));
            }
            "continuous" | "continuously" => {
                self.strategy = Strategy::Continuous;
                self.max_age = number.unwrap_or(self.max_age);
            }
            "auto" | "default" => {
                self.strategy = Strategy::Auto;
                self.max_age = number.unwrap_or(self.max_age);
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Reads a duration as the Collector writes them; a bare number is milliseconds.
    ///
    /// # Errors
    /// Names the value.
    pub fn duration(value: &str) -> Result<Duration, SettingsError> {
        let text = value.trim();
        let wrong = || SettingsError { value: value.to_owned(), expected: DURATION };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let seconds = match unit.trim() {
            "" | "ms" => number / 1000.0,
            "s" => number,
            "m" => number * 60.0,
            _ => return Err(wrong()),
        };
        Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> Result<Settings, SettingsError> {
        let mut settings = Settings::default();
        settings.set_strategy(value).map(|()| settings)
    }

    #[test]
    fn each_strategy_takes_the_number_that_means_something_to_it() {
        let ms = Duration::from_millis;
        assert_eq!(
            set("end,700").unwrap(),
            Settings { strategy: Strategy::End, budget: ms(700), ..Settings::default() }
        );
        assert_eq!(set("periodically, 60000").unwrap().strategy, Strategy::Periodic(ms(60_000)));
        assert_eq!(set("periodic").unwrap().strategy, Strategy::Periodic(ms(10_000)));
        let continuous = set("Continuous,2000").unwrap();
        assert_eq!((continuous.strategy, continuous.max_age), (Strategy::Continuous, ms(2000)));
        assert_eq!(set("default").unwrap(), Settings::default());
    }

    #[test]
    fn a_wrong_strategy_is_refused_with_the_valid_ones() {
        for value in ["", "sometimes", "end,soon", "periodic,-1"] {
            let error = set(value).unwrap_err().to_string();
            assert!(error.contains("periodic, continuous and auto"), "{value}: {error}");
        }
    }

    #[test]
    fn durations_have_a_unit_or_are_milliseconds() {
        for (text, expected) in [("250", 250), ("1.5s", 1500), ("40ms", 40), (" 2m ", 120_000)] {
            assert_eq!(Settings::duration(text), Ok(Duration::from_millis(expected)), "{text}");
        }
        for text in ["", "s", "1h", "-1s", "1e400s", "ms"] {
            assert!(Settings::duration(text).is_err(), "{text}");
        }
    }
}
