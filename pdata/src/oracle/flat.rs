//! A request as a list of its items, and a payload's promises checked.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use super::Request;
use crate::Payload;

/// Each item with everything above it, in order.
pub(crate) fn flat(request: &Request) -> Vec<Vec<Vec<u8>>> {
    let mut items = Vec::new();
    match request {
        Request::Traces(request) => {
            for r in &request.resource_spans {
                for s in &r.scope_spans {
                    for span in &s.spans {
                        let (mut r, mut s) = (r.clone(), s.clone());
                        (r.scope_spans, s.spans) = (Vec::new(), Vec::new());
                        items.push(
                            [r.encode_to_vec(), s.encode_to_vec(), span.encode_to_vec()].into(),
                        );
                    }
                }
            }
        }
        Request::Logs(request) => {
            for r in &request.resource_logs {
                for s in &r.scope_logs {
                    for log in &s.log_records {
                        let (mut r, mut s) = (r.clone(), s.clone());
                        (r.scope_logs, s.log_records) = (Vec::new(), Vec::new());
                        items.push(
                            [r.encode_to_vec(), s.encode_to_vec(), log.encode_to_vec()].into(),
                        );
                    }
                }
            }
        }
        Request::Metrics(request) => {
            for r in &request.resource_metrics {
                for s in &r.scope_metrics {
                    for metric in &s.metrics {
                        let (mut r, mut s, mut m) = (r.clone(), s.clone(), metric.clone());
                        (r.scope_metrics, s.metrics) = (Vec::new(), Vec::new());
                        for point in take_points(&mut m.data) {
                            let above = [r.encode_to_vec(), s.encode_to_vec(), m.encode_to_vec()];
                            items.push(above.into_iter().chain([point]).collect());
                        }
                    }
                }
            }
        }
    }
    items
}

fn take_points(data: &mut Option<Data>) -> Vec<Vec<u8>> {
    fn all<M: Message>(points: &mut Vec<M>) -> Vec<Vec<u8>> {
        std::mem::take(points).iter().map(Message::encode_to_vec).collect()
    }
    match data {
        None => Vec::new(),
        Some(Data::Gauge(data)) => all(&mut data.data_points),
        Some(Data::Sum(data)) => all(&mut data.data_points),
        Some(Data::Histogram(data)) => all(&mut data.data_points),
        Some(Data::ExponentialHistogram(data)) => all(&mut data.data_points),
        Some(Data::Summary(data)) => all(&mut data.data_points),
    }
}

/// Checks that what a payload says of itself holds, chunk by chunk.
pub(crate) fn check(payload: &Payload) {
    let request = Request::of(payload);
    assert_eq!(payload.items(), request.items());
    assert_eq!(payload.is_empty(), request.items() == 0);
    assert_eq!(payload.encoded_len(), payload.to_bytes().len());
    for chunk in payload.chunks() {
        assert!(!chunk.is_empty());
        Payload::decode(payload.signal(), chunk.clone()).unwrap();
    }
}
