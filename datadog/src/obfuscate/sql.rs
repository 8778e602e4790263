//! Statements with their values taken out, as the Agent's `pkg/obfuscate/sql.go` does it.
//!
//! Values become `?`, and lists of values one `?`; comments, aliases and semicolons go; what is left is written with a space between
//! tokens. This is the resource under which Datadog counts the statement, so that every character of it matters.

mod filter;
mod lexer;
mod writer;

use filter::{State, Text, filter};
use lexer::{Form, Kind, Lexer};
use writer::Writer;

pub(super) use writer::Buffer;

/// Why there is no statement to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unparsable {
    /// A backslash stood in quotes: reading it the other way may help.
    pub(super) seen_escape: bool,
}

/// Writes what may be seen of `statement` to `out`: at most two bytes for each of its own.
pub(super) fn obfuscate(
    statement: &str,
    literal_escapes: bool,
    out: &mut Buffer,
) -> Result<(), Unparsable> {
    let mut lexer = Lexer::new(statement, literal_escapes);
    let mut writer = Writer::new(statement, literal_escapes, out);
    let mut state = State::START;
    loop {
        let token = lexer.next_token();
        if token.kind == Kind::End {
            break;
        }
        match (filter(&mut state, token.kind), token.form) {
            (Text::Nothing, _) => {}
            (Text::Own, Form::Plain) => writer.source(true, token.start, token.end),
            (Text::Hidden, _) => writer.character(true, b'?'),
            (Text::OwnTogether, _) => writer.source(false, token.start, token.end),
            (Text::Own, form) => writer.quoted(form, token.start, token.end),
            (Text::OwnAfterOpen, form) => {
                writer.character(true, b'(');
                writer.quoted(form, token.start, token.end);
            }
            (Text::Fail, _) => return Err(Unparsable { seen_escape: lexer.seen_escape() }),
        }
    }
    if writer.finish() { Ok(()) } else { Err(Unparsable { seen_escape: lexer.seen_escape() }) }
}
