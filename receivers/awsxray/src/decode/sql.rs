//! `sql`: the query and its database.

use super::attributes::Attributes;
use super::members::{Members, Rest};

/// Adds the attributes of `sql`. Whether it is there.
pub(super) fn put(members: &mut Members<'_>, attributes: &mut Attributes, rest: &mut Rest) -> bool {
    let Some(mut sql) = members.object("sql") else { return false };
    let rest = rest.within("sql");
    if let Some(url) = sql.text("url") {
        let (connection, name) = split(&url);
        attributes.text("db.connection_string", Some(connection.to_owned()));
        attributes.text("db.name", name.map(str::to_owned));
        rest.put_text("url", &url);
    } else {
        rest.put("url", ABSENT);
    }
    if let Some(kind) = sql.text("database_type") {
        let system = system(&kind);
        if system != kind {
            rest.put_text("database_type", &kind);
        }
        attributes.text("db.system", Some(system.to_owned()));
    } else {
        attributes.text("db.system", Some(OTHER.to_owned()));
        rest.put("database_type", ABSENT);
    }
    if !sql.has("connection_string") {
        rest.put("connection_string", ABSENT);
    }
    attributes.text("db.statement", sql.text("sanitized_query"));
    attributes.text("db.user", sql.text("user"));
    rest.put_all(sql);
    true
}

/// What an exporter would write of its own, and the document does not have.
const ABSENT: &str = "null";
/// A database that speaks SQL and has no name in the conventions.
const OTHER: &str = "other_sql";

/// The conventions' name of a database that X-Ray's SDKs call by the name its driver gives.
fn system(kind: &str) -> &'static str {
    let lower = kind.to_ascii_lowercase();
    let known = [
        ("postgres", "postgresql"),
        ("mariadb", "mariadb"),
        ("mysql", "mysql"),
        ("sql server", "mssql"),
        ("mssql", "mssql"),
        ("sqlserver", "mssql"),
        ("sqlite", "sqlite"),
        ("oracle", "oracle"),
        ("db2", "db2"),
        ("derby", "derby"),
        ("hive", "hive"),
        ("teradata", "teradata"),
    ];
    known.iter().find(|(part, _)| lower.contains(part)).map_or(OTHER, |(_, name)| name)
}

/// A URL cut in two: what is before the database's name, and that, without what follows a question mark. The cut is upstream's
/// (`receiver/awsxrayreceiver/internal/translator/sql.go`), which takes no URL without a name, and the port of a host without a scheme for
/// part of the name.
fn split(url: &str) -> (&str, Option<&str>) {
    let whole = url.split('?').next().unwrap_or_default();
    let before_slash = whole.split('/').next().unwrap_or_default();
    let Some(colon) = before_slash.rfind(':') else { return (whole, None) };
    let (head, tail) = whole.split_at(colon + 1);
    let of_name = match tail.strip_prefix("//") {
        Some(rest) => rest.find('/').map(|slash| head.len() + 2 + slash),
        None => match tail.split_once('/') {
            Some((port, _)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(head.len() + port.len())
            }
            _ => Some(head.len()),
        },
    };
    let Some(at) = of_name else { return (whole, None) };
    let (connection, name) = whole.split_at(at);
    let name = name.trim_start_matches('/');
    (connection.trim_end_matches('/'), Some(name).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_cut_before_the_name_of_the_database() {
        for (url, connection, name) in [
            (
                "postgres://db.example.com:5432/orders",
                "postgres://db.example.com:5432",
                Some("orders"),
            ),
            ("mysql://u@h/orders?ssl=true", "mysql://u@h", Some("orders")),
            ("jdbc:postgresql://h:5432/a/b", "jdbc:postgresql://h:5432", Some("a/b")),
            ("jdbc:sqlite:orders.db", "jdbc:sqlite:", Some("orders.db")),
            ("mysql://h", "mysql://h", None),
            ("mysql://h/", "mysql://h", None),
            ("db.example.com:3306/orders", "db.example.com:3306", Some("orders")),
            ("orders", "orders", None),
            ("", "", None),
        ] {
            assert_eq!(split(url), (connection, name), "{url}");
        }
    }

    #[test]
    fn databases_get_the_names_of_the_conventions() {
        for (kind, name) in [
            ("PostgreSQL", "postgresql"),
            ("Postgres", "postgresql"),
            ("postgresql", "postgresql"),
            ("MySQL", "mysql"),
            ("Microsoft SQL Server", "mssql"),
            ("Oracle", "oracle"),
            ("H2", "other_sql"),
        ] {
            assert_eq!(system(kind), name);
        }
    }
}
