//! A small function's share of the processor.
//!
//! Lambda gives a function processor time in proportion to its memory: one vCPU at 1769 MB, so 0.07 of one at 128 MB.

use std::path::{Path, PathBuf};

/// The scheduler's period of a quota, in microseconds: the kernel's own default.
const PERIOD_MICROS: u64 = 100_000;

/// A group of processes that share a quota. It is removed, empty, when it is dropped.
#[derive(Debug)]
pub struct CpuShare {
    folder: PathBuf,
}

impl CpuShare {
    /// A group with the share of a function of so much memory; none where the kernel's groups cannot be had.
    pub fn of_memory(megabytes: u64) -> Option<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hikyaku-test-{}-{number}", std::process::id());
        let quota = (PERIOD_MICROS * megabytes / 1769).max(1000);
        let groups = Path::new("/sys/fs/cgroup");
        // The second version of control groups, or the first.
        for (parent, file, value) in [
            (groups.to_path_buf(), "cpu.max", format!("{quota} {PERIOD_MICROS}")),
            (groups.join("cpu"), "cpu.cfs_quota_us", quota.to_string()),
        ] {
            let share = Self { folder: parent.join(&name) };
            let made = std::fs::create_dir(&share.folder);
            if made.is_ok() && share.write(file, &value) {
                return Some(share);
            }
        }
        None
    }

    /// Puts a process into the group.
    ///
    /// # Panics
    ///
    /// When the kernel refuses.
    pub fn admit(&self, process: u32) {
        assert!(self.write("cgroup.procs", &process.to_string()), "{:?}", self.folder);
    }

    /// Text that makes a shell put itself into the group.
    pub(super) fn admission(&self) -> String {
        format!("echo $$ > {}/cgroup.procs", self.folder.display())
    }

    fn write(&self, file: &str, value: &str) -> bool {
        let path = self.folder.join(file);
        path.exists() && std::fs::write(path, value).is_ok()
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // A group that still holds a process stays until the machine's next start.
        let _ = std::fs::remove_dir(&self.folder);
    }
}
