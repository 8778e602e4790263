//! Settings.

use confmap::Section;

use crate::sampler::Sampler;
use crate::value::{DIGITS, PROBABILITY_MIN, Threshold};

const PERCENTAGE: &str = "sampling_percentage";
const PRECISION: i64 = 4;
const MODES: &str = "valid values: hash_seed, equalizing, proportional";

/// The processor's settings. Keys, defaults and messages are those of the Collector's `processor/probabilisticsamplerprocessor/config.go`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// How items are sampled: `mode`, `sampling_percentage` and `hash_seed`.
    pub(crate) sampler: Sampler,
    /// Drops what the mode cannot decide.
    pub(crate) fail_closed: bool,
    /// Digits of a threshold.
    pub(crate) precision: usize,
    /// Logs, by hash: whether the trace id comes before the attribute.
    pub(crate) by_trace_id: bool,
    /// Logs, by hash: the attribute to decide by.
    pub(crate) from_attribute: Option<String>,
    /// Logs: the attribute that holds a record's own percentage.
    pub(crate) sampling_priority: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    HashSeed,
    Equalizing,
    Proportional,
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (percentage, precision) = (percentage(&mut section), precision(&mut section));
        let hash_seed: u32 = section.get("hash_seed").unwrap_or_default();
        let mode = mode(&mut section);
        let this = Self {
            sampler: sampler(mode, percentage, hash_seed, precision),
            fail_closed: section.get("fail_closed").unwrap_or(true),
            precision,
            by_trace_id: by_trace_id(&mut section),
            from_attribute: text(section.get("from_attribute")),
            sampling_priority: text(section.get("sampling_priority")),
        };
        this.warn_of_unused(&mut section, mode);
        section.finish();
        this
    }

    /// Upstream says nothing of any of these.
    fn warn_of_unused(&self, section: &mut Section<'_>, mode: Mode) {
        match section.item(PERCENTAGE) {
            None => section.warn_here("sampling_percentage is not set, so everything is dropped"),
            // Null, or a reference that yielded nothing.
            Some(percentage) if percentage.node().is_null() => {
                section.warn(PERCENTAGE, "is empty, so everything is dropped");
            }
            Some(_) => {}
        }
        if mode != Mode::HashSeed {
            let mut unused = vec!["hash_seed", "from_attribute"];
            unused.extend((!self.by_trace_id).then_some("attribute_source"));
            for key in unused {
                if section.is_set(key) {
                    section.warn(key, "is accepted and has no effect: only hash_seed mode uses it");
                }
            }
            return;
        }
        if !self.by_trace_id && self.from_attribute.is_none() {
            let message = "leaves log records nothing to decide by: set from_attribute";
            section.warn("attribute_source", message);
        }
        if self.sampling_priority.is_none() && section.is_set("sampling_precision") {
            let message = "is accepted and has no effect: hash_seed mode decides by 14 bits";
            section.warn("sampling_precision", message);
        }
    }
}

/// In percent, in single precision as upstream keeps it.
fn percentage(section: &mut Section<'_>) -> f32 {
    let percentage = section.get::<f64>(PERCENTAGE).unwrap_or_default() as f32;
    let ratio = f64::from(percentage) / 100.0;
    let wrong = if percentage.is_nan() {
        Some("sampling rate is invalid: NaN%".to_owned())
    } else if percentage.is_infinite() {
        let sign = if percentage > 0.0 { '+' } else { '-' };
        Some(format!("sampling rate is invalid: {sign}Inf%"))
    } else if ratio < 0.0 {
        Some(format!("sampling rate is negative: {percentage:.6}%"))
    } else if ratio > 0.0 && ratio < PROBABILITY_MIN {
        Some(format!("sampling rate is too small: {percentage:e}%"))
    } else {
        None
    };
    match wrong {
        Some(message) => {
            let help = "set it to 0 to drop everything, 100 to keep everything, or in between";
            section.error_with_help(PERCENTAGE, message, help);
            0.0
        }
        None => percentage.min(100.0),
    }
}

fn precision(section: &mut Section<'_>) -> usize {
    const KEY: &str = "sampling_precision";
    let precision = section.get(KEY).unwrap_or(PRECISION);
    match usize::try_from(precision) {
        Ok(digits @ 1..=DIGITS) => return digits,
        Ok(1..) => {
            let message = format!("sampling precision is too great, should be <= 14: {precision}");
            section.error(KEY, message);
        }
        _ => {
            let message = format!("invalid sampling precision: {precision}");
            section.error_with_help(KEY, message, "set it to a number of digits from 1 to 14");
        }
    }
    DIGITS
}

fn mode(section: &mut Section<'_>) -> Mode {
    let mode: String = section.get("mode").unwrap_or_default();
    match mode.as_str() {
        "" | "hash_seed" => Mode::HashSeed,
        "equalizing" => Mode::Equalizing,
        "proportional" => Mode::Proportional,
        other => {
            section.error_with_help("mode", format!("unsupported sampler mode {other:?}"), MODES);
            Mode::HashSeed
        }
    }
}

/// An empty source is as good as `record`, as upstream.
fn by_trace_id(section: &mut Section<'_>) -> bool {
    const KEY: &str = "attribute_source";
    let source: Option<String> = section.get(KEY);
    match source.as_deref() {
        None | Some("traceID") => true,
        Some("record" | "") => false,
        Some(other) => {
            let message = format!("invalid attribute source: {other}. Expected: traceID or record");
            section.error(KEY, message);
            true
        }
    }
}

fn sampler(mode: Mode, percentage: f32, hash_seed: u32, precision: usize) -> Sampler {
    let ratio = f64::from(percentage) / 100.0;
    let threshold = Threshold::of_probability(ratio, precision);
    match (mode, threshold) {
        (Mode::HashSeed, _) => Sampler::hash_seed(percentage, hash_seed),
        (_, None) => Sampler::Never,
        (Mode::Equalizing, Some(threshold)) => Sampler::Equalizing { threshold },
        (Mode::Proportional, Some(_)) => Sampler::Proportional { ratio, precision },
    }
}

#[cfg(test)]
mod tests;
