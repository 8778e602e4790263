//! Python's tracebacks: the outermost frame comes first, and the exception that was first comes first.

use super::{Cause, Frame, Stack, split_message};

const CHAINS: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

/// A traceback within the text.
#[derive(Default)]
struct Traceback<'t> {
    frames: Vec<Frame<'t>>,
    /// The lines of type and message.
    said: Vec<&'t str>,
}

pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut all = vec![Traceback::default()];
    for line in text.lines() {
        if CHAINS.iter().any(|chain| line.starts_with(chain)) {
            all.push(Traceback::default());
            continue;
        }
        let Some(current) = all.last_mut() else { continue };
        if let Some(frame) = frame(line) {
            current.frames.push(frame);
            current.said.clear();
        } else if !current.frames.is_empty()
            && (!current.said.is_empty() || !line.starts_with("  "))
        {
            // Lines of source and their marks are indented; the message begins where nothing is.
            current.said.push(line);
        }
    }
    let mut all = all.into_iter().rev().map(Traceback::finish);
    let frames = all.next().map(|last| last.frames).unwrap_or_default();
    Stack { frames, causes: all.collect() }
}

impl<'t> Traceback<'t> {
    fn finish(mut self) -> Cause<'t> {
        self.frames.reverse();
        while self.said.last().is_some_and(|line| line.is_empty()) {
            self.said.pop();
        }
        let Some((first, more)) = self.said.split_first() else {
            return Cause { frames: self.frames, ..Cause::default() };
        };
        let (kind, message) = split_message(first);
        let message = match more {
            [] => message.into(),
            _ => [&[message], more].concat().join("\n").into(),
        };
        Cause { kind, message, frames: self.frames }
    }
}

/// `  File "PATH", line N, in LABEL`. A syntax error's has no label.
fn frame(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("  File \"")?;
    let (path, rest) = rest.rsplit_once("\", line ")?;
    let (number, label) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(Frame { path, line: number.parse().unwrap_or_default(), label })
}
