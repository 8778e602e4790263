//! A trace as lines of text.
//!
//! Durations and the time line stand in columns of their own at the left, so that nothing to the right of them has to be aligned: names
//! of any length, and in any script, cannot disturb it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pdata::view::SpanKind;

use super::layout::{Item, LEVELS_MAX, layout, level_bit};
use super::row::{Key, Row};
use crate::display::{Human, Id};
use crate::records::moment;
use crate::style::{Ink, Line, Style};

/// Columns of the time line on a wide screen and on a narrower one; below that there is none.
const WIDE: (usize, usize) = (110, 24);
const NARROW: (usize, usize) = (70, 16);
/// Columns of a duration.
const DURATION: usize = 9;
/// Services named in a heading.
const SERVICES_NAMED: usize = 4;

/// A trace, or what came late to one.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) trace: Option<Key>,
    pub(crate) rows: Vec<Row>,
    /// What is known of the trace when a part of it has been shown before.
    pub(crate) earlier: Option<Earlier>,
}

/// What is known of a trace that was shown before.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The name of its root, or of its first span.
    pub(crate) name: Box<str>,
    /// The names of those spans that the late ones are children of.
    pub(crate) parents: HashMap<Key, Box<str>>,
}

/// The lines of a picture, with an empty one before them.
pub(crate) fn render(picture: &Picture, style: Style) -> String {
    let scale = Scale::of(&picture.rows);
    let services = Services::of(&picture.rows);
    let bars = [WIDE, NARROW].into_iter();
    let fits = |columns: &(usize, usize)| style.width.is_none_or(|width| width >= columns.0);
    let bar = bars.into_iter().find(fits).map_or(0, |(_, bar)| bar);
    let canvas = Canvas { style, scale, services, bar };
    let mut out = String::from("\n");
    canvas.heading(&mut out, picture);
    let mut above: Vec<Option<&Arc<str>>> = Vec::new();
    for item in layout(&picture.rows) {
        match item {
            Item::Span { row, level, last, passing, has_children } => {
                let Some(row) = picture.rows.get(row) else { continue };
                above.truncate(level);
                above.resize(level, None);
                // The service is told where it changes on the way down.
                let is_new = above.last().copied().flatten() != Some(&row.service);
                above.push(Some(&row.service));
                let place = Place { level, last, passing, has_children };
                canvas.span(&mut out, row, place, is_new);
            }
            Item::Missing(parent) => {
                above.clear();
                let known =
                    picture.earlier.as_ref().and_then(|earlier| earlier.parents.get(&parent));
                match known {
                    Some(name) => canvas.note(&mut out, &format!("(under {name}, shown before)")),
                    None => {
                        let id = Id(parent.bytes());
                        canvas.note(&mut out, &format!("(missing parent {id})"));
                    }
                }
            }
            Item::Cycle => {
                above.clear();
                canvas.note(&mut out, "(parents that lead back to their own children)");
            }
        }
    }
    out
}

struct Canvas<'a> {
    style: Style,
    scale: Option<Scale>,
    services: Services<'a>,
    bar: usize,
}

/// Where a span stands in the tree.
#[derive(Clone, Copy)]
struct Place {
    level: usize,
    last: bool,
    passing: u32,
    has_children: bool,
}

impl Canvas<'_> {
    fn heading(&self, out: &mut String, picture: &Picture) {
        let (rows, mut line) = (&picture.rows, self.style.line(out));
        match picture.trace {
            Some(trace) => line.put(Ink::Strong, &format!("trace {}", Id(trace.bytes()))),
            None => line.put(Ink::Strong, "spans without a trace id"),
        }
        if let Some(earlier) = &picture.earlier {
            line.plain(&format!("  {} of {}", count(rows.len(), "late span"), earlier.name));
        } else {
            if let Some(scale) = &self.scale {
                line.plain(&format!("  {}", Human(Duration::from_nanos(scale.length))));
            }
            line.plain(&format!("  {}", count(rows.len(), "span")));
        }
        let errors = rows.iter().filter(|row| row.failed).count();
        if errors > 0 {
            line.put(Ink::Error, &format!("  {}", count(errors, "error")));
        }
        self.services.heading(&mut line);
        if let Some(scale) = &self.scale {
            line.put(Ink::Faint, &format!("  {}", moment(scale.start)));
        }
        line.end();
    }

    fn span(&self, out: &mut String, row: &Row, place: Place, names_service: bool) {
        let mut line = self.style.line(out);
        let ink = self.services.ink(&row.service);
        let duration = row
            .duration()
            .map_or("?".to_owned(), |nanos| Human(Duration::from_nanos(nanos)).to_string());
        line.plain(&format!("{duration:>DURATION$}  "));
        if self.bar > 0 {
            let bar = self.scale.as_ref().and_then(|scale| scale.bar(row, self.bar));
            let (before, bar, after) = bar.unwrap_or((self.bar, String::new(), 0));
            line.plain(&" ".repeat(before));
            line.put(if row.failed { Ink::Error } else { ink }, &bar);
            line.plain(&" ".repeat(after + 2));
        }
        line.put(Ink::Faint, &place.guides());
        if row.failed {
            line.put(Ink::Error, "✗ ");
        }
        let name = match (row.failed, place.level) {
            (true, _) => Ink::Error,
            (false, 0) => Ink::Strong,
            (false, _) => Ink::Plain,
        };
        line.put(name, &row.name);
        if names_service && !row.service.is_empty() {
            line.put(ink, &format!("  [{}]", row.service));
        }
        let kind = kind(row.kind);
        let facts: Vec<&str> =
            [kind, &row.facts].into_iter().filter(|fact| !fact.is_empty()).collect();
        if !facts.is_empty() {
            let space = if names_service && !row.service.is_empty() { " " } else { "  " };
            line.put(Ink::Faint, &format!("{space}{}", facts.join(" · ")));
        }
        line.end();
        for error in &row.errors {
            let mut line = self.margin(out);
            line.put(Ink::Faint, &place.guides_below());
            line.put(if row.failed { Ink::Error } else { Ink::Warning }, error);
            line.end();
        }
    }

    fn note(&self, out: &mut String, text: &str) {
        let mut line = self.margin(out);
        line.put(Ink::Warning, text);
        line.end();
    }

    /// A line that is empty up to where the tree begins.
    fn margin<'o>(&self, out: &'o mut String) -> Line<'o> {
        let mut line = self.style.line(out);
        let bar = if self.bar > 0 { self.bar + 2 } else { 0 };
        line.plain(&" ".repeat(DURATION + 2 + bar));
        line
    }
}

