//! A statement in tokens, as the Agent's tokenizer (`pkg/obfuscate/sql_tokenizer.go` of DataDog/datadog-agent 0.85.4) cuts it when it
//! is not told which database it is for.
//!
//! It is no SQL lexer: what it makes of `->`, `//` or `-.` is what ends up in Datadog's resource names, so it has to be the same here,
//! and the tests compare it with what the Agent answers.

mod number;
mod quoted;
mod rare;
mod word;

use crate::letters::is_letter;

pub(super) use quoted::unescaped;

/// A token and where its text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What the filters tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The statement is over.
    End,
    /// The rest cannot be cut.
    Invalid,
    /// A name, quoted with backticks or not.
    Name,
    /// A keyword that may begin a query inside of parentheses.
    Query,
    /// `AS`: the alias after it goes.
    As,
    /// `SAVEPOINT`: what follows is replaced.
    Savepoint,
    /// Anything whose value must not be seen.
    Literal,
    /// Text in double quotes: a name, but after `=` a value.
    Quoted,
    Comment,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Semicolon,
    Equals,
    Colon,
    /// Everything else: other keywords, operators, bind variables.
    Other,
    /// Something that the filters took or replaced, and that runs together with its like.
    Taken,
    /// The same for an opening parenthesis.
    TakenOpen,
    /// Something that the filters took.
    Gone,
    /// Inside of the brackets of an alias.
    Alias,
}

impl Kind {
    /// The kinds that tokens have before they pass the filters.
    pub(super) const ALL: [Kind; 16] = [
        Kind::Name,
        Kind::Query,
        Kind::As,
        Kind::Savepoint,
        Kind::Literal,
        Kind::Quoted,
        Kind::Comment,
        Kind::Open,
        Kind::Close,
        Kind::OpenBracket,
        Kind::CloseBracket,
        Kind::Comma,
        Kind::Semicolon,
        Kind::Equals,
        Kind::Colon,
        Kind::Other,
    ];
}

/// How a token's text is made of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it stands.
    Plain,
    /// Without the escapes of this quote.
    Escaped(u8),
    /// Nothing but blanks between quotes: the two quotes.
    Blank(u8),
}

/// Cuts one statement.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Open braces of a statement that begins with one.
    braces: usize,
    /// The last token was a minus with a dot that the tokenizer looked at and forgot.
    lost_dot: bool,
    literal_escapes: bool,
    seen_escape: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer at the beginning of `text`. With `literal_escapes` a backslash in quotes is a character like others.
    pub(super) fn new(text: &'a str, literal_escapes: bool) -> Self {
        Lexer { text, at: 0, braces: 0, lost_dot: false, literal_escapes, seen_escape: false }
    }

    /// Whether a backslash stood in quotes so far.
    pub(super) fn seen_escape(&self) -> bool {
        self.seen_escape
    }

    /// The next token. After `End` and `Invalid` there is none.
    #[inline]
    pub(super) fn next_token(&mut self) -> Token {
        if self.lost_dot {
            return self.after_lost_dot();
        }
        let mut start = self.at;
        if self.byte(start) == Some(b' ') {
            start += 1;
        }
        loop {
            let Some(first) = self.byte(start) else {
                return self.token(Kind::End, start, start);
            };
            let kind = match first {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' => return self.word(start),
                b'0'..=b'9' => return self.number(start, start),
                b'\'' => return self.quoted(start, Kind::Literal),
                b'"' => return self.quoted(start, Kind::Quoted),
                b'`' => return self.quoted(start, Kind::Name),
                b',' => Kind::Comma,
                b'(' => Kind::Open,
                b')' => Kind::Close,
                b'=' => Kind::Equals,
                b';' => Kind::Semicolon,
                b'?' => Kind::Literal,
                b'[' => Kind::OpenBracket,
                b']' => Kind::CloseBracket,
                b'+' | b'*' | b'&' | b'|' | b'^' => Kind::Other,
                _ => match self.blank(start, first) {
                    0 => return self.rare(start, first),
                    blank => {
                        start += blank;
                        continue;
                    }
                },
            };
            return self.token(kind, start, start + 1);
        }
    }

    /// The length of what stands at `start`, if it is passed over.
    fn blank(&self, start: usize, first: u8) -> usize {
        match first {
            b' ' | b'\t'..=b'\r' => 1,
            // A NUL right after a token is how the tokenizer knows that it has not begun.
            0 if start > 0 && start == self.at => 1,
            0x80.. => self.char(start).filter(|c| c.is_whitespace()).map_or(0, char::len_utf8),
            _ => 0,
        }
    }

    #[inline]
    fn token(&mut self, kind: Kind, start: usize, end: usize) -> Token {
        self.at = end;
        Token { kind, form: Form::Plain, start, end }
    }

    #[cold]
    fn invalid(&mut self) -> Token {
        self.token(Kind::Invalid, self.at, self.at)
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn char(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// Where the character at `at` ends.
    fn after(&self, at: usize) -> usize {
        at + self.char(at).map_or(0, char::len_utf8)
    }

    fn find(&self, from: usize, what: u8) -> Option<usize> {
        memchr::memchr(what, self.text.as_bytes().get(from..)?).map(|at| from + at)
    }

    #[inline]
    fn run(&self, from: usize, holds: impl Fn(u8) -> bool) -> usize {
        let mut end = from;
        while self.byte(end).is_some_and(&holds) {
            end += 1;
        }
        end
    }
}

/// Whether a word may have `c` in it, other than digits and dots.
fn in_word(c: char) -> bool {
    is_letter(c) || matches!(c, '_' | '@' | '#')
}
