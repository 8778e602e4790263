//! What the process itself uses: resident memory, CPU time, age. Read from `/proc/self` (proc(5)); on a system without
//! it the memory and CPU series are left out.

use std::{fs, time::Instant};

use crate::{
    metrics::{Registration, Registry},
    names,
};

/// Clock ticks a second in `/proc/self/stat`: USER_HZ, which is 100 in Linux's interface on every architecture that we
/// build for, whatever the kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Exposes the `otelcol_process_` series for as long as the registrations live. Call it when the process starts: its age
/// counts from `started`.
#[must_use = "the series disappear with their registrations"]
pub fn observe(registry: &Registry, started: Instant) -> Vec<Registration> {
    vec![
        registry
            .counter_fn(&names::PROCESS_UPTIME, &[], move || Some(started.elapsed().as_secs_f64())),
        registry.counter_fn(&names::PROCESS_CPU_SECONDS, &[], cpu_seconds),
        registry.gauge_fn(&names::PROCESS_MEMORY_RSS, &[], || rss_bytes().map(|rss| rss as f64)),
    ]
}

/// Resident memory of this process in bytes, if the system tells.
pub fn rss_bytes() -> Option<u64> {
    parse_rss(&fs::read_to_string("/proc/self/status").ok()?)
}

/// User and system CPU time of this process in seconds, in steps of 10 ms, if the system tells.
pub fn cpu_seconds() -> Option<f64> {
    parse_cpu(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The `VmRSS` line, which is in kB and does not depend on the page size.
fn parse_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Fields 14 and 15. The second field is the command in parentheses and may contain anything, parentheses too, so fields
/// are counted from the last one that closes.
fn parse_cpu(stat: &str) -> Option<f64> {
    let (_, after_command) = stat.rsplit_once(')')?;
    let mut fields = after_command.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests;
