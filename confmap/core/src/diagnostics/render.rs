//! Diagnostics as a terminal shows them.

use std::fmt::{self, Write};

use super::{Diagnostic, Diagnostics, Excerpt, Severity, excerpt};

/// The escape sequences of one look.
struct Palette {
    error: &'static str,
    warning: &'static str,
    strong: &'static str,
    rule: &'static str,
    reset: &'static str,
}

const PLAIN: Palette = Palette { error: "", warning: "", strong: "", rule: "", reset: "" };
const COLOUR: Palette = Palette {
    error: "\x1b[1;31m",
    warning: "\x1b[1;33m",
    strong: "\x1b[1m",
    rule: "\x1b[1;34m",
    reset: "\x1b[0m",
};

impl Diagnostics {
    /// All diagnostics in file order, each with place, line, caret and help, ending in a line
    /// break; the empty string when there are none.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let palette = if colour { &COLOUR } else { &PLAIN };
        let mut out = String::new();
        for diagnostic in self.sorted() {
            diagnostic.render(palette, &mut out);
        }
        let left_out = self.left_out();
        if left_out > 0 {
            line(&mut out, format_args!("{left_out} more errors and warnings are not shown"));
        }
        out
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl Diagnostic {
    fn render(&self, palette: &Palette, out: &mut String) {
        let Palette { error, warning, strong, rule, reset } = palette;
        let (colour, word) = match self.severity {
            Severity::Error => (error, "error"),
            Severity::Warning => (warning, "warning"),
        };
        let text = excerpt::printable(&self.to_string());
        line(out, format_args!("{colour}{word}{reset}{strong}: {text}{reset}"));
        let mut gutter = String::from(" ");
        if let Some(origin) = &self.origin {
            let number = origin.line().to_string();
            gutter = " ".repeat(number.len() + 1);
            let place = excerpt::printable(&origin.to_string());
            line(out, format_args!("{}{rule}-->{reset} {place}", " ".repeat(number.len())));
            if let Some(excerpt) = self.cut_excerpt() {
                let (shown, marks) = (excerpt.line, excerpt.marks);
                line(out, format_args!("{gutter}{rule}|{reset}"));
                line(out, format_args!("{rule}{number} |{reset} {shown}"));
                line(out, format_args!("{gutter}{rule}|{reset} {colour}{marks}{reset}"));
            }
            if let Some(reference) = origin.referenced_at() {
                let place = excerpt::printable(&reference.to_string());
                line(out, format_args!("{gutter}{rule}={reset} note: referenced at {place}"));
            }
        }
        for note in &self.notes {
            let note = excerpt::printable(note);
            line(out, format_args!("{gutter}{rule}={reset} note: {note}"));
        }
        if let Some(help) = &self.help {
            let help = excerpt::printable(help);
            line(out, format_args!("{gutter}{rule}={reset} help: {help}"));
        }
    }

    fn cut_excerpt(&self) -> Option<excerpt::Cut> {
        let origin = self.origin.as_ref()?;
        let (column, width) = (origin.column(), origin.width());
        match self.excerpt {
            Excerpt::Line => Some(excerpt::cut(origin.line_text()?, column, width, false)),
            Excerpt::Key => Some(excerpt::cut(origin.line_text()?, column, width, true)),
            Excerpt::Withheld => None,
        }
    }
}

fn line(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = writeln!(out, "{text}");
}
