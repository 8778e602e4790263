//! Telemetry as a web service sends it, for benches: the same every time.

use bytes::Bytes;

use crate::wire::{put_fixed64, put_len, put_message, put_uint};
use crate::{Payload, Signal};

/// An export request of so many spans, about 360 bytes each: one resource of eight attributes, one scope, traces of eight spans
/// (server, database, HTTP client, messaging, internal) with five to eight attributes, an exception on every tenth.
pub fn traces(spans: u64) -> Payload {
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 1, |out| {
            text(out, 1, "service.name", "checkout");
            text(out, 1, "service.version", "2.14.3");
            text(out, 1, "deployment.environment.name", "production");
            text(out, 1, "cloud.provider", "aws");
            text(out, 1, "cloud.platform", "aws_ecs");
            text(out, 1, "cloud.region", "ap-northeast-1");
            text(out, 1, "telemetry.sdk.language", "go");
            text(out, 1, "host.name", "ip-10-0-13-27.ap-northeast-1.compute.internal");
        });
        put_message(out, 2, |out| {
            put_message(out, 1, |out| {
                put_len(out, 1, b"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
                put_len(out, 2, b"0.62.0");
            });
            (0..spans).for_each(|number| put_message(out, 2, |out| span(out, number)));
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).expect("a sound request").payload
}

fn span(out: &mut Vec<u8>, number: u64) {
    let mixed = |n: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let trace = mixed(number / 8);
    put_len(out, 1, &[trace.to_be_bytes(), mixed(trace).to_be_bytes()].concat());
    put_len(out, 2, &mixed(number).to_be_bytes());
    if !number.is_multiple_of(8) {
        put_len(out, 4, &mixed(number - number % 8).to_be_bytes());
    }
    let start = 1_700_000_000_000_000_000 + mixed(number) % 900_000_000;
    let (name, kind) = match number % 8 {
        0 => ("GET /api/v1/schools/{school_id}/students", 2),
        2 | 4 => ("SELECT school.students", 3),
        3 => ("POST", 3),
        6 => ("publish grading-events", 4),
        7 => ("publish grading-events", 5),
        _ => ("render student list", 1),
    };
    put_len(out, 5, name.as_bytes());
    put_uint(out, 6, kind);
    put_fixed64(out, 7, start);
    put_fixed64(out, 8, start + mixed(number) % 200_000_000);
    attributes(out, number);
    if number % 10 == 9 {
        put_message(out, 11, |out| {
            put_fixed64(out, 1, start + 1000);
            put_len(out, 2, b"exception");
            text(out, 3, "exception.type", "*mysql.MySQLError");
            text(out, 3, "exception.message", "Error 1205 (HY000): Lock wait timeout exceeded");
            text(
                out,
                3,
                "exception.stacktrace",
                "students.(*Repo).List\n\t/app/internal/students/repo.go:88\nstudents.(*Handler).ServeHTTP\n\t\
                 /app/internal/students/handler.go:41\n",
            );
        });
        put_message(out, 15, |out| {
            put_len(out, 2, b"lock wait timeout");
            put_uint(out, 3, 2);
        });
    }
}

fn attributes(out: &mut Vec<u8>, number: u64) {
    match number % 8 {
        0 => {
            text(out, 9, "http.request.method", "GET");
            text(out, 9, "http.route", "/api/v1/schools/{school_id}/students");
            text(out, 9, "url.path", "/api/v1/schools/81234/students");
            text(out, 9, "url.scheme", "https");
            int(out, 9, "http.response.status_code", 200);
            text(out, 9, "server.address", "api.example.jp");
            text(out, 9, "client.address", "203.0.113.77");
            text(
                out,
                9,
                "user_agent.original",
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
            );
        }
        2 | 4 => {
            text(out, 9, "db.system.name", "mysql");
            text(out, 9, "db.namespace", "school");
            text(out, 9, "db.operation.name", "SELECT");
            text(
                out,
                9,
                "db.query.text",
                "SELECT id, name, grade FROM students WHERE school_id = 81234 ORDER BY name LIMIT 50",
            );
            text(
                out,
                9,
                "server.address",
                "aurora-cluster.cluster-abcdefghijkl.ap-northeast-1.rds.amazonaws.com",
            );
            int(out, 9, "server.port", 3306);
        }
        3 => {
            text(out, 9, "http.request.method", "POST");
            text(out, 9, "url.full", "https://grading.internal.example.jp/v2/jobs/812345");
            int(out, 9, "http.response.status_code", 202);
            text(out, 9, "server.address", "grading.internal.example.jp");
            int(out, 9, "server.port", 443);
            text(out, 9, "network.protocol.version", "2");
        }
        6 | 7 => {
            text(out, 9, "messaging.system", "aws_sqs");
            text(out, 9, "messaging.destination.name", "grading-events");
            text(out, 9, "messaging.operation.type", "send");
            text(out, 9, "messaging.message.id", "0123456789abcdef0123456789abcdef");
            text(out, 9, "aws.request_id", "0123456789abcdef");
        }
        _ => {
            text(out, 9, "code.function.name", "students.List.Render");
            text(out, 9, "code.file.path", "internal/students/list.go");
            int(out, 9, "code.line.number", 118);
            text(out, 9, "app.template", "students/list");
            int(out, 9, "app.rows", 412);
        }
    }
}

fn text(out: &mut Vec<u8>, field: u32, key: &str, value: &str) {
    put_message(out, field, |out| {
        put_len(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_len(out, 1, value.as_bytes()));
    });
}

fn int(out: &mut Vec<u8>, field: u32, key: &str, value: u64) {
    put_message(out, field, |out| {
        put_len(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_uint(out, 3, value));
    });
}
