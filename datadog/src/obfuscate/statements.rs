//! Statements as they come, with what is known from those before.

use super::cache::{Cache, Place};
use super::{NON_PARSABLE, sql};

/// The longest statement that is compared with the next one.
const REPEATED_MAX: usize = 64 * 1024;

/// Reads statements, and remembers some of them.
#[derive(Default)]
pub(super) struct Statements {
    cache: Cache,
    last: Last,
    /// Whether a backslash in quotes is a character like others. Databases differ; the Agent takes what worked last.
    literal_escapes: bool,
}

/// The statement that was read last. A span's resource and its tag are mostly the same.
#[derive(Default)]
struct Last {
    place: Place,
    /// Empty, if it was too long to be kept.
    statement: String,
    /// What it became, if it could be read.
    became: sql::Buffer,
    parsed: bool,
}

impl Statements {
    /// The statement without its values. An empty one stays empty.
    pub(super) fn obfuscate(&mut self, statement: &str) -> &str {
        if statement.is_empty() {
            return "";
        }
        let place = Cache::place(statement, self.literal_escapes);
        if self.cache.contains(place, statement) {
            return self.cache.get(place);
        }
        if self.last.is(place, statement) {
            return self.last.became();
        }
        let literal_escapes = self.literal_escapes;
        self.last.parsed = self.read(statement);
        // What has changed the reading changes it again, should it be changed back by then.
        let place = if self.literal_escapes == literal_escapes {
            place
        } else {
            Cache::place(statement, self.literal_escapes)
        };
        self.last.keep(place, statement);
        let became = self.last.became();
        self.cache.put(place, statement, became);
        became
    }

    /// Reads the statement one way and, if a backslash may have been the reason for a failure, the other.
    fn read(&mut self, statement: &str) -> bool {
        let out = &mut self.last.became;
        let Err(failure) = sql::obfuscate(statement, self.literal_escapes, out) else {
            return true;
        };
        let other = !self.literal_escapes;
        if failure.seen_escape && sql::obfuscate(statement, other, out).is_ok() {
            self.literal_escapes = other;
            return true;
        }
        false
    }
}

impl Last {
    fn is(&self, place: Place, statement: &str) -> bool {
        self.place == place && self.statement == statement
    }

    fn keep(&mut self, place: Place, statement: &str) {
        self.place = place;
        self.statement.clear();
        if statement.len() <= REPEATED_MAX {
            self.statement.push_str(statement);
        }
    }

    fn became(&self) -> &str {
        if self.parsed { self.became.written() } else { NON_PARSABLE }
    }
}

#[cfg(test)]
mod tests;
