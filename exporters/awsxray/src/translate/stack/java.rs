//! Java's stack traces, which PHP's SDK writes, too.

use std::borrow::Cow;

use super::{Frame, Stack, split_line, split_message};

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
                message.to_mut().push('\n');
                message.to_mut().push_str(more);
            }
            // An exception that stands above already ends the chain.
            if !kind.starts_with("[CIRCULAR REFERENCE") {
                stack.caused_by(kind, message);
            }
        }
    }
    stack
}

/// `\tat LABEL(FILE:LINE)`.
fn frame(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("\tat ")?;
    let (label, place) = rest.split_once('(')?;
    let (path, line) = place_of(place.strip_suffix(')')?);
    Some(Frame { path, line, label: without_module(label) })
}

/// `FILE:LINE`; code that PHP has made of a text has colons in its file's name.
fn place_of(text: &str) -> (&str, i64) {
    split_line(text).unwrap_or((text.split_once(':').map_or(text, |(path, _)| path), 0))
}

/// A label without the names of the class loader and the module before it, as in `app//a.B.c` and `java.base@17/a.B.c`. Slashes in names of hidden
/// and anonymous classes are theirs.
fn without_module(label: &str) -> &str {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    let mut label = label;
    while let Some((module, rest)) = label.split_once('/') {
        if !module.bytes().all(is_part) {
            break;
        }
        label = rest;
    }
    label
}

fn ends_message(line: &str) -> bool {
    frame(line).is_some()
        || line.starts_with("Caused by: ")
        || line.starts_with("\tSuppressed: ")
        || line.starts_with("\t... ")
}
