//! The Lambda extension, against the platform by script and against AWS's own emulator. The platform's own tests are in `fake`.

mod bed;
mod campaign;
mod days;
mod emulator;
mod fake;
mod flushing;
mod long;
mod modes;
mod open;
mod shutdown;
mod start;
mod telemetry;
