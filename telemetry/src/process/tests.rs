//! Tests of what is read from `/proc`.

use super::*;
use crate::{render, settings::MetricsLevel};

#[test]
fn resident_memory_is_the_vm_rss_line_in_bytes() {
    let status = "Name:\tVmRSS: 7 kB\nVmHWM:\t    9999 kB\nVmRSS:\t    5120 kB\nThreads:\t1\n";
    assert_eq!(parse_rss(status), Some(5120 * 1024));
    for broken in ["", "VmHWM: 1 kB\n", "VmRSS:\tmany kB\n", "VmRSS:\t5\n"] {
        assert_eq!(parse_rss(broken), None, "{broken:?}");
    }
}

#[test]
fn cpu_time_is_found_behind_a_command_full_of_parentheses() {
    let stat = "77 (a) R 1 (b c) S 1 77 77 0 -1 4194560 100 0 0 0 250 125 8 9 20 0 1 0 1 1 1";
    assert_eq!(parse_cpu(stat), Some(3.75));
    for broken in ["", "77 (a S 1 2", "77 (a) S 1 2"] {
        assert_eq!(parse_cpu(broken), None, "{broken:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_has_an_age_memory_and_cpu_time() {
    let registry = Registry::new();
    let started = Instant::now().checked_sub(std::time::Duration::from_secs(5));
    let registrations = observe(&registry, started.expect("the machine is older than 5 s"));
    let text = render(&registry, MetricsLevel::Basic);
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.expect(name).rsplit(' ').next().expect(name).parse().expect(name)
    };
    assert!(value("otelcol_process_uptime") >= 5.0);
    assert!(value("otelcol_process_memory_rss") > 100_000.0);
    assert!(value("otelcol_process_cpu_seconds") >= 0.0);
    drop(registrations);
    assert_eq!(render(&registry, MetricsLevel::Detailed), "");
}
