//! A trace request as a web service sends it: one resource, one scope, server, client, database, queue and internal spans with five to
//! eight attributes each, an exception on each tenth. The same every time.

use pdata::wire::{put_fixed32, put_fixed64, put_len, put_message, put_uint};

const START_UNIX_NANO: u64 = 1_760_000_000_000_000_000;

/// An export request of `spans` spans: about 360 bytes each.
pub(crate) fn traces(spans: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(9);
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_spans| {
        put_message(resource_spans, 1, resource);
        put_message(resource_spans, 2, |scope_spans| {
            put_message(scope_spans, 1, |scope| {
                put_len(scope, 1, b"io.opentelemetry.instrumentation.spring-webmvc-6.0");
                put_len(scope, 2, b"2.19.0-alpha");
            });
            let mut trace_id = [0; 16];
            for index in 0..spans {
                if index.is_multiple_of(6) {
                    trace_id.fill_with(|| random.u8(..));
                }
                put_message(scope_spans, 2, |out| span(out, index, trace_id, &mut random));
            }
        });
    });
    out
}

fn resource(out: &mut Vec<u8>) {
    for (key, value) in [
        ("service.name", "library-loans"),
        ("service.version", "2026.3.1"),
        ("service.namespace", "lending"),
        ("deployment.environment.name", "production"),
        ("cloud.provider", "aws"),
        ("cloud.platform", "aws_ecs"),
        ("cloud.region", "eu-central-1"),
        ("telemetry.sdk.language", "java"),
        ("telemetry.sdk.version", "1.53.0"),
        ("host.name", "ip-10-20-7-114.eu-central-1.compute.internal"),
    ] {
        text(out, 1, key, value);
    }
}

fn span(out: &mut Vec<u8>, index: usize, trace_id: [u8; 16], random: &mut fastrand::Rng) {
    put_len(out, 1, &trace_id);
    put_len(out, 2, &random.u64(1..).to_be_bytes());
    if !index.is_multiple_of(6) {
        put_len(out, 4, &random.u64(1..).to_be_bytes());
    }
    let start = START_UNIX_NANO + random.u64(..1_000_000_000);
    let (name, kind) = match index % 6 {
        0 => ("GET /shelves/{shelf}/books/{book}", 2),
        1 | 4 => ("SELECT lending.copies", 3),
        2 => ("POST", 3),
        3 => ("loans publish", 4),
        _ => ("LoanPolicy.evaluate", 1),
    };
    put_len(out, 5, name.as_bytes());
    put_uint(out, 6, kind);
    put_fixed64(out, 7, start);
    put_fixed64(out, 8, start + random.u64(20_000..90_000_000));
    let number = random.u32(1..1_000_000);
    match index % 6 {
        0 => {
            text(out, 9, "http.request.method", "GET");
            text(out, 9, "http.route", "/shelves/{shelf}/books/{book}");
            text(out, 9, "url.path", &format!("/shelves/fiction/books/{number}"));
            text(out, 9, "url.scheme", "https");
            int(
                out,
                9,
                "http.response.status_code",
                if number.is_multiple_of(50) { 503 } else { 200 },
            );
            text(out, 9, "server.address", "library.example.org");
            text(out, 9, "client.address", &format!("198.51.100.{}", number % 250));
            text(
                out,
                9,
                "user_agent.original",
                "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101",
            );
        }
        1 | 4 => {
            text(out, 9, "db.system.name", "postgresql");
            text(out, 9, "db.namespace", "lending");
            text(out, 9, "db.operation.name", "SELECT");
            text(
                out,
                9,
                "db.query.text",
                &format!(
                    "SELECT id, state, due FROM copies WHERE book_id = {number} AND state <> 'lost'"
                ),
            );
            text(
                out,
                9,
                "server.address",
                "lending.cluster-example.eu-central-1.rds.amazonaws.com",
            );
            int(out, 9, "server.port", 5432);
        }
        2 => {
            text(out, 9, "http.request.method", "POST");
            text(
                out,
                9,
                "url.full",
                &format!("https://members.internal.example.org/v1/holds/{number}"),
            );
            int(out, 9, "http.response.status_code", 201);
            text(out, 9, "server.address", "members.internal.example.org");
            int(out, 9, "server.port", 443);
            text(out, 9, "network.protocol.version", "2");
        }
        3 => {
            text(out, 9, "messaging.system", "kafka");
            text(out, 9, "messaging.destination.name", "loans");
            text(out, 9, "messaging.operation.type", "send");
            text(out, 9, "messaging.kafka.message.key", &format!("{number:032x}"));
            int(out, 9, "messaging.kafka.offset", i64::from(number));
        }
        _ => {
            text(out, 9, "code.function.name", "org.example.library.LoanPolicy.evaluate");
            text(out, 9, "code.file.path", "LoanPolicy.java");
            int(out, 9, "code.line.number", 211);
            text(out, 9, "thread.name", "http-nio-8080-exec-7");
            int(out, 9, "thread.id", 57);
        }
    }
    if index % 10 == 9 {
        put_message(out, 11, |event| {
            put_fixed64(event, 1, start + 15_000);
            put_len(event, 2, b"exception");
            text(event, 3, "exception.type", "java.sql.SQLTransientException");
            text(
                event,
                3,
                "exception.message",
                "canceling statement due to lock timeout while updating tuple (7,42)",
            );
            text(
                event,
                3,
                "exception.stacktrace",
                "java.sql.SQLTransientException: lock timeout\n\tat org.example.library.Copies.find(Copies.java:88)\n\tat org.example.library.Loans.lend(Loans.java:41)\n",
            );
        });
        put_message(out, 15, |status| {
            put_len(status, 2, b"lock timeout");
            put_uint(status, 3, 2);
        });
    }
    put_fixed32(out, 16, 0x101);
}

fn text(out: &mut Vec<u8>, number: u32, key: &str, value: &str) {
    put_message(out, number, |attribute| {
        put_len(attribute, 1, key.as_bytes());
        put_message(attribute, 2, |any| put_len(any, 1, value.as_bytes()));
    });
}

fn int(out: &mut Vec<u8>, number: u32, key: &str, value: i64) {
    put_message(out, number, |attribute| {
        put_len(attribute, 1, key.as_bytes());
        put_message(attribute, 2, |any| put_uint(any, 3, value as u64));
    });
}
