//! Stack traces as the `awsxray` receiver writes those of X-Ray.

use super::Frame;

/// `\tat LABEL(PATH: LINE)` for each frame; the line is a number or `<unknown>`.
pub(super) fn parse(text: &str) -> Vec<Frame<'_>> {
    text.lines().filter_map(frame).collect()
}

fn frame(line: &str) -> Option<Frame<'_>> {
    let inner = line.strip_prefix("\tat ")?.strip_suffix(')')?;
    let (place, number) = inner.rsplit_once(": ")?;
    let line = if number == "<unknown>" { 0 } else { number.parse().ok()? };
    let open = opening(place)?;
    let (label, path) = place.split_at(open);
    Some(Frame { path: path.strip_prefix('(')?, line, label })
}

/// Where the parenthesis opens that is closed at the end of the line: labels and paths may have pairs of their own.
fn opening(place: &str) -> Option<usize> {
    let mut open = 0;
    let mut signs = place.bytes().enumerate().rev();
    let of_pairs = signs.find_map(|(at, byte)| {
        match byte {
            b')' => open += 1,
            b'(' if open == 0 => return Some(at),
            b'(' => open -= 1,
            _ => {}
        }
        None
    });
    of_pairs.or_else(|| place.rfind('('))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_the_receiver_writes_them() {
        let text = "E: m\n\tat run(/a.py: 7)\n\tat Void F(Int32)(C:\\Program Files (x86)\\a.cs: 3)\n\tat (: <unknown>)\n\tat x(y)\nat z(a: 1)\n\tat f)(b: 2)\n";
        let frames: Vec<_> =
            parse(text).into_iter().map(|frame| (frame.label, frame.path, frame.line)).collect();
        let expected = [
            ("run", "/a.py", 7),
            ("Void F(Int32)", "C:\\Program Files (x86)\\a.cs", 3),
            ("", "", 0),
            ("f)", "b", 2),
        ];
        assert_eq!(frames, expected);
    }
}