impl Place {
    /// The lines of the tree in front of a name.
    fn guides(self) -> String {
        let mut guides = self.guides_above();
        if self.level > 0 {
            guides.push_str(if self.last { "└─ " } else { "├─ " });
        }
        if self.level > LEVELS_MAX {
            guides.push_str(&format!("(level {}) ", self.level));
        }
        guides
    }

    /// The lines of the tree in front of what belongs to the name above.
    fn guides_below(self) -> String {
        let mut guides = self.guides_above();
        if self.level > 0 {
            guides.push_str(if self.last { "   " } else { "│  " });
        }
        guides.push_str(if self.has_children { "│  " } else { "   " });
        guides
    }

    fn guides_above(self) -> String {
        let passes = |level| self.passing & level_bit(level) != 0;
        (1..self.level.min(LEVELS_MAX))
            .map(|level| if passes(level) { "│  " } else { "   " })
            .collect()
    }
}

/// The time that a trace takes up.
struct Scale {
    start: u64,
    length: u64,
}

impl Scale {
    fn of(rows: &[Row]) -> Option<Self> {
        let sound = || rows.iter().filter(|row| row.duration().is_some());
        let start = sound().map(|row| row.start).min()?;
        let end = sound().map(|row| row.end).max()?;
        Some(Self { start, length: end - start })
    }

    /// A span's part of the time line: columns before it, itself, columns after it. Drawn to half a column.
    fn bar(&self, row: &Row, columns: usize) -> Option<(usize, String, usize)> {
        let duration = row.duration()?;
        let halves = columns as u128 * 2;
        let half = |nanos: u64| match self.length {
            0 => 0,
            length => (u128::from(nanos) * halves + u128::from(length) / 2) / u128::from(length),
        };
        let offset = row.start - self.start;
        // However short, it is seen.
        let from = half(offset).min(halves - 1) as usize;
        let to = (half(offset + duration) as usize).max(from + 1);
        let mut bar = String::new();
        for column in from / 2..to.div_ceil(2) {
            bar.push(match (from <= column * 2, to >= column * 2 + 2) {
                (true, true) => '━',
                (true, false) => '╸',
                (false, _) => '╺',
            });
        }
        Some((from / 2, bar, columns - to.div_ceil(2)))
    }
}

/// The services of a trace, in the order of time.
struct Services<'a> {
    names: Vec<&'a str>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Services<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let mut by_time: Vec<&Row> = rows.iter().collect();
        by_time.sort_by_key(|row| row.start);
        let (mut names, mut numbers) = (Vec::new(), HashMap::new());
        for name in by_time.into_iter().map(|row| &*row.service).filter(|name| !name.is_empty()) {
            numbers.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
        }
        Self { names, numbers }
    }

    fn ink(&self, service: &str) -> Ink {
        self.numbers.get(service).map_or(Ink::Plain, |number| Ink::Service(*number))
    }

    fn heading(&self, line: &mut Line<'_>) {
        for (number, name) in self.names.iter().take(SERVICES_NAMED).enumerate() {
            line.plain(if number == 0 { "  " } else { ", " });
            line.put(Ink::Service(number), name);
        }
        if let Some(more) = self.names.len().checked_sub(SERVICES_NAMED).filter(|more| *more > 0) {
            line.plain(&format!(" and {more} more"));
        }
    }
}

fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified | SpanKind::Internal => "",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

#[cfg(test)]
mod tests;
