//! All black-box tests, in one binary, so that they are linked once.
#![cfg(test)]

mod aws;
mod cli;
mod datadog;
mod delivery;
mod dist;
mod fakes;
mod hostile;
mod keys;
mod lambda;
mod own_metrics;
mod parity;
mod reload;
mod sdk;
mod secrets;
mod terminal;
mod tidy;
mod wire;
mod xray;
