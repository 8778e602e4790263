//! `service::shutdown` and `service::memory`: keys of this program's own.

use std::time::Duration;

use confmap::Section;

const MIB: u64 = 1024 * 1024;

/// `service::shutdown`: how the service stops. The defaults end within the 30 s that container platforms such as Amazon ECS give a
/// container between SIGTERM and SIGKILL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShutdownSettings {
    /// How long receivers go on taking data after the stop was asked for, since applications that are stopped at the same time send
    /// their last data then. Zero stops them at once. Default 5 s.
    pub linger: Duration,
    /// Lingering ends early when nothing has come in for this long. Default 1 s.
    pub quiet: Duration,
    /// When everything has to be over, lingering included. Default 25 s.
    pub deadline: Duration,
    /// Time for each exporter to send what it still has; exporters stop side by side. Default: what is left until the deadline.
    pub exporter_budget: Option<Duration>,
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(5),
            quiet: Duration::from_secs(1),
            deadline: Duration::from_secs(25),
            exporter_budget: None,
        }
    }
}

impl ShutdownSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let settings = Self {
            linger: section.get("linger").unwrap_or(default.linger),
            quiet: section.get("quiet").unwrap_or(default.quiet),
            deadline: section.get("deadline").unwrap_or(default.deadline),
            exporter_budget: section.get("exporter_budget"),
        };
        if settings.deadline.is_zero() {
            section.error("deadline", "must be positive");
        } else if settings.linger >= settings.deadline {
            let key = if section.is_set("linger") { "linger" } else { "deadline" };
            let help =
                "sending what is left needs time, too; for no linger at all write \"linger: 0s\"";
            section.error_with_help(key, "linger must be shorter than deadline", help);
        }
        if settings.exporter_budget.is_some_and(|budget| budget.is_zero()) {
            section.error("exporter_budget", "must be positive");
        }
        section.finish();
        settings
    }
}

/// `service::memory`: bounds for the bytes of telemetry held in the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySettings {
    /// The limit in MiB, from which on senders are refused. Default: a quarter of the container's memory limit, at most 256.
    pub limit_mib: Option<u32>,
    /// The mark in MiB, from which on senders are slowed. Default: 10, at most half the limit.
    pub mark_mib: Option<u32>,
}

impl MemorySettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let settings =
            Self { limit_mib: section.get("limit_mib"), mark_mib: section.get("mark_mib") };
        if settings.limit_mib == Some(0) {
            section.error("limit_mib", "must be positive");
        }
        if let (Some(mark), Some(limit)) = (settings.mark_mib, settings.limit_mib)
            && mark > limit
        {
            section.error("mark_mib", "must not exceed limit_mib");
        }
        section.finish();
        settings
    }

    /// Mark and limit in bytes, in a container that may use this many bytes; `None` where there is no such limit.
    pub fn bounds(&self, container_limit: Option<u64>) -> (usize, usize) {
        const LIMIT_MAX: u64 = 256 * MIB;
        /// A flood that is held at this mark keeps the whole process well under 48 MiB.
        const MARK: u64 = 10 * MIB;
        let quarter = container_limit.map_or(LIMIT_MAX, |limit| (limit / 4).min(LIMIT_MAX));
        let limit = self.limit_mib.map_or(quarter, |mib| u64::from(mib) * MIB).max(MIB);
        let mark = self.mark_mib.map_or(MARK.min(limit / 2), |mib| u64::from(mib) * MIB);
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        (bytes(mark.min(limit)), bytes(limit))
    }
}
