//! Stack traces of V8, and of the browsers that have no V8.

use super::{Frame, Stack};

/// Every form: `    at LABEL (PATH:LINE:COLUMN)`, `    at PATH:LINE:COLUMN`, and `LABEL@PATH:LINE:COLUMN` of Firefox and Safari. What
/// `[cause]` shows becomes causes.
pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut stack = Stack::default();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(cause) = trimmed.strip_prefix("[cause]: ") {
            let (kind, message) = super::split_message(cause.trim_end_matches(" {"));
            stack.caused_by(kind, message);
        } else if let Some(frame) = v8(trimmed).or_else(|| at_sign(trimmed)) {
            stack.last().push(frame);
        }
    }
    stack
}

fn v8(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("at ")?.trim_end_matches(" {");
    let Some((label, place)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) else {
        let (label, rest) = match rest.strip_prefix("async ") {
            Some(rest) => ("async", rest),
            None => ("", rest),
        };
        let (path, line) = place_or_all(rest);
        return Some(Frame { path, line, label });
    };
    let (path, line) = place_or_all(place);
    Some(Frame { path, line, label })
}

fn at_sign(line: &str) -> Option<Frame<'_>> {
    let (label, rest) = line.split_once('@')?;
    let (path, line) = place(rest)?;
    Some(Frame { path, line, label })
}

fn place_or_all(text: &str) -> (&str, i64) {
    place(text).unwrap_or((text, 0))
}

/// `PATH:LINE:COLUMN`, or `PATH:LINE`.
fn place(text: &str) -> Option<(&str, i64)> {
    let (before, last) = super::split_line(text)?;
    Some(super::split_line(before).unwrap_or((before, last)))
}

/// As upstream reads it: the label keeps the space behind it, and a path ends at its first colon, whatever follows.
pub(super) fn parse_as_upstream(text: &str) -> Stack<'_> {
    let frames = text.lines().skip(1).filter_map(|line| line.strip_prefix("    at "));
    Stack { frames: frames.filter_map(upstream_frame).collect(), causes: Vec::new() }
}

fn upstream_frame(rest: &str) -> Option<Frame<'_>> {
    let (label, place) = match rest.split_once('(') {
        Some((label, place)) => (label, place.strip_suffix(')')?),
        None => ("", rest),
    };
    let frame = match place.split_once(':') {
        Some((path, behind)) => match behind.split_once(':') {
            Some((line, _)) => Frame { path, line: line.parse().unwrap_or_default(), label },
            None => Frame { path: place, line: 0, label },
        },
        None if place.contains("native") => Frame { path: "native", line: 0, label },
        None => Frame { path: place, line: 0, label },
    };
    (frame != Frame::default()).then_some(frame)
}
