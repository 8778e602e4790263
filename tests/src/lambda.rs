//! AWS Lambda as an extension sees it, in one process: the Extensions, Runtime and Telemetry APIs, invocations by script, and a sandbox that freezes.
//!
//! The state machine and its refusals are those of the runtime interface emulator (aws/aws-lambda-runtime-interface-emulator, `internal/lambda/core`,
//! `internal/lambda/rapi`); the Telemetry API is that of its managed-instances mode and of the developer guide. What the emulator cannot do, and this
//! can: freeze the extension between invocations, cut its connections and move its clock meanwhile, and have everything happen at a test's word.

mod api;
mod civil;
mod clock;
mod delivery;
mod emulator;
mod events;
mod invocation;
mod machine;
mod refusal;
mod road;
mod sandbox;
mod setup;
mod share;
mod shared;
mod subscription;

pub use api::Platform;
pub use clock::Clock;
pub use emulator::{Emulator, EmulatorSetup, Reply as EmulatorReply};
pub use invocation::{Ending, Invocation, RuntimeDone};
pub use road::Road;
pub use sandbox::{Gone, Sandbox};
pub use setup::{Function, Mode, Setup, binary};
pub use share::CpuShare;
pub use shared::Call;
