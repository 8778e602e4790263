//! Colours, and lines that fit the screen.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::config::{Color, TreeConfig};
use crate::lines::is_control;
use crate::output::Screen;

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 100;
/// Lines are not cut shorter than this.
const COLUMNS_MIN: usize = 40;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether they are coloured.
    pub(crate) color: bool,
    /// Columns after which they are cut.
    pub(crate) width: Option<usize>,
}

/// What a piece of text is, which decides its colour. Sixteen-colour codes only, so that the terminal's theme keeps it readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Error,
    /// The service with this number.
    Service(usize),
}

impl Style {
    /// The style for a screen.
    pub(crate) fn new(config: &TreeConfig, screen: Screen) -> Self {
        let color = match config.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => screen.is_terminal && environment_allows_color(),
        };
        let width = match (config.width, screen.is_terminal) {
            (0, false) => None,
            (0, true) => Some(screen.columns.unwrap_or(COLUMNS)),
            (width, _) => Some(width),
        };
        Self { color, width: width.map(|width| width.max(COLUMNS_MIN)) }
    }

    /// A line at the end of `out`.
    pub(crate) fn line(self, out: &mut String) -> Line<'_> {
        Line { out, style: self, left: self.width.unwrap_or(usize::MAX) }
    }
}

/// Whether the person at the terminal wants colours (`NO_COLOR`, no-color.org) and the terminal knows them.
fn environment_allows_color() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A line being written.
pub(crate) struct Line<'a> {
    out: &'a mut String,
    style: Style,
    /// Columns that are left.
    left: usize,
}

impl Line<'_> {
    /// Appends text that has been made safe. What does not fit is cut, and so is everything after it.
    pub(crate) fn put(&mut self, ink: Ink, text: &str) {
        if self.left == 0 || text.is_empty() {
            return;
        }
        let width = text.width();
        let (start, end) = match self.style.color {
            true => ink.codes(),
            false => ("", ""),
        };
        self.out.push_str(start);
        if width <= self.left {
            self.out.push_str(text);
            self.left -= width;
        } else {
            // One column is for the ellipsis.
            let mut room = self.left - 1;
            for c in text.chars() {
                let Some(rest) = room.checked_sub(c.width().unwrap_or(0)) else { break };
                room = rest;
                self.out.push(c);
            }
            self.out.push('…');
            self.left = 0;
        }
        self.out.push_str(end);
    }

    /// Appends text without colour.
    pub(crate) fn plain(&mut self, text: &str) {
        self.put(Ink::Plain, text);
    }

    /// Ends the line.
    pub(crate) fn end(self) {
        self.out.push('\n');
    }
}

impl Ink {
    fn codes(self) -> (&'static str, &'static str) {
        const SERVICES: [&str; 6] =
            ["\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[32m", "\x1b[33m", "\x1b[96m"];
        let start = match self {
            Ink::Plain => return ("", ""),
            Ink::Strong => "\x1b[1m",
            Ink::Faint => "\x1b[2m",
            Ink::Good => "\x1b[32m",
            Ink::Warning => "\x1b[33m",
            Ink::Error => "\x1b[1;31m",
            Ink::Service(number) => SERVICES.get(number % SERVICES.len()).copied().unwrap_or(""),
        };
        (start, "\x1b[0m")
    }
}

/// Text fit to be shown on one line: control characters escaped, and cut after so many characters.
pub(crate) fn safe(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max));
    for (i, c) in text.chars().enumerate() {
        if i == chars_max {
            out.push('…');
            break;
        }
        if is_control(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const SCREEN: Screen = Screen { is_terminal: true, columns: Some(120) };
    const FILE: Screen = Screen { is_terminal: false, columns: None };

    fn cut(width: usize, pieces: &[&str]) -> String {
        let mut out = String::new();
        let mut line = Style { color: false, width: Some(width) }.line(&mut out);
        pieces.iter().for_each(|piece| line.plain(piece));
        line.end();
        out
    }

    #[test]
    fn line_is_cut_where_the_screen_ends() {
        assert_eq!(cut(6, &["abc", "def"]), "abcdef\n");
        assert_eq!(cut(6, &["abc", "defg", "h"]), "abcde…\n");
        assert_eq!(cut(6, &["日本語", "x"]), "日本語\n");
        assert_eq!(cut(6, &["日本語日"]), "日本…\n");
    }

    #[test]
    fn cut_piece_still_ends_its_colour() {
        let mut out = String::new();
        let mut line = Style { color: true, width: Some(4) }.line(&mut out);
        line.put(Ink::Error, "abcdef");
        line.put(Ink::Faint, "g");
        assert_eq!(out, "\x1b[1;31mabc…\x1b[0m");
    }

    #[test]
    fn configuration_wins_over_the_screen() {
        let mut tree = Config::default().tree;
        assert_eq!(Style::new(&tree, SCREEN).width, Some(120));
        assert_eq!(Style::new(&tree, FILE), Style { color: false, width: None });
        tree.color = Color::Always;
        tree.width = 80;
        assert_eq!(Style::new(&tree, FILE), Style { color: true, width: Some(80) });
        tree.color = Color::Never;
        assert!(!Style::new(&tree, SCREEN).color);
        tree.width = 3;
        assert_eq!(Style::new(&tree, SCREEN).width, Some(COLUMNS_MIN));
    }

    #[test]
    fn nothing_in_a_text_reaches_the_terminal_as_a_command() {
        assert_eq!(
            safe("a\x1b[2J\n\tb\u{202e}\u{9b}c", 100),
            "a\\u{1b}[2J\\n\\tb\\u{202e}\\u{9b}c"
        );
        assert_eq!(safe("äöü", 2), "äö…");
        assert_eq!(safe("äöü", 3), "äöü");
    }
}
