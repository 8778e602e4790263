//! All black-box tests, in one binary, so that they are linked once.
#![cfg(test)]

mod fakes;
mod tidy;

// What starts the agent.
#[cfg(feature = "agent")]
mod cli;
#[cfg(feature = "agent")]
mod delivery;
#[cfg(feature = "agent")]
mod hostile;
#[cfg(feature = "agent")]
mod keys;
#[cfg(feature = "agent")]
mod reload;
#[cfg(feature = "agent")]
mod sdk;
#[cfg(feature = "agent")]
mod terminal;
#[cfg(feature = "agent")]
mod wire;
