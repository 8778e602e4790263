//! When held data is sent: decisions without a clock and without I/O, from what was observed.
//!
//! Three costs are weighed. Sending while the handler runs costs nobody anything. Holding `/next` for a backend is time that the owner of
//! the function is billed for. Leaving data for the next invocation costs freshness, and the risk that there is none for a long time.

mod estimate;
mod planner;
mod settings;

pub use planner::{Ended, Holding, Opening, Planner, Waiting};
pub use settings::{Settings, SettingsError, Strategy};
