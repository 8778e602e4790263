//! What several components do with attributes.
//!
//! - [`Actions`]: the list of actions of the `attributes` and `resource` processors, read from configuration and carried out.
//! - [`processor()`]: a processor that edits each payload.
//! - [`pattern`]: regular expressions that mean what they mean in Go.
//! - [`value`]: values of configuration as values of attributes.
//! - [`number`]: numbers as Go parses them.

pub mod number;
pub mod pattern;
pub mod value;

mod actions;
mod convert;
mod hash;
mod processor;
mod read;

pub use actions::Actions;
pub use processor::processor;
