//! Go's: a line of the function, then a line of the place.

use super::{Frame, Stack, split_line};

pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut frames = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(label) = lines.next() {
        // What is before a place is its function; all else is a message or a goroutine's head.
        let is_label = !label.is_empty() && !label.starts_with(['\t', ' ']) && !is_head(label);
        if let Some(place) = lines.next_if(|line| is_label && line.starts_with(['\t', ' '])) {
            let place = place.trim();
            let place = place.rsplit_once(" +0x").map_or(place, |(place, _)| place);
            let (path, line) = split_line(place).unwrap_or((place, 0));
            frames.push(Frame { path, line, label });
        }
    }
    Stack { frames, causes: Vec::new() }
}

/// `goroutine N [running]:`.
fn is_head(line: &str) -> bool {
    line.starts_with("goroutine ") && line.ends_with(':')
}
