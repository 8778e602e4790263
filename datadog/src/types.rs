//! Span types of databases: `DBTypes` of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/attributes/constants.go`.

/// The type of a client span that talks to this database, given as `db.system` or `db.system.name` has it, in lower case.
///
/// Names that only the newer attribute has (semantic conventions 1.30 and later) have the type of the older one; the agent
/// does not know them, and would neither take their spans for SQL nor obfuscate their statements.
pub(crate) fn type_of_database(system: &str) -> &'static str {
    match system {
        "other_sql"
        | "mssql"
        | "mysql"
        | "oracle"
        | "db2"
        | "postgresql"
        | "redshift"
        | "cloudscape"
        | "hsqldb"
        | "maxdb"
        | "ingres"
        | "firstsql"
        | "edb"
        | "cache"
        | "firebird"
        | "derby"
        | "informix"
        | "mariadb"
        | "sqlite"
        | "sybase"
        | "teradata"
        | "vertica"
        | "h2"
        | "coldfusion"
        | "cockroachdb"
        | "progress"
        | "hanadb"
        | "adabas"
        | "filemaker"
        | "instantdb"
        | "interbase"
        | "netezza"
        | "pervasive"
        | "pointbase"
        | "clickhouse"
        | "microsoft.sql_server"
        | "oracle.db"
        | "ibm.db2"
        | "ibm.informix"
        | "ibm.netezza"
        | "sap.hana"
        | "sap.maxdb"
        | "actian.ingres"
        | "aws.redshift"
        | "firebirdsql"
        | "h2database"
        | "intersystems.cache"
        | "softwareag.adabas"
        | "trino" => "sql",
        "cassandra" => "cassandra",
        "redis" => "redis",
        "valkey" => "valkey",
        "memcached" => "memcached",
        "mongodb" => "mongodb",
        "elasticsearch" => "elasticsearch",
        "opensearch" => "opensearch",
        _ => "db",
    }
}
