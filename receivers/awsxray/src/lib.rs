//! The `awsxray` receiver: stands in for the X-Ray daemon beside applications with an X-Ray SDK. Segment documents come in over UDP; the
//! SDK's questions about sampling come in over TCP, are signed and handed on to X-Ray.
//!
//! UDP can't be pushed back: documents wait in a queue of fixed length for the pipelines, and what does not fit is counted and dropped.

pub mod decode;

mod config;
mod intake;
mod periodic;
mod proxy;
mod receiver;

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BuildReceiver, ReceiverFactory};

/// The factory.
pub static FACTORY: ReceiverFactory = ReceiverFactory {
    component_type: "awsxray",
    aliases: &[],
    signals: &[Signal::Traces],
    parse: |section| -> BuildReceiver {
        let config = Arc::new(config::Config::read(section));
        Box::new(move |context, outlets| {
            let receiver = receiver::XRayReceiver::try_new(config.clone(), context, &outlets)?;
            Ok(Arc::new(receiver))
        })
    },
};
