//! Regular expressions that mean what they mean in Go (golang/go `src/regexp/syntax`).
//!
//! The `regex` crate matches like Go's: leftmost first, in linear time, without look-around. What is written the same and means something
//! else is rewritten before it is compiled: `\d`, `\w`, `\s` and `\b` are ASCII in Go, `\<` is a character, `{` may stand for itself,
//! `[` in a class too, `&&` in a class is two characters, and there are `\Q…\E`, octal escapes and `\p{^…}`.
//!
//! Not the same: a group name that stands twice is refused; nested repetitions, repetitions beyond 1000 and the flags `x`, `u` and `R`, which Go
//! refuses, are accepted; a pattern that compiles to more than 10 MB is refused; tables of Unicode may be of another version.

use regex::Regex;

/// Names of classes in brackets.
const CLASS_NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];
/// An escape that every dialect refuses.
const WRONG: &str = r"\8";

/// A pattern that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// What is wrong: lower case, without the pattern.
    pub reason: String,
}

/// Compiles a pattern in Go's syntax.
///
/// # Errors
/// When it is none.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    Regex::new(&translate(pattern)).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default();
        PatternError { reason: reason.trim_start_matches("error: ").trim().to_owned() }
    })
}

/// The pattern in the syntax of the `regex` crate. What is wrong with it stays wrong.
fn translate(pattern: &str) -> String {
    let mut translation = Translation { rest: pattern, out: String::with_capacity(pattern.len()) };
    while let Some(c) = translation.next() {
        match c {
            '\\' => translation.escape(),
            '[' => translation.class(),
            '{' if !is_repetition(translation.rest) => translation.out.push_str("\\{"),
            c => translation.out.push(c),
        }
    }
    translation.out
}

struct Translation<'a> {
    rest: &'a str,
    out: String,
}

impl Translation<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) {
        if let Some(class) = self.perl_class() {
            return self.out.push_str(class);
        }
        if self.unicode_class() {
            return;
        }
        let boundary = self.rest.chars().next();
        match boundary {
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some('B') => self.out.push_str(r"(?-u:\B)"),
            Some('A' | 'z') => self.out.extend(['\\'].into_iter().chain(boundary)),
            Some('Q') => {
                let quoted = self.rest.get(1..).unwrap_or_default();
                let (text, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
                self.out.push_str(&regex::escape(text));
                self.rest = rest;
                return;
            }
            _ => {
                match self.escaped_char() {
                    Some(c) => self.out.push_str(&regex::escape(&c.to_string())),
                    None => self.keep_wrong(),
                }
                return;
            }
        }
        self.next();
    }

    /// What follows an opening bracket.
    fn class(&mut self) {
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut first = true;
        while !self.rest.is_empty() {
            if !first && self.skip("]") {
                self.out.push(']');
                return;
            }
            first = false;
            if let Some(end) = self.rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
                let (named, rest) = self.rest.split_at_checked(end + 4).unwrap_or((self.rest, ""));
                let name = named.trim_matches(['[', ':', ']']).trim_start_matches('^');
                self.out.push_str(if CLASS_NAMES.contains(&name) { named } else { WRONG });
                self.rest = rest;
                continue;
            }
            if self.skip("\\") {
                if let Some(class) = self.perl_class() {
                    self.out.push_str(class);
                    continue;
                }
                if self.unicode_class() {
                    continue;
                }
                match self.escaped_char() {
                    Some(c) => put_in_class(&mut self.out, c),
                    None => self.keep_wrong(),
                }
            } else if let Some(c) = self.next() {
                put_in_class(&mut self.out, c);
            }
            self.range();
        }
    }

    /// The upper end of a range, if one follows.
    fn range(&mut self) {
        if !self.rest.starts_with('-') || self.rest.starts_with("-]") || self.rest.len() == 1 {
            return;
        }
        self.next();
        self.out.push('-');
        if !self.skip("\\") {
            if let Some(c) = self.next() {
                put_in_class(&mut self.out, c);
            }
            return;
        }
        match self.escaped_char() {
            Some(c) => put_in_class(&mut self.out, c),
            None => self.keep_wrong(),
        }
    }

    /// `\d` and its like, which are ASCII in Go. The backslash is behind us.
    fn perl_class(&mut self) -> Option<&'static str> {
        let class = match self.rest.chars().next()? {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            's' => r"[\t\n\x0C\r ]",
            'S' => r"[^\t\n\x0C\r ]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            _ => return None,
        };
        self.next();
        Some(class)
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`. The backslash is behind us.
    fn unicode_class(&mut self) -> bool {
        let negated = match self.rest.chars().next() {
            Some('p') => false,
            Some('P') => true,
            _ => return false,
        };
        self.next();
        let inverted = self.rest.starts_with("{^");
        self.out.push_str(if negated != inverted { r"\P" } else { r"\p" });
        if inverted {
            self.next();
            self.next();
            self.out.push('{');
        }
        let end = if inverted || self.rest.starts_with('{') { self.rest.find('}') } else { None };
        let name = match end {
            Some(end) => self.rest.get(..=end),
            None => self.rest.chars().next().and_then(|c| self.rest.get(..c.len_utf8())),
        };
        let name = name.unwrap_or_default();
        self.out.push_str(name);
        self.rest = self.rest.get(name.len()..).unwrap_or_default();
        true
    }

    /// The character that an escape stands for. The backslash is behind us; nothing is read when it stands for none.
    fn escaped_char(&mut self) -> Option<char> {
        let before = self.rest;
        let c = self.next().and_then(|c| match c {
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            'x' => self.hex(),
            // A single digit other than zero would be a reference to a group.
            '1'..='7' if !self.rest.starts_with(|next| matches!(next, '0'..='7')) => None,
            '0'..='7' => {
                let mut code = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8))
                    else {
                        break;
                    };
                    code = code * 8 + digit;
                    self.next();
                }
                char::from_u32(code)
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        });
        if c.is_none() {
            self.rest = before;
        }
        c
    }

    /// `41` or `{1F600}`.
    fn hex(&mut self) -> Option<char> {
        let digits = match self.rest.strip_prefix('{') {
            Some(braced) => braced.get(..braced.find('}')?)?,
            None => self.rest.get(..2)?,
        };
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        let braces = if self.rest.starts_with('{') { 2 } else { 0 };
        self.rest = self.rest.get(digits.len() + braces..)?;
        char::from_u32(code)
    }

    /// An escape that Go refuses: kept so that it is refused.
    fn keep_wrong(&mut self) {
        self.out.push_str(WRONG);
        self.next();
    }
}

/// A character of a class, which must not be taken for an operator.
fn put_in_class(out: &mut String, c: char) {
    if c.is_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
    }
}

/// Whether what follows an opening brace makes it a repetition: `2}`, `2,}` or `2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        None => is_number(inside),
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
    }
}

#[cfg(test)]
mod tests;
