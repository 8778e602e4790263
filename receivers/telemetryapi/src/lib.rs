//! The `telemetryapi` receiver: what AWS Lambda says of a function's life, and what function and extensions write, as OTLP.
//!
//! The events come from the process's [`lambda::telemetry::Hub`], which the Lambda extension provides; it is the hub that subscribes and
//! listens. A [`mapper`] turns each batch into log records, spans and `faas.*` metrics; the [`receiver`] hands them on before it lets go
//! of the batch, so that an invocation's telemetry is in its pipelines before the extension acts on the invocation's end.

mod config;
mod ids;
mod invocations;
mod logs;
mod mapper;
mod metrics;
mod otlp;
mod receiver;
mod resource;
mod spans;
mod text;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildReceiver, ReceiverFactory};

/// The factory.
pub static FACTORY: ReceiverFactory = ReceiverFactory {
    component_type: "telemetryapi",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildReceiver {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context, outlets| {
            let environment = aws::Environment::process();
            let receiver =
                receiver::TelemetryApi::new(config.clone(), context, outlets, &environment);
            Ok(Arc::new(receiver))
        })
    },
};
