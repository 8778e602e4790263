//! What becomes of accepted data when a backend misbehaves: it is delivered once, or refused or given up with a count.

mod backends;
mod faults;
mod isolation;
mod outage;
mod refusals;
mod stopping;
