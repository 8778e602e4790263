//! The memory that the container may use, from its control group.

use std::fs;
use std::path::{Path, PathBuf};

/// The memory limit in bytes of the control group that this process is in, or of one above it; `None` where there is none.
pub fn container_limit() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit(&own, Path::new("/sys/fs/cgroup"))
}

/// `groups` is the text of `/proc/self/cgroup` (cgroups(7)); `root` is where the groups are mounted. In a container, the own group is
/// often mounted as the root, so that the path in the text leads nowhere: the root is looked at as well.
fn limit(groups: &str, root: &Path) -> Option<u64> {
    let lines = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let files = lines.filter_map(|(controllers, path)| {
        if controllers.is_empty() {
            return Some((root.to_owned(), path, "memory.max"));
        }
        let is_memory = controllers.split(',').any(|controller| controller == "memory");
        is_memory.then(|| (root.join("memory"), path, "memory.limit_in_bytes"))
    });
    let limits = files.flat_map(|(mount, path, file)| {
        let groups = Path::new(path.trim_start_matches('/')).ancestors().map(PathBuf::from);
        groups.filter_map(move |group| read(&mount.join(group).join(file))).collect::<Vec<_>>()
    });
    limits.min()
}

/// A limit, unless the file says that there is none: `max` in version 2, a number beyond any memory in version 1.
fn read(file: &Path) -> Option<u64> {
    const NO_LIMIT_FROM: u64 = 1 << 60;
    let limit = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (limit < NO_LIMIT_FROM).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], groups: &str, expected: Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(limit(groups, root.path()), expected, "{groups:?} {files:?}");
    }

    #[test]
    fn the_tightest_limit_on_the_way_up_counts() {
        let files = [
            ("task/memory.max", "100\n"),
            ("task/app/memory.max", "200\n"),
            ("memory.max", "max\n"),
        ];
        check(&files, "0::/task/app\n", Some(100));
        check(&files, "0::/\n", None);
        check(&[("memory.max", "300\n")], "0::/elsewhere/on/the/host\n", Some(300));
    }

    #[test]
    fn version_one_has_a_folder_for_memory_and_a_huge_number_for_no_limit() {
        let groups = "5:cpu,cpuacct:/a\n4:memory:/docker/abc\n";
        check(&[("memory/docker/abc/memory.limit_in_bytes", "512\n")], groups, Some(512));
        check(&[("memory/memory.limit_in_bytes", "1024\n")], groups, Some(1024));
        check(&[("memory/memory.limit_in_bytes", "9223372036854771712\n")], groups, None);
    }

    #[test]
    fn what_cannot_be_understood_is_no_limit() {
        check(&[], "0::/a\n", None);
        check(&[("memory.max", "soon\n")], "nonsense\n0::/\n", None);
    }
}
