//! Lambda's Telemetry API: events of the platform, the function and the extensions, brought to whoever wants them.
//!
//! The platform posts batches to a [`Listener`], which answers at once; the [`Hub`] reads them afterwards and hands them to the
//! receivers first and to the lifecycle second, so that what a batch holds is in its pipeline before anybody acts on the end of an
//! invocation. A process subscribes once ([`subscribe`]), for the union of what all of them want.
//!
//! ```text
//! platform ──POST──▶ Listener ──▶ Hub ──▶ Intake (receivers), until they took it ──▶ Observer (lifecycle)
//! ```
//!
//! Invariants: nothing in a batch that one event can do costs another event its place; every queue is bounded, and what does not
//! fit is counted with its reason; log lines give way before the platform's events do; this path logs at most one line a minute,
//! since an extension's log lines come back as events.
//!
//! Sources: the Lambda developer guide on the Telemetry API and its event schema, and aws/aws-lambda-runtime-interface-emulator.

mod batch;
mod event;
mod hub;
mod listener;
mod subscription;
mod time;

pub use batch::{Fault, Parsed, parse};
pub use event::{Event, EventKind, Platform, Record, Span};
pub use hub::{Delivery, Hub, Intake, Observer};
pub use listener::Listener;
pub use subscription::{Outcome, Subscription, SubscriptionError, Types, subscribe};
pub use time::parse_time;
