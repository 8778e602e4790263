//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON, `out.json` the Zipkin JSON body, `out.proto.json` the
//! protobuf body in JSON's form. `HIKYAKU_REFRESH_GOLDEN=1` writes both anew, to be reviewed as a diff.

use super::schema;
use crate::translate::{Format, Options, translate};

#[test]
fn every_case_translates_to_what_is_on_file() {
    let cases = test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate");
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let request = serde_json::from_str(&test_golden::input(&case))
            .unwrap_or_else(|e| panic!("{case:?}: {e}"));
        let payload = super::payload(&request);
        let body = translate(&payload, &Options::of(Format::Json)).body;
        schema::check_json(&body);
        let json = serde_json::from_slice(&body).unwrap();
        wrong.extend(test_golden::check(&case.join("out.json"), &json));
        let proto = schema::proto_as_json(&translate(&payload, &Options::of(Format::Proto)).body);
        wrong.extend(test_golden::check(&case.join("out.proto.json"), &proto));
    }
    test_golden::assert_none(wrong);
}
