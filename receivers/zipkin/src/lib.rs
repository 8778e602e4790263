//! The `zipkin` receiver: spans from Zipkin clients, as v2 JSON or protobuf over HTTP.
//!
//! A body is read into OTLP, handed to the pipeline, and answered with what the pipeline said. It is taken whole or not at all.

pub mod decode;

mod config;
mod intake;
mod receiver;
mod server;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildReceiver, ReceiverFactory};

/// The factory.
pub static FACTORY: ReceiverFactory = ReceiverFactory {
    component_type: "zipkin",
    aliases: &[],
    signals: &[Signal::Traces],
    parse: |section| -> BuildReceiver {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context, outlets| {
            let receiver = receiver::ZipkinReceiver::try_new(config.clone(), context, &outlets)?;
            Ok(Arc::new(receiver))
        })
    },
};
