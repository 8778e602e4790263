//! The platform by script: each of its refusals and rules, shown by a client that breaks it.

mod client;
mod extensions;
mod runtime;
mod telemetry;
