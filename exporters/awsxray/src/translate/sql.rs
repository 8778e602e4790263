//! `sql`: the query of a database that speaks SQL.

use pdata::text::put_escaped_twice;
use pdata::view::Span;

use super::attributes::Known;
use super::keys::Key;
use super::limits::{Limits, Trimmed};
use super::text::{cut, put_if, put_member};

/// Appends `sql`, if the database is one of SQL. Whether it is.
pub(super) fn put(
    out: &mut Vec<u8>,
    span: &Span<'_>,
    known: &Known<'_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
    trimmed: &mut Trimmed,
) -> bool {
    let systems = [known.text(Key::DbSystem), known.text(Key::DbSystemName)];
    let Some(system) = systems.into_iter().find(|system| is_sql(system)) else { return false };
    connection(scratch, known);
    put_member(out, br#",\"sql\":{\"connection_string\":\""#, scratch, limits.text);
    // The span's name says more than the connection string would.
    put_if(out, br#",\"url\":\""#, span.name.as_bytes(), limits.text);
    put_if(out, br#",\"database_type\":\""#, system, limits.text);
    put_if(out, br#",\"user\":\""#, known.text(Key::DbUser), limits.text);
    let query = known.first_text(&[Key::DbQueryText, Key::DbStatement]);
    if !query.is_empty() {
        out.extend_from_slice(br#",\"sanitized_query\":\""#);
        let whole = query.len() <= limits.query;
        trimmed.query += usize::from(!whole);
        put_escaped_twice(out, cut(query, limits.query));
        out.extend_from_slice(br#"\""#);
    }
    out.push(b'}');
    true
}

/// The connection string or the server's address, and the database's name.
fn connection(out: &mut Vec<u8>, known: &Known<'_>) {
    out.clear();
    let connection = known.text(Key::DbConnectionString);
    let server = known.text(Key::ServerAddress);
    if !connection.is_empty() {
        out.extend_from_slice(connection);
    } else if !server.is_empty() {
        out.extend_from_slice(server);
        if let Some(port) = known.get(Key::ServerPort) {
            out.push(b':');
            pdata::text::put_text(out, port);
        }
    } else {
        out.extend_from_slice(b"localhost");
    }
    out.push(b'/');
    out.extend_from_slice(known.first_text(&[Key::DbName, Key::DbNamespace]));
}

/// The systems of SQL, by the names of the old conventions and of the stable ones.
fn is_sql(system: &[u8]) -> bool {
    matches!(
        system,
        b"db2"
            | b"derby"
            | b"hive"
            | b"mariadb"
            | b"mssql"
            | b"mysql"
            | b"oracle"
            | b"postgresql"
            | b"sqlite"
            | b"teradata"
            | b"other_sql"
            | b"ibm.db2"
            | b"microsoft.sql_server"
            | b"oracle.db"
    )
}
