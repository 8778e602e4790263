//! Makes what people run, as `cargo xtask dist`: static binaries, container images, Lambda layers; see `dist/README.md`.
//!
//! Everything is written by this program itself: no container engine, no zip, no tar. The same commit makes the same bytes in any folder,
//! because nothing but the source decides them; see [`archive`] and [`compile`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to a terminal")]

use std::process::ExitCode;

mod archive;
mod base;
mod binary;
mod budget;
mod bundled;
mod compile;
mod config;
mod contents;
mod crates;
mod elf;
mod failure;
mod image;
mod licences;
mod oci;
mod options;
mod places;
mod project;
mod publish;
mod record;
mod roots;
mod sbom;
mod selection;
mod task;
mod tree;
mod yaml;

fn main() -> ExitCode {
    match options::read().and_then(|options| task::carry_out(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask dist failed: {failure}");
            ExitCode::FAILURE
        }
    }
}
