//! Which invocations are over, by the platform's own word.

use std::collections::VecDeque;

use crate::flush::Ended;
use crate::telemetry::{Event, EventKind};

/// Ends that are remembered: one may be heard of before the INVOKE event that it belongs to.
const REMEMBERED: usize = 16;

/// Ends of invocations that have been heard of.
#[derive(Debug, Default)]
pub(super) struct Finished {
    recent: VecDeque<(String, Ended)>,
    is_anything_lost: bool,
}

impl Finished {
    /// An invocation begins.
    pub(super) fn invoked(&mut self) {
        self.is_anything_lost = false;
    }

    /// Takes a batch of events in.
    pub(super) fn note(&mut self, events: &[Event]) {
        for event in events {
            match event.kind {
                EventKind::RuntimeDone => {
                    let Some(record) = event.platform() else { continue };
                    let ended = match record.text("status") {
                        Some("success") => Ended::Well,
                        _ => Ended::Badly,
                    };
                    let Some(request_id) = record.text("requestId") else { continue };
                    if self.recent.len() >= REMEMBERED {
                        let _oldest = self.recent.pop_front();
                    }
                    self.recent.push_back((request_id.to_owned(), ended));
                }
                // The end may be among what was dropped.
                EventKind::LogsDropped => self.is_anything_lost = true,
                _ => {}
            }
        }
    }

    /// How this invocation ended, if it has.
    pub(super) fn take(&mut self, request_id: &str) -> Option<Ended> {
        let at = self.recent.iter().position(|(id, _)| id == request_id)?;
        self.recent.remove(at).map(|(_, ended)| ended)
    }

    /// Whether the platform has dropped events since the invocation began.
    pub(super) fn is_anything_lost(&self) -> bool {
        self.is_anything_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::parse;

    fn note(finished: &mut Finished, json: &str) {
        finished.note(&parse(json.as_bytes()).events);
    }

    fn done(id: &str, status: &str) -> String {
        format!(
            r#"[{{"time":"2024-01-01T00:00:00Z","type":"platform.runtimeDone","record":{{"requestId":"{id}","status":"{status}"}}}}]"#
        )
    }

    #[test]
    fn an_invocation_is_over_when_its_own_id_was_named() {
        let mut finished = Finished::default();
        note(&mut finished, &done("other", "success"));
        assert_eq!(finished.take("mine"), None);
        note(&mut finished, &done("mine", "success"));
        assert_eq!(finished.take("mine"), Some(Ended::Well));
        assert_eq!(finished.take("mine"), None);
        for status in ["failure", "error", "timeout", "?"] {
            note(&mut finished, &done("mine", status));
            assert_eq!(finished.take("mine"), Some(Ended::Badly), "{status}");
        }
    }

    #[test]
    fn ends_are_remembered_up_to_a_bound() {
        let mut finished = Finished::default();
        for id in 0..REMEMBERED + 1 {
            note(&mut finished, &done(&id.to_string(), "success"));
        }
        assert_eq!(finished.take("0"), None);
        assert_eq!(finished.take("1"), Some(Ended::Well));
    }

    #[test]
    fn dropped_events_count_until_the_next_invocation() {
        let mut finished = Finished::default();
        note(
            &mut finished,
            r#"[{"time":"2024-01-01T00:00:00Z","type":"platform.logsDropped","record":{"droppedRecords":3}}]"#,
        );
        assert!(finished.is_anything_lost());
        finished.invoked();
        assert!(!finished.is_anything_lost());
    }
}
