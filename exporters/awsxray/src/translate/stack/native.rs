//! What compiled programs print: Rust's backtraces, `std::stacktrace` of C++, the call stack symbols of Swift.

use super::{Frame, Stack, split_line};

pub(super) fn parse(text: &str) -> Stack<'_> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(place) = line.strip_prefix("at ")
            && let Some(last) = frames.last_mut()
        {
            // Rust: the place of the frame above, `PATH:LINE:COLUMN`.
            let (before, number) = split_line(place).unwrap_or((place, 0));
            (last.path, last.line) = split_line(before).unwrap_or((before, number));
        } else {
            frames.extend(numbered(line));
        }
    }
    Stack { frames, causes: Vec::new() }
}

/// `N: LABEL`, `N# LABEL at PATH:LINE`, `N# LABEL in MODULE`, `N MODULE ADDRESS LABEL + OFFSET`.
fn numbered(line: &str) -> Option<Frame<'_>> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at_checked(digits)?;
    if number.is_empty() {
        return None;
    }
    if let Some(label) = rest.strip_prefix(": ") {
        return Some(Frame { path: "", line: 0, label: label.trim() });
    }
    if let Some(rest) = rest.strip_prefix('#') {
        let rest = rest.trim();
        if let Some((label, place)) = rest.rsplit_once(" at ") {
            let (path, line) = split_line(place).unwrap_or((place, 0));
            return Some(Frame { path, line, label });
        }
        let (label, path) = rest.rsplit_once(" in ").unwrap_or((rest, ""));
        return Some(Frame { path, line: 0, label });
    }
    let (module, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let (address, label) = rest.trim_start().split_once(' ')?;
    let label = label.rsplit_once(" + ").map_or(label, |(label, _)| label);
    address.starts_with("0x").then_some(Frame { path: module, line: 0, label })
}
