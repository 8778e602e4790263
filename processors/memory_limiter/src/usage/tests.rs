use std::time::Duration;

use super::*;

const GIB: u64 = 1 << 30;

/// A system with these files; folders come with them.
fn system(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let system = System { proc: root.path().join("proc"), groups: root.path().join("groups") };
    (root, system)
}

fn of_percentage(limit: u32, spike: u32) -> Config {
    Config {
        check_interval: Duration::from_secs(1),
        limit: Bound { mib: 0, percentage: limit },
        spike: Bound { mib: 0, percentage: spike },
    }
}

fn of_mib(limit: u32, spike: u32) -> Config {
    Config {
        check_interval: Duration::from_secs(1),
        limit: Bound { mib: limit, percentage: 0 },
        spike: Bound { mib: spike, percentage: 0 },
    }
}

fn hard_and_soft(config: &Config, files: &[(&str, &str)]) -> (u64, u64) {
    let (_root, system) = system(files);
    let (limits, _) = limits(config, &system).unwrap();
    (limits.hard, limits.soft)
}

#[test]
fn percentages_are_of_the_group_else_of_the_machine() {
    let machine = ("proc/meminfo", "MemFree: 1 kB\nMemTotal:    8388608 kB\n");
    let of_machine = hard_and_soft(&of_percentage(50, 25), &[machine]);
    assert_eq!(of_machine, (8 * GIB / 100 * 50, 8 * GIB / 100 * 25));
    let group = [machine, ("proc/self/cgroup", "0::/\n"), ("groups/memory.max", "1000000000\n")];
    assert_eq!(hard_and_soft(&of_percentage(80, 30), &group), (800_000_000, 500_000_000));
    let unlimited = [machine, ("proc/self/cgroup", "0::/\n"), ("groups/memory.max", "max\n")];
    assert_eq!(hard_and_soft(&of_percentage(50, 25), &unlimited), of_machine);
}

#[test]
fn spike_is_a_fifth_unless_it_is_set() {
    assert_eq!(hard_and_soft(&of_mib(100, 0), &[]), (100 * MIB, 80 * MIB));
    assert_eq!(hard_and_soft(&of_mib(100, 30), &[]), (100 * MIB, 70 * MIB));
}

#[test]
fn mebibytes_win_over_percentages() {
    let both = Config {
        limit: Bound { mib: 100, percentage: 50 },
        spike: Bound { mib: 0, percentage: 10 },
        ..of_mib(0, 0)
    };
    let group = [("proc/self/cgroup", "0::/\n"), ("groups/memory.max", "1000000000\n")];
    assert_eq!(hard_and_soft(&both, &group), (100 * MIB, 80 * MIB));
}

#[test]
fn percentage_of_an_unknown_total_is_an_error_that_names_the_remedy() {
    let (_root, system) = system(&[]);
    let Err(error) = limits(&of_percentage(50, 25), &system) else { panic!("50 % of what?") };
    assert!(error.to_string().contains("limit_mib"), "{error}");
}

fn used(config: &Config, files: &[(&str, &str)]) -> Option<u64> {
    let (_root, system) = system(files);
    let (_, source) = limits(config, &system).unwrap();
    source()
}

#[test]
fn usage_of_version_two_leaves_out_page_cache_that_can_go() {
    let files = [
        ("proc/self/cgroup", "0::/task/app\n"),
        ("groups/task/app/memory.max", "1000\n"),
        ("groups/task/app/memory.current", "700\n"),
        (
            "groups/task/app/memory.stat",
            "anon 400\ninactive_file_x 9\ninactive_file 250\nfile 300\n",
        ),
    ];
    assert_eq!(used(&of_percentage(50, 25), &files), Some(450));
    assert_eq!(used(&of_mib(100, 0), &files), Some(450), "the group is the process's own");
}

#[test]
fn usage_of_version_one_does_so_too() {
    let files = [
        ("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/\n"),
        ("groups/memory/docker/abc/memory.limit_in_bytes", "1000\n"),
        ("groups/memory/docker/abc/memory.usage_in_bytes", "700\n"),
        ("groups/memory/docker/abc/memory.stat", "inactive_file 7\ntotal_inactive_file 200\n"),
        ("groups/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ];
    assert_eq!(used(&of_percentage(50, 25), &files), Some(500));
}

#[test]
fn group_mounted_as_the_root_is_the_own_one() {
    let files = [
        ("proc/self/cgroup", "0::/kubepods/pod1/container\n"),
        ("groups/memory.max", "1000\n"),
        ("groups/memory.current", "600\n"),
    ];
    assert_eq!(used(&of_percentage(50, 25), &files), Some(600));
    assert_eq!(used(&of_mib(100, 0), &files), Some(600));
}

#[test]
fn group_that_others_share_counts_for_percentages_only() {
    let files = [
        ("proc/self/cgroup", "0::/task/app\n"),
        ("groups/task/memory.max", "1000\n"),
        ("groups/task/memory.current", "900\n"),
        ("groups/task/app/memory.max", "max\n"),
        ("groups/task/app/memory.current", "100\n"),
    ];
    assert_eq!(used(&of_percentage(50, 25), &files), Some(900));
    let rss = used(&of_mib(100, 0), &files).unwrap();
    assert!(rss > MIB, "resident memory of this test: {rss}");
}

#[test]
fn without_a_limited_group_resident_memory_is_measured() {
    let files = [
        ("proc/meminfo", "MemTotal: 8388608 kB\n"),
        ("proc/self/cgroup", "nonsense\n0::/\n"),
        ("groups/memory.max", "soon\n"),
        ("groups/memory.current", "1\n"),
    ];
    let rss = used(&of_percentage(50, 25), &files).unwrap();
    assert!(rss > MIB, "resident memory of this test: {rss}");
}

#[test]
fn group_that_cannot_be_read_any_more_tells_nothing() {
    let files = [("proc/self/cgroup", "0::/\n"), ("groups/memory.max", "1000\n")];
    assert_eq!(used(&of_percentage(50, 25), &files), None);
}
