//! Elixir's `Exception.format_stacktrace`: `    (APP VERSION) PATH:LINE: LABEL`.

use super::{Frame, Stack, split_line};

pub(super) fn parse(text: &str) -> Stack<'_> {
    Stack { frames: text.lines().filter_map(frame).collect(), causes: Vec::new() }
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let rest = line.strip_prefix("    ")?.trim_start();
    let rest = match rest.strip_prefix('(') {
        Some(app) => app.split_once(") ")?.1,
        None => rest,
    };
    let Some((place, label)) = rest.split_once(": ") else {
        // A function that no file is known of.
        return rest.contains('/').then_some(Frame { path: "", line: 0, label: rest });
    };
    let (path, line) = split_line(place).unwrap_or((place, 0));
    Some(Frame { path, line, label })
}
