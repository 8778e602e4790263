//! The static binaries of both architectures, put to the same tests as the one that a developer builds.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made;

/// Runs tests of this program again, with another binary under test.
pub(super) fn again(variable: &str, binary: &Path, filters: &[&str]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(filters).arg("--test-threads=2").env(variable, binary);
    // As long as the tests' own deadlines add up to.
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{}: {text}", binary.display());
    let passed = text.split("test result: ok. ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(passed.is_some_and(|count| count != "0"), "no test is named {filters:?}: {text}");
}

/// A script that runs a binary for arm64 with qemu, in the place of one.
fn emulated(folder: &Path, binary: &Path) -> PathBuf {
    let script = folder.join("hikyaku");
    let text = format!("#!/bin/sh\nexec qemu-aarch64-static {} \"$@\"\n", binary.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn amd64_passes_the_tests_of_the_command_line_the_wire_and_the_sdks() {
    again(
        "HIKYAKU_BIN",
        &made("agent/amd64/hikyaku"),
        &["cli::", "wire::", "sdk::", "delivery::stopping"],
    );
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn arm64_passes_the_tests_of_the_command_line_and_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let script = emulated(folder.path(), &made("agent/arm64/hikyaku"));
    again("HIKYAKU_BIN", &script, &["cli::", "wire::"]);
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn the_extension_for_amd64_passes_the_tests_of_start_and_end_and_of_the_emulator() {
    let binary = made("lambda/amd64/hikyaku-lambda");
    again(
        "HIKYAKU_LAMBDA_BIN",
        &binary,
        &["lambda::start", "lambda::shutdown", "lambda::emulator"],
    );
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn the_extension_for_arm64_takes_a_span_to_the_backend() {
    let folder = made("lambda");
    let folder = tempfile::tempdir_in(folder).unwrap();
    let script = emulated(folder.path(), &made("lambda/layer/arm64/extensions/hikyaku"));
    again("HIKYAKU_LAMBDA_BIN", &script, &["lambda::shutdown"]);
}
