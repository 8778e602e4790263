//! What people get: the examples, the papers of an artefact and, when asked for, the artefacts themselves as they run.
//!
//! The tests that are ignored here are run by `cargo xtask prove dist`, which makes the artefacts first. They need containers, and minutes.

use std::path::PathBuf;

mod architectures;
mod containers;
mod examples;
mod functions;
mod packing;
mod recipes;

/// A file or folder that `cargo xtask dist` has made.
fn made(path: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.ancestors().nth(3).unwrap();
    let path = target.join("dist").join(path);
    assert!(path.exists(), "{} is missing: run `cargo xtask prove dist`", path.display());
    path
}
