//! The `otlp` receiver: OTLP over gRPC and HTTP, protobuf and JSON.
//!
//! A request's bytes are checked and counted, handed to the pipeline of their signal, and answered with what the pipeline
//! said. Either protocol is understood on either port.

mod answer;
mod config;
mod intake;
mod receiver;
mod server;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildReceiver, ReceiverFactory};

/// The factory.
pub static FACTORY: ReceiverFactory = ReceiverFactory {
    component_type: "otlp",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildReceiver {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context, outlets| {
            Ok(Arc::new(receiver::OtlpReceiver::new(config.clone(), context, outlets)) as _)
        })
    },
};
