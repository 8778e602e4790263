//! A clock that a test moves while the extension is frozen: an hour in which nothing happened takes no hour.
//!
//! A shared library that is loaded before the C library adds a shift to what the kernel says. It works on a dynamically linked program only, which
//! a debug build is. Whether the monotonic clock goes on during a freeze is not documented, so a test moves one clock or both.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SOURCE: &str = include_str!("clock.c");

/// Both shifts in nanoseconds, in a file that the library maps.
#[derive(Debug)]
pub struct Clock {
    file: File,
    path: PathBuf,
    library: PathBuf,
    shifts: Mutex<[i64; 2]>,
}

impl Clock {
    /// Makes the library and the file in a folder.
    ///
    /// # Panics
    ///
    /// When the C compiler is missing or the folder cannot be written to.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        std::fs::write(&source, SOURCE).unwrap_or_else(|error| panic!("{source:?}: {error}"));
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).args([&library, &source]);
        let made = compiler.status();
        assert!(made.as_ref().is_ok_and(|made| made.success()), "{compiler:?}: {made:?}");
        let path = folder.join("clock");
        let file = File::options().create(true).truncate(true).read(true).write(true).open(&path);
        let file = file.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let clock = Self { file, path, library, shifts: Mutex::default() };
        clock.store([0, 0]);
        clock
    }

    /// What the extension's environment needs.
    pub(super) fn variables(&self) -> [(&'static str, String); 2] {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        [("LD_PRELOAD", text(&self.library)), ("HIKYAKU_TEST_CLOCK", text(&self.path))]
    }

    /// The library, which a program that it works on has mapped.
    pub(super) fn library(&self) -> &Path {
        &self.library
    }

    /// Lets the wall clock be later by this.
    pub fn advance_wall(&self, by: Duration) {
        self.advance([by, Duration::ZERO]);
    }

    /// Sets the wall clock back by this.
    pub fn set_wall_back(&self, by: Duration) {
        let mut shifts = self.shifts.lock().unwrap_or_else(PoisonError::into_inner);
        let [wall, _] = &mut *shifts;
        *wall = wall.saturating_sub(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX));
        self.store(*shifts);
    }

    /// Lets the wall clock and the monotonic clock be later by this.
    pub fn advance_both(&self, by: Duration) {
        self.advance([by, by]);
    }

    /// Milliseconds since 1970 by the moved wall clock.
    pub(super) fn unix_ms(&self) -> u64 {
        let [wall, _] = *self.shifts.lock().unwrap_or_else(PoisonError::into_inner);
        real_unix_ms().saturating_add_signed(wall / 1_000_000)
    }

    fn advance(&self, by: [Duration; 2]) {
        let mut shifts = self.shifts.lock().unwrap_or_else(PoisonError::into_inner);
        for (shift, by) in shifts.iter_mut().zip(by) {
            *shift = shift.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX));
        }
        self.store(*shifts);
    }

    fn store(&self, shifts: [i64; 2]) {
        let bytes = shifts.map(i64::to_ne_bytes).concat();
        let written = self.file.write_all_at(&bytes, 0);
        written.unwrap_or_else(|error| panic!("{:?}: {error}", self.path));
    }
}

/// Milliseconds since 1970.
pub(super) fn real_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
