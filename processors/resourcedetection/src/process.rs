//! The processor in one pipeline.

use std::sync::Arc;

use pdata::Payload;
use pipeline::{
    BoxFuture, Client, Component, ConsumeError, Consumer, Context, Deadline, Envelope, Outlet,
    Processor, StartError,
};

use crate::detection::Detection;

/// The processor.
pub(crate) struct ResourceDetection {
    detection: Arc<Detection>,
    context: Context,
    /// Puts what is detected into payloads, and passes them on.
    editor: Arc<dyn Processor>,
}

impl ResourceDetection {
    /// The processor, not yet started.
    pub(crate) fn new(detection: Arc<Detection>, context: Context, next: Outlet) -> Self {
        let detected = detection.clone();
        let edit = move |payload: &mut Payload, _client: &Client| put_into(payload, &detected);
        let editor = attributes::processor(&context, next, edit);
        Self { detection, context, editor }
    }
}

fn put_into(payload: &mut Payload, detection: &Detection) {
    let detected = detection.detected();
    if !detected.is_empty() {
        let overrides = detection.overrides();
        payload.edit_resources(|resource| detected.put_into(resource, overrides));
    }
}

impl Consumer for ResourceDetection {
    fn consume(&self, envelope: Envelope) -> BoxFuture<'_, Result<(), ConsumeError>> {
        Box::pin(async move {
            tokio::select! {
                () = self.detection.wait() => {}
                // What comes while the process ends goes on with what is known.
                () = self.context.tasks.stopped() => {}
            }
            self.editor.consume(envelope).await
        })
    }
}

impl Component for ResourceDetection {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        self.detection.begin();
        let (detection, tasks) = (self.detection.clone(), self.context.tasks.clone());
        self.context.tasks.spawn("detection", async move {
            tokio::select! {
                () = detection.run() => {}
                () = tasks.stopped() => {}
            }
        });
        Box::pin(async { Ok(()) })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            self.context.tasks.join(deadline).await;
            0
        })
    }
}

impl Processor for ResourceDetection {}

#[cfg(test)]
mod tests;
