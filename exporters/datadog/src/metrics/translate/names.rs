//! Metrics that are known by their names.

/// What the names of runtimes' metrics begin with. Datadog shows them without counting their host, so they do not make it a host that is seen.
const RUNTIME: [&[u8]; 20] = [
    b"process.runtime.go.",
    b"process.runtime.dotnet.",
    b"process.runtime.jvm.",
    b"jvm.",
    b"go.config.",
    b"go.cpu.",
    b"go.goroutine.",
    b"go.memory.",
    b"go.processor.",
    b"go.schedule.",
    b"dotnet.assembly.",
    b"dotnet.exceptions",
    b"dotnet.gc.",
    b"dotnet.jit.",
    b"dotnet.monitor.",
    b"dotnet.process.",
    b"dotnet.thread_pool.",
    b"dotnet.timer.",
    b"cpython.gc.",
    b"nodejs.eventloop.",
];

/// Whether a metric is one of a language's runtime.
pub(super) fn is_of_runtime(name: &[u8]) -> bool {
    RUNTIME.iter().any(|prefix| name.starts_with(prefix)) || name.starts_with(b"v8js.")
}

/// Whether a cumulative sum is shown as a gauge of what is added in a second: metrics of Kafka and the JVM that Datadog's own integrations have in
/// this form.
pub(super) fn is_shown_as_rate(name: &[u8]) -> bool {
    matches!(
        name,
        b"kafka.net.bytes_out.rate"
            | b"kafka.net.bytes_in.rate"
            | b"kafka.replication.isr_shrinks.rate"
            | b"kafka.replication.isr_expands.rate"
            | b"kafka.replication.leader_elections.rate"
            | b"kafka.replication.unclean_leader_elections.rate"
            | b"kafka.messages_in.rate"
            | b"kafka.request.produce.failed.rate"
            | b"kafka.request.fetch.failed.rate"
            | b"kafka.log.flush_rate.rate"
            | b"jvm.gc.minor_collection_count"
            | b"jvm.gc.major_collection_count"
            | b"jvm.gc.minor_collection_time"
            | b"jvm.gc.major_collection_time"
    )
}
