//! Time to read 100 Zipkin JSON spans like a web service's: about 1 kB each. Divide by 100 for the time of a span.

use divan::counter::{BytesCount, ItemsCount};
use receiver_zipkin::decode::{Format, decode};

const SPANS: usize = 100;

fn main() {
    divan::main();
}

#[divan::bench]
fn hundred_spans(bencher: divan::Bencher<'_, '_>) {
    let body = body();
    bencher
        .counter(ItemsCount::new(SPANS))
        .counter(BytesCount::new(body.len()))
        .bench_local(|| decode(divan::black_box(body.as_bytes()), Format::Json, false));
}

fn body() -> String {
    let spans: Vec<String> = (1..=SPANS).map(span).collect();
    format!("[{}]", spans.join(","))
}

fn span(number: usize) -> String {
    let id = 0x1112_1314_1516_1718usize + number;
    format!(
        r#"{{"traceId":"0102030405060708090a0b0c0d0e0f10","id":"{id:016x}","parentId":"2122232425262728",
"name":"get /api/v1/schools/{{school_id}}/students","kind":"SERVER","timestamp":17000000000{number:05},
"duration":1234{number},"localEndpoint":{{"serviceName":"checkout","ipv4":"10.0.13.27","port":8080}},
"remoteEndpoint":{{"ipv4":"203.0.113.77","port":53211}},"tags":{{"service.version":"2.14.3",
"deployment.environment":"production","cloud.provider":"aws","cloud.platform":"aws_ecs",
"cloud.region":"ap-northeast-1","telemetry.sdk.language":"go",
"host.name":"ip-10-0-13-27.ap-northeast-1.compute.internal",
"otel.library.name":"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
"otel.library.version":"0.62.0","http.request.method":"GET","http.route":"/api/v1/schools/{{school_id}}/students",
"url.path":"/api/v1/schools/81234/students","url.scheme":"https","http.response.status_code":"200",
"http.status_code":"200","server.address":"api.example.jp",
"user_agent.original":"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15"}}}}"#
    )
}
