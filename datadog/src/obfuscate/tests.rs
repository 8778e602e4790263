//! What the Agent answered, and what has to hold for any text.

mod agent;
mod property;
