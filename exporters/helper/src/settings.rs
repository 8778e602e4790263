//! What surrounds the send: timeout, retry, queue.

use config::{Queue, Retry, Timeout};
use confmap::{Presence, Section};
use telemetry::names::Label;

/// How an exporter's requests are queued, tried and bounded.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The limit of one attempt.
    pub timeout: Timeout,
    /// `retry_on_failure`; `None` when it is off.
    pub retry: Option<Retry>,
    /// `sending_queue`; `None` when it is off: the caller waits for the outcome and is given the error.
    pub queue: Option<Queue>,
    /// More labels for the families `sent` and `send_failed`, such as address and path of an HTTP backend. Values come from the
    /// configuration.
    pub labels: Vec<(Label, String)>,
}

impl Settings {
    /// Reads `retry_on_failure` and `sending_queue`, both with upstream's defaults: on. `timeout` is the caller's to read, since HTTP
    /// clients have a default of their own for it.
    #[must_use]
    pub fn read(section: &mut Section<'_>, timeout: Timeout) -> Self {
        let retry = Retry::read(section, Retry::default());
        let queue = read_queue(section, Presence::Some);
        Self { timeout, retry, queue, labels: Vec::new() }
    }
}

/// Reads `sending_queue`; `presence` is what it is when the user does not write it. Its `storage` is refused: there is no
/// storage extension yet.
#[must_use]
pub fn read_queue(section: &mut Section<'_>, presence: Presence) -> Option<Queue> {
    let queue = Queue::read(section, Queue::default(), presence)?;
    if let Some(storage) = &queue.storage {
        let message =
            format!("`storage` is not supported: there is no storage extension {storage:?}");
        let help = "remove `storage`; the queue is then held in memory";
        section.error_with_help("sending_queue", message, help);
    }
    Some(queue)
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node};

    use super::*;

    fn read(yaml: &str) -> (Settings, String) {
        let node = Node::from_yaml("file:c.yaml", yaml).unwrap();
        let diagnostics = Diagnostics::new();
        let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
        let settings = Settings::read(&mut section, Timeout::default());
        section.finish();
        (settings, diagnostics.to_string())
    }

    #[test]
    fn queue_and_retry_are_on_unless_they_are_turned_off() {
        let (settings, report) = read("{}");
        assert_eq!(report, "");
        assert_eq!(settings.queue, Some(Queue::default()));
        assert_eq!(settings.retry, Some(Retry::default()));
        let (settings, report) =
            read("{sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}");
        assert_eq!((settings.queue, settings.retry, report.as_str()), (None, None, ""));
    }

    #[test]
    fn persistent_queue_is_refused_by_name() {
        let (_, report) = read("sending_queue: {storage: file_storage/queue}");
        assert!(report.contains("`storage` is not supported"), "{report}");
        assert!(report.contains("file_storage/queue"), "{report}");
        assert!(report.contains("remove `storage`"), "{report}");
    }
}
