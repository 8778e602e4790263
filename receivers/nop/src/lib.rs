//! The `nop` receiver: receives nothing. For configs that need a receiver and have none yet.

use std::sync::Arc;

use pdata::Signal;
use pipeline::{BoxFuture, BuildReceiver, Component, Deadline, Receiver, ReceiverFactory};

/// The factory.
pub static FACTORY: ReceiverFactory = ReceiverFactory {
    component_type: "nop",
    aliases: &[],
    signals: &Signal::ALL,
    parse: |section| -> BuildReceiver {
        section.finish();
        Box::new(|_context, _outlets| Ok(Arc::new(Nop) as Arc<dyn Receiver>))
    },
};

struct Nop;

impl Component for Nop {
    fn shutdown(&self, _deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl Receiver for Nop {}
