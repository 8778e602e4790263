use super::*;

fn unwrapped(payload: &Payload) -> Vec<Vec<u8>> {
    let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
    let metrics = metrics.flat_map(|s| s.metrics);
    metrics.flat_map(|metric| unwrap(&metric).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

#[test]
fn statistics_come_out_as_they_went_in_and_count_as_one_data_point() {
    for stats in [vec![], vec![1, 2, 3], vec![7; 70_000]] {
        let payload = wrap(&stats);
        assert_eq!((payload.signal(), payload.items()), (Signal::Metrics, 1));
        assert_eq!(unwrapped(&payload), [stats]);
    }
}

#[test]
fn what_a_collector_writes_is_read() {
    // `pmetric.ProtoMarshaler` of collector/pdata 1.71.0, for statistics of the bytes `0a 01 68`. It writes fields from the last to the
    // first, and the name is there twice.
    let head = [0x0a, 0x4b, 0x12, 0x47, 0x12, 0x43, 0x3a, 0x26, 0x0a, 0x24, 0x3a, 0x22];
    let value = [0x12, 0x05, 0x3a, 0x03, 0x0a, 0x01, b'h'];
    let name = [&[0x0a, 0x19], METRIC_NAME.as_bytes()].concat();
    let request = [&head[..], &value, &name, &name, &[0x0a, 0, 0x0a, 0]].concat();
    assert_eq!(request.len(), 77);
    let payload = Payload::decode(Signal::Metrics, Bytes::from(request)).unwrap().payload;
    assert_eq!((payload.items(), unwrapped(&payload)), (1, vec![vec![0x0a, 1, b'h']]));
}

#[test]
fn metric_of_another_kind_or_name_holds_no_statistics() {
    let payload = |name: &str, kind: u32, value: u32| {
        let mut request = Vec::new();
        wire::put_message(&mut request, 1, |resource| {
            wire::put_message(resource, 2, |scope| {
                wire::put_message(scope, 2, |metric| {
                    wire::put_len(metric, 1, name.as_bytes());
                    wire::put_message(metric, kind, |data| {
                        wire::put_message(data, 1, |point| {
                            wire::put_message(point, 7, |attribute| {
                                wire::put_len(attribute, 1, METRIC_NAME.as_bytes());
                                wire::put_message(attribute, 2, |any| {
                                    wire::put_len(any, value, b"h");
                                });
                            });
                        });
                    });
                });
            });
        });
        Payload::decode(Signal::Metrics, Bytes::from(request)).unwrap().payload
    };
    assert_eq!(unwrapped(&payload(METRIC_NAME, 7, 7)), [b"h"]);
    let none: [&[u8]; 0] = [];
    assert_eq!(unwrapped(&payload("dd.internal.stats", 7, 7)), none);
    assert_eq!(unwrapped(&payload(METRIC_NAME, 5, 7)), none);
    assert_eq!(unwrapped(&payload(METRIC_NAME, 7, 1)), none);
    let is = |payload: Payload| {
        let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
        let found: Vec<bool> = metrics.flat_map(|s| s.metrics).map(|m| is_stats(&m)).collect();
        found
    };
    assert_eq!(is(payload(METRIC_NAME, 7, 7)), [true]);
    assert_eq!(is(payload(METRIC_NAME, 5, 7)), [false]);
    assert_eq!(is(payload("requests", 7, 7)), [false]);
}
