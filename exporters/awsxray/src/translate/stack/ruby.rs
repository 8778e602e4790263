//! Ruby's `Exception#full_message`: the innermost place stands before the message, each cause after the exception that it caused.

use std::borrow::Cow;

use super::{Frame, Stack};

pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut stack = Stack::default();
    let mut is_first = true;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(place) = line.trim_start().strip_prefix("from ") {
            stack.last().extend(frame(place).map(|(frame, _)| frame));
            continue;
        }
        let Some((frame, Some(said))) = frame(line) else { continue };
        let mut message = Cow::Borrowed(said);
        while let Some(more) = lines.next_if(|line| !line.starts_with("\tfrom ") && !begins(line)) {
            if !more.is_empty() {
                message.to_mut().push('\n');
                message.to_mut().push_str(more);
            }
        }
        if !std::mem::take(&mut is_first) {
            let kind = kind(said);
            let mark = format!(" ({kind})");
            stack.caused_by(kind, message.replacen(&mark, "", usize::from(!kind.is_empty())));
        }
        stack.last().push(frame);
    }
    stack
}

/// Whether an exception begins here.
fn begins(line: &str) -> bool {
    matches!(frame(line), Some((_, Some(said))) if !kind(said).is_empty())
}

/// The type, in parentheses at the end of the message's first line.
fn kind(said: &str) -> &str {
    let kind = said.strip_suffix(')').and_then(|said| said.rsplit_once('(')).map(|(_, kind)| kind);
    kind.filter(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase())).unwrap_or_default()
}

/// ``PATH:LINE:in `LABEL'``, or with both quotes alike since 3.4, and what is said behind it.
fn frame(text: &str) -> Option<(Frame<'_>, Option<&str>)> {
    let (place, rest) = match text.find(":in ") {
        Some(at) => (text.get(..at)?, text.get(at + 4..)?),
        None => {
            let (path, line) = super::split_line(text)?;
            return Some((Frame { path, line, label: "" }, None));
        }
    };
    let (path, line) = super::split_line(place)?;
    let rest = rest.strip_prefix(['`', '\''])?;
    let (label, rest) = match rest.split_once("': ") {
        Some((label, said)) => (label, Some(said)),
        None => (rest.strip_suffix('\'')?, None),
    };
    Some((Frame { path, line, label }, rest))
}
