//! Distributions: made by the package `xtask-dist`, proven by the black-box tests that are ignored otherwise.

use std::path::Path;

use crate::command::{self, Cargo, Failure};
use crate::{parts, tools};

/// Builds the program that makes distributions, and has it make what `arguments` say.
pub(crate) fn make(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    // An optimised one: most of its time goes into compression.
    Cargo::find(root).run(&["build", "--quiet", "--release", "--package", "xtask-dist"])?;
    let program = command::target_dir(root).join("release").join("hikyaku-dist");
    command::run_visibly(&program, arguments, root)
}

/// Makes every distribution for both architectures, then runs what was made in real containers and in Lambda's emulator.
pub(crate) fn prove(root: &Path) -> Result<(), Failure> {
    tools::require(&tools::OF_PROOFS)?;
    parts::set_up(root, &[])?;
    for name in ["agent", "lambda", "zipkin-debug"] {
        make(root, &["--name".to_owned(), name.to_owned()])?;
    }
    let cargo = Cargo::find(root);
    cargo.run(&["build", "--package", "hikyaku", "--package", "tests", "--tests", "--bins"])?;
    cargo.run(&[
        "test",
        "--package",
        "tests",
        "--test",
        "it",
        "--",
        "--ignored",
        "--test-threads=1",
        "dist::",
    ])
}
