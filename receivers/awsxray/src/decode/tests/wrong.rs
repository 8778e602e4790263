//! Datagrams that are none.

use super::*;

#[test]
fn each_wrong_datagram_is_told_what_is_wrong_with_it() {
    let member = |member: &'static str, document: Value| {
        let error = decode(&datagram(&document.to_string())).unwrap_err();
        assert!(
            matches!(error, DecodeError::Member { member: found, .. } if found == member),
            "{error}"
        );
    };
    for (bytes, expected) in [
        (&b""[..], DecodeError::NoHeader),
        (b"{\"format\":\"json\",\"version\":1}", DecodeError::NoHeader),
        (b"\n{}", DecodeError::Header),
        (b"{\"format\":\"xml\",\"version\":1}\n{}", DecodeError::Header),
        (b"{\"format\":\"json\",\"version\":2}\n{}", DecodeError::Header),
        (b"{\"format\":\"json\",\"version\":\"1\"}\n{}", DecodeError::Header),
        (b"\xff\n{}", DecodeError::Header),
        (b"{\"format\":\"JSON\",\"version\":1}\n", DecodeError::Empty),
        (b"{\"format\":\"json\",\"version\":1}\n  ", DecodeError::Empty),
        (b"{\"format\":\"json\",\"version\":1}\n[]", DecodeError::NotAnObject),
        (b"{\"format\":\"json\",\"version\":1}\n{]", DecodeError::Syntax { offset: 2 }),
        (b"{\"format\":\"json\",\"version\":1}\n{\n]", DecodeError::Syntax { offset: 3 }),
        (b"{\"format\":\"json\",\"version\":1}\n{}{}", DecodeError::Syntax { offset: 3 }),
        (b"{\"format\":\"json\",\"version\":1}\nT1S!", DecodeError::Base64),
    ] {
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(decode(bytes).unwrap_err(), expected, "{shown}");
    }
    assert!(matches!(decode(&datagram("T1SAQ==")), Err(DecodeError::Otlp(_))));
    member("name", segment(&json!({"name": null})));
    member("name", segment(&json!({"name": 7})));
    member("id", segment(&json!({"id": "0000000000000000"})));
    member("id", segment(&json!({"id": "f067aa0ba902b7"})));
    member("trace_id", segment(&json!({"trace_id": null})));
    member("trace_id", segment(&json!({"trace_id": "1-6554ab10"})));
    member("parent_id", segment(&json!({"parent_id": "xx"})));
    member("start_time", segment(&json!({"start_time": "1"})));
    member("start_time", segment(&json!({"start_time": -1})));
    member("id", segment(&json!({"subsegments": [{"name": "n", "start_time": 1}]})));
}

#[test]
fn subsegments_are_followed_so_deep_and_no_deeper() {
    let nested = |depth: usize| {
        let inner =
            r#"{"name":"n","id":"00000000000000aa","start_time":1,"end_time":2,"subsegments":["#;
        let mut document = segment(&json!({})).to_string();
        document.pop();
        document.push_str(r#","subsegments":["#);
        document.push_str(&inner.repeat(depth));
        document.push_str(&"]}".repeat(depth));
        document.push_str("]}");
        decode(&datagram(&document))
    };
    assert_eq!(nested(DEPTH_MAX).unwrap().payload.items(), DEPTH_MAX + 1);
    assert_eq!(nested(DEPTH_MAX + 1).unwrap_err(), DecodeError::TooDeep);
    // As deep as a datagram can be.
    assert!(nested(700).is_err());
    let brackets = format!("{{\"name\":{}", "[".repeat(60_000));
    assert!(decode(&datagram(&brackets)).is_err());
}
