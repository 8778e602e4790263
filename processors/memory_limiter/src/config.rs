//! Settings.

use std::time::Duration;

use confmap::Section;

/// The processor's settings. Keys, defaults and messages are those of the Collector's `internal/memorylimiter/config.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// Time between measurements.
    pub(crate) check_interval: Duration,
    /// The hard limit.
    pub(crate) limit: Bound,
    /// What usage may grow by between two measurements; the soft limit lies that far below the hard one. Zero is a fifth of the limit.
    pub(crate) spike: Bound,
}

/// An amount of memory: in MiB if that is not zero, otherwise in percent of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) mib: u32,
    pub(crate) percentage: u32,
}

/// Settings of the garbage collector that the Collector runs on.
const GARBAGE_COLLECTION: [&str; 4] = [
    "min_gc_interval_when_soft_limited",
    "min_gc_interval_when_hard_limited",
    "max_gc_interval_when_soft_limited",
    "max_gc_interval_when_hard_limited",
];

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let this = Self {
            check_interval: section.get("check_interval").unwrap_or_default(),
            limit: Bound {
                mib: section.get("limit_mib").unwrap_or_default(),
                percentage: section.get("limit_percentage").unwrap_or_default(),
            },
            spike: Bound {
                mib: section.get("spike_limit_mib").unwrap_or_default(),
                percentage: section.get("spike_limit_percentage").unwrap_or_default(),
            },
        };
        for key in GARBAGE_COLLECTION {
            // Its type is checked all the same, so that the file stays one that the Collector takes.
            let _interval: Option<Duration> = section.get(key);
            section.ignored(
                key,
                "there is no garbage collector, memory is free when its data is sent",
            );
        }
        this.check(&section);
        section.finish();
        this
    }

    fn check(&self, section: &Section<'_>) {
        let Self { check_interval, limit, spike } = self;
        if check_interval.is_zero() {
            let help = "set it to 1s, or less where traffic is bursty";
            let message = "'check_interval' must be greater than zero";
            section.error_with_help("check_interval", message, help);
        }
        if limit.mib == 0 && limit.percentage == 0 {
            section
                .error("limit_mib", "'limit_mib' or 'limit_percentage' must be greater than zero");
        }
        for (key, percentage) in
            [("limit_percentage", limit.percentage), ("spike_limit_percentage", spike.percentage)]
        {
            if percentage > 100 {
                let message = "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred";
                section.error(key, message);
            }
        }
        self.warn_of_unused(section);
        if limit.mib > 0 && limit.mib <= spike.mib {
            section.error("spike_limit_mib", "'spike_limit_mib' must be smaller than 'limit_mib'");
        }
        if limit.percentage > 0 && limit.percentage <= spike.percentage {
            let message = "'spike_limit_percentage' must be smaller than 'limit_percentage'";
            section.error("spike_limit_percentage", message);
        }
    }

    /// MiB win over percentages, and the spike is counted as the limit is.
    fn warn_of_unused(&self, section: &Section<'_>) {
        let Self { limit, spike, .. } = self;
        let of_percentage =
            [("limit_percentage", limit.percentage), ("spike_limit_percentage", spike.percentage)];
        let unused = if limit.mib > 0 {
            of_percentage.iter().filter(|(_, value)| *value > 0).map(|(key, _)| *key).collect()
        } else if limit.percentage > 0 && spike.mib > 0 {
            vec!["spike_limit_mib"]
        } else {
            Vec::new()
        };
        let winner = if limit.mib > 0 { "limit_mib" } else { "limit_percentage" };
        for key in unused {
            section.warn(key, format!("is accepted and has no effect: the limit is {winner}"));
        }
    }
}

#[cfg(test)]
mod tests;
