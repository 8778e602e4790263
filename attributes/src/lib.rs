//! What several components do with attributes.
//!
//! - [`text`]: a value as the Collector prints it, and numbers as Go prints and parses them.

pub mod number;
pub mod text;
