//! Time to read a datagram of a segment with three subsegments, as an SDK sends it.

use divan::counter::BytesCount;
use receiver_awsxray::decode::decode;

fn main() {
    divan::main();
}

#[divan::bench]
fn segment_with_three_subsegments(bencher: divan::Bencher<'_, '_>) {
    let datagram = datagram();
    bencher
        .counter(BytesCount::new(datagram.len()))
        .bench_local(|| decode(divan::black_box(datagram.as_bytes())));
}

fn datagram() -> String {
    let call = |number: u8| {
        format!(
            r#"{{"id":"000000000000000{number}","name":"DynamoDB","start_time":1795206735.29,"end_time":1795206735.3,"namespace":"aws",
"aws":{{"operation":"GetItem","region":"eu-west-1","table_name":"orders","request_id":"RQ1"}},"http":{{"response":{{"status":200,"content_length":61}}}}}}"#
        )
    };
    let calls = [1, 2, 3].map(call).join(",");
    format!(
        r#"{{"format":"json","version":1}}
{{"id":"8fd382173142282d","name":"shop","trace_id":"1-6b00ae4f-a1b2c3d4e5f60718293a4b5c","start_time":1795206735.29,"end_time":1795206735.3,"in_progress":false,
"http":{{"request":{{"method":"GET","url":"https://shop.example.com/orders/7","user_agent":"curl/8","client_ip":"203.0.113.7"}},"response":{{"status":200}}}},
"annotations":{{"tier":"gold"}},"metadata":{{"default":{{"note":{{"a":1}}}}}},"aws":{{"xray":{{"sdk":"X-Ray for Python","sdk_version":"2.15.0"}}}},
"subsegments":[{calls}]}}"#
    )
}
