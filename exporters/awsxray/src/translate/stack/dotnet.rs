//! .NET's `Exception.ToString`: inner exceptions stand inside of the outer one, each with its frames before those of the one around it.

use super::{Cause, Frame, Stack, split_message};

const INNER: &str = "---> ";
/// Behind the last frame of a numbered one.
const END_OF_FURTHER: &str = "<---";
const END_OF_INNER: &str = "--- End of inner exception stack trace ---";

pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut all: Vec<Cause<'_>> = vec![Cause::default()];
    // The exception whose frames come now: the innermost that has not ended.
    let mut current = 0;
    let mut is_in_message = false;
    for line in text.lines() {
        let line = line.trim().trim_end_matches(END_OF_FURTHER);
        if !line.starts_with("at ")
            && let Some((_outer, inner)) = line.split_once(INNER)
        {
            // .NET Framework and Mono write all of a chain in one line.
            for inner in inner.split(INNER) {
                let (kind, message) = split_message(without_number(inner.trim_end()));
                all.push(Cause { kind, message: message.into(), frames: Vec::new() });
            }
            current = all.len() - 1;
            is_in_message = true;
        } else if line.starts_with(END_OF_INNER) {
            current = current.saturating_sub(1);
            is_in_message = false;
        } else if let Some(exception) = all.get_mut(current) {
            if let Some(frame) = frame(line) {
                exception.frames.push(frame);
                is_in_message = false;
            } else if is_in_message {
                let message = exception.message.to_mut();
                message.push('\n');
                message.push_str(line);
            }
        }
    }
    let mut all = all.into_iter();
    let frames = all.next().map(|outer| outer.frames).unwrap_or_default();
    Stack { frames, causes: all.collect() }
}

/// The exceptions of an `AggregateException` beyond its first are numbered: `(Inner Exception #1) TYPE`.
fn without_number(text: &str) -> &str {
    let numbered = text.strip_prefix("(Inner Exception #").and_then(|rest| rest.split_once(") "));
    numbered.map_or(text, |(_number, text)| text)
}

/// `at LABEL in PATH:line N`, or `at LABEL(...)`.
fn frame(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("at ")?;
    let Some((label, place)) = rest.split_once(" in ") else {
        let end = rest.rfind(')')?;
        return Some(Frame { path: "", line: 0, label: rest.get(..=end)? });
    };
    let (path, line) = place.rsplit_once(':').unwrap_or((place, ""));
    let line = line.strip_prefix("line ").unwrap_or(line);
    Some(Frame { path, line: line.parse().unwrap_or_default(), label })
}
