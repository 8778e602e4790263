//! Python's tracebacks: the outermost frame comes first, and the exception that was first comes first. The exceptions of a group come behind it, each
//! as the cause of the one before, as X-Ray knows chains only.

use super::{Cause, Frame, Stack, split_message};

const CHAINS: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

/// The first line of a group's traceback.
const GROUP: &str = "+ Exception Group Traceback (most recent call last):";

/// A traceback within the text.
#[derive(Default)]
struct Traceback<'t> {
    frames: Vec<Frame<'t>>,
    /// The lines of type and message.
    said: Vec<&'t str>,
}

pub(super) fn parse(text: &str) -> Stack<'_> {
    let is_group = text.lines().any(|line| line.trim_start() == GROUP);
    let mut all = Vec::new();
    let mut tracebacks = vec![Traceback::default()];
    for line in text.lines() {
        let line = if is_group { without_margin(line) } else { line };
        if is_group && ["--", "-+-"].iter().any(|begin| line.starts_with(begin)) {
            all.extend(finished(&mut tracebacks, all.is_empty()));
            continue;
        }
        if CHAINS.iter().any(|chain| line.starts_with(chain)) {
            tracebacks.push(Traceback::default());
            continue;
        }
        let Some(current) = tracebacks.last_mut() else { continue };
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
    all.extend(finished(&mut tracebacks, all.is_empty()));
    let mut all = all.into_iter();
    let frames = all.next().map(|own| own.frames).unwrap_or_default();
    Stack { frames, causes: all.collect() }
}

/// The exceptions of a chain, the last one first, and a new chain in their place. Only the exception itself may be one without a trace.
fn finished<'t>(tracebacks: &mut Vec<Traceback<'t>>, is_own: bool) -> Vec<Cause<'t>> {
    let chain = std::mem::replace(tracebacks, vec![Traceback::default()]);
    let chain = chain.into_iter().rev().map(Traceback::finish);
    chain.filter(|cause| is_own || !cause.frames.is_empty()).collect()
}

/// A line without what a group draws before it: `  | `, `  + `, or `  +` before the line that begins the next of its exceptions.
fn without_margin(line: &str) -> &str {
    match line.trim_start().strip_prefix(['|', '+']) {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
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
