//! What the black-box tests are made of: the agent as a process, backends that check everything that reaches them, senders,
//! and the real SDKs, Zipkin server and double of AWS that `cargo xtask test` sets up.
//!
//! The fakes are servers that speak the protocol in full and record a violation for whatever a real backend could refuse;
//! faults are scripted. Every wait has a deadline and fails with what was awaited. A missed expectation panics: this is
//! the library of a test binary, and a panic is how a test fails.
#![expect(clippy::panic, reason = "a panic is how a test fails")]

pub mod agent;
pub mod answer;
pub mod datadog;
pub mod desk;
pub mod encoding;
pub mod engine;
pub mod gateway;
pub mod lambda;
pub mod metrics;
pub mod moto;
pub mod netns;
pub mod otlp;
pub mod parameters;
pub mod parity;
pub mod parts;
pub mod points;
pub mod ports;
pub mod process;
pub mod raw;
pub mod records;
pub mod scripted;
pub mod send;
pub mod server;
pub mod spans;
pub mod wait;
pub mod xray;
pub mod zipkin;
