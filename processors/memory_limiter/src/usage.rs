//! How much memory is used, and how much there is.
//!
//! The files are those of cgroups(7): version 2 has `memory.max`, `memory.current` and `memory.stat` in one hierarchy, version 1
//! `memory.limit_in_bytes`, `memory.usage_in_bytes` and `memory.stat` below `memory`. Page cache that the kernel can take back at once
//! (`inactive_file`) does not count as used, as in the kubelet's working set.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::BuildError;

use crate::config::{Bound, Config};

const MIB: u64 = 1 << 20;

/// Above which usage data is refused, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) hard: u64,
    pub(crate) soft: u64,
}

/// Measures memory in use, in bytes; `None` when it cannot be told right now.
pub(crate) type Source = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// Where the system tells of memory.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) proc: PathBuf,
    pub(crate) groups: PathBuf,
}

/// A control group with a memory limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    folder: PathBuf,
    files: &'static Files,
    limit: u64,
    /// Whether it is the process's own, not one around it that others share.
    own: bool,
}

/// The names of a version's files.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    limit: &'static str,
    usage: &'static str,
    /// The key in `memory.stat` for page cache that can be taken back at once, groups below included.
    inactive: &'static str,
}

const VERSION_1: &Files = &Files {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    inactive: "total_inactive_file",
};
const VERSION_2: &Files =
    &Files { limit: "memory.max", usage: "memory.current", inactive: "inactive_file" };

impl System {
    /// The one that this process runs on.
    pub(crate) fn this() -> Self {
        Self { proc: "/proc".into(), groups: "/sys/fs/cgroup".into() }
    }

    /// The group with the tightest limit, of the process's own and those around it.
    ///
    /// In a container the own group is often mounted as the root, so that the path that the system tells leads nowhere; then the root is the
    /// own one.
    fn tightest_group(&self) -> Option<Group> {
        let told = fs::read_to_string(self.proc.join("self/cgroup")).ok()?;
        let lines = told.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some((fields.next()?, fields.next()?))
        });
        let hierarchies = lines.filter_map(|(controllers, path)| match controllers {
            "" => Some((self.groups.clone(), path, VERSION_2)),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                Some((self.groups.join("memory"), path, VERSION_1))
            }
            _ => None,
        });
        let groups = hierarchies.flat_map(|(mount, path, files)| {
            let inside = Path::new(path.trim_start_matches('/')).ancestors();
            let folders = inside.map(|group| mount.join(group)).filter(|folder| folder.is_dir());
            let groups = folders.enumerate().filter_map(|(steps_up, folder)| {
                let limit = read_limit(&folder.join(files.limit))?;
                Some(Group { folder, files, limit, own: steps_up == 0 })
            });
            groups.collect::<Vec<_>>()
        });
        groups.min_by_key(|group| group.limit)
    }

    fn total_memory(&self) -> Option<u64> {
        let meminfo = fs::read_to_string(self.proc.join("meminfo")).ok()?;
        let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }
}

impl Group {
    fn used(&self) -> Option<u64> {
        let usage = read_number(&self.folder.join(self.files.usage))?;
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let inactive = stat.lines().find_map(|line| {
            line.strip_prefix(self.files.inactive)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
        });
        Some(usage.saturating_sub(inactive.unwrap_or_default()))
    }
}

/// The limits that the settings come to on this system, and what is measured against them: the control group that has the limit, or else the
/// process's resident memory. A limit in MiB is meant for this process, so a group that others share is not measured against it.
pub(crate) fn limits(config: &Config, system: &System) -> Result<(Limits, Source), BuildError> {
    let group = system.tightest_group();
    let total = || {
        let total = group.as_ref().map(|group| group.limit).or_else(|| system.total_memory());
        total.ok_or_else(|| {
            BuildError(
                "failed to get total memory, use fixed memory settings (limit_mib)".to_owned(),
            )
        })
    };
    let (hard, spike) = match (config.limit, config.spike) {
        (Bound { mib: 0, percentage }, spike) => {
            let total = total()?;
            let of_total = |percentage: u32| (total / 100).saturating_mul(u64::from(percentage));
            tracing::info!(
                total_memory_mib = total / MIB,
                limit_percentage = percentage,
                spike_limit_percentage = spike.percentage,
                "Using percentage memory limiter"
            );
            (of_total(percentage), of_total(spike.percentage))
        }
        (limit, spike) => (u64::from(limit.mib) * MIB, u64::from(spike.mib) * MIB),
    };
    // A fifth where nothing is said, as upstream.
    let spike = if spike == 0 { hard / 5 } else { spike };
    let limits = Limits { hard, soft: hard - spike.min(hard) };
    let measured = group.filter(|group| group.own || config.limit.mib == 0);
    tracing::info!(
        limit_mib = limits.hard / MIB,
        spike_limit_mib = spike / MIB,
        check_interval = ?config.check_interval,
        measured = if measured.is_some() { "control group" } else { "resident memory" },
        "Memory limiter configured"
    );
    let source: Source = match measured {
        Some(group) => Box::new(move || group.used()),
        None => Box::new(telemetry::process::rss_bytes),
    };
    Ok((limits, source))
}

/// A limit, unless the file says that there is none: `max` in version 2, a number beyond any memory in version 1.
fn read_limit(file: &Path) -> Option<u64> {
    const NO_LIMIT_FROM: u64 = 1 << 60;
    read_number(file).filter(|limit| *limit < NO_LIMIT_FROM)
}

fn read_number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
