//! Java's stack traces, which PHP's SDK writes, too.

use std::borrow::Cow;

use super::{Frame, Stack, split_message};

/// The first line is the exception itself.
pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut stack = Stack::default();
    let mut lines = text.lines().skip(1).peekable();
    while let Some(line) = lines.next() {
        if let Some(frame) = frame(line) {
            stack.last().push(frame);
        } else if let Some(cause) = line.strip_prefix("Caused by: ") {
            let (kind, message) = split_message(cause);
            let mut message = Cow::Borrowed(message);
            // A message may have lines of its own.
            while let Some(more) = lines.next_if(|line| !ends_message(line)) {
                message.to_mut().push_str(more);
            }
            stack.caused_by(kind, message);
        }
    }
    stack
}

/// `\tat LABEL(FILE:LINE)`; a class loader's or module's name before a slash is no part of the label.
fn frame(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("\tat ")?;
    let (label, place) = rest.split_once('(')?;
    let place = place.strip_suffix(')')?;
    let label = label.split_once('/').map_or(label, |(_, label)| label);
    let (path, line) = place.split_once(':').unwrap_or((place, ""));
    Some(Frame { path, line: line.parse().unwrap_or_default(), label })
}

fn ends_message(line: &str) -> bool {
    frame(line).is_some()
        || line.starts_with("Caused by: ")
        || line.starts_with("\tSuppressed: ")
        || line.starts_with("\t... ")
}
