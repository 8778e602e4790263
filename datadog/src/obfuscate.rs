//! What must not be seen of resources and tags, taken out as Datadog's Agent takes it out before it counts and sends.
//!
//! The Collector's exporter and connector run the Agent's code with nothing of `apm_config.obfuscation` set, and have no keys to set it.
//! What is on then, by `pkg/trace/agent/obfuscate.go` of DataDog/datadog-agent 0.85 (contrib 0.165):
//!
//! | type of the span | resource | tags |
//! | --- | --- | --- |
//! | `sql`, `cassandra` | the statement without values | `db.statement`, `db.query.text` and `sql.query` likewise; an empty `sql.query` goes |
//! | `redis`, `valkey` | the names of up to three commands | – |
//! | `web`, `http` | – | `http.url` without name and password |
//!
//! Off, and so not here: `redis.raw_command`, `valkey.raw_command`, `memcached.command`, the bodies of MongoDB, Elasticsearch and
//! OpenSearch, credit cards, query strings and digits in URLs, names of tables. `db.statement` of other types than SQL stays as it is.
//!
//! Differences from what the Agent does:
//!
//! - Before 0.85 (contrib 0.160 to 0.164) it left `db.statement` and `db.query.text` with their values in them and added `sql.query`.
//! - The connector of upstream leaves the resources of `valkey` alone, so that they are counted under another name than they are shown.
//! - Where it cuts a character in halves (after `-.`), the character stays whole.
//! - A letter in a Redis command whose capital came with Unicode 16 or later has one here; one with a iota below has none.

mod cache;
mod redis;
mod sql;
mod statements;
mod url;

#[cfg(test)]
mod tests;

use statements::Statements;

use crate::keys::Key;

/// What stands for a statement that the Agent cannot read.
pub const NON_PARSABLE: &str = "Non-parsable SQL query";

/// Memory for texts that is kept from one to the next.
const SCRATCH_MAX: usize = 64 * 1024;

/// Types of spans, by what the Agent takes out of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `sql` and `cassandra`.
    Sql,
    /// `redis` and `valkey`.
    Redis,
    /// `web` and `http`.
    Web,
    /// All others.
    Other,
}

impl Family {
    /// The family of a span of the type `span_type`.
    pub fn of(span_type: &str) -> Self {
        match span_type {
            "sql" | "cassandra" => Family::Sql,
            "redis" | "valkey" => Family::Redis,
            "web" | "http" => Family::Web,
            _ => Family::Other,
        }
    }

    /// What is done to the value of an attribute of such spans.
    pub fn treatment(self, key: Key) -> Treatment {
        match (self, key) {
            (Family::Sql, Key::DbStatement | Key::DbQueryText) => Treatment::Statement,
            (Family::Sql, Key::SqlQuery) => Treatment::StatementIfAny,
            (Family::Web, Key::HttpUrl | Key::UrlFull) => Treatment::Url,
            _ => Treatment::Keep,
        }
    }

    /// Whether the value of an attribute is treated in some family.
    pub fn any_treats(key: Key) -> bool {
        [Family::Sql, Family::Web].iter().any(|family| family.treatment(key) != Treatment::Keep)
    }
}

/// What is done to a tag's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Nothing.
    Keep,
    /// It is a statement, whose values are taken out.
    Statement,
    /// The same, and an empty one goes, so that Datadog takes the resource for the statement.
    StatementIfAny,
    /// It is a URL, whose name and password are taken out.
    Url,
}

/// Takes out what must not be seen. For the use of one translator, since what it has seen before saves it work.
#[derive(Default)]
pub struct Obfuscator {
    statements: Statements,
    scratch: String,
}

impl Obfuscator {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Obfuscator::default()
    }

    /// The resource of a span of this family: what is counted and what is sent.
    pub fn resource<'a>(&'a mut self, family: Family, resource: &'a str) -> &'a str {
        match family {
            Family::Sql => self.statements.obfuscate(resource),
            Family::Redis => {
                redis::quantize(resource, self.empty_scratch());
                &self.scratch
            }
            Family::Web | Family::Other => resource,
        }
    }

    /// The value of a tag, or nothing if the tag goes.
    pub fn value<'a>(&'a mut self, treatment: Treatment, value: &'a str) -> Option<&'a str> {
        Some(match treatment {
            Treatment::Keep => value,
            Treatment::StatementIfAny if value.is_empty() => return None,
            Treatment::Statement | Treatment::StatementIfAny => self.statements.obfuscate(value),
            Treatment::Url if url::obfuscate(value, self.empty_scratch()) => &self.scratch,
            Treatment::Url => value,
        })
    }

    fn empty_scratch(&mut self) -> &mut String {
        if self.scratch.capacity() > SCRATCH_MAX {
            self.scratch = String::new();
        }
        self.scratch.clear();
        &mut self.scratch
    }
}
