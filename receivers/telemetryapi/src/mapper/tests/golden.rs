//! Golden cases: `testdata/translate/<case>/in.json` holds the receiver's section, the function's variables and batches of events;
//! `out.json` what becomes of them, as OTLP/JSON. Random identifiers read `random`. `HIKYAKU_REFRESH_GOLDEN=1` writes `out.json` anew,
//! to be reviewed as a diff.

use super::*;

#[test]
fn every_case_becomes_what_is_on_file() {
    let cases = test_golden::cases(env!("CARGO_MANIFEST_DIR"), "testdata/translate");
    assert!(cases.len() >= 5, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let text = test_golden::input(&case);
        let input: Value = serde_json::from_str(&text).unwrap();
        let variables: Vec<(&str, &str)> = input["variables"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let mut mapper = mapper(&input["section"].to_string(), &variables);
        let mut out = Vec::new();
        for batch in input["batches"].as_array().unwrap() {
            out.extend(map(&mut mapper, batch));
            out.extend(mapper.export(NOW).payloads.iter().map(to_json));
        }
        let mut actual = Value::from(out);
        hide_random(&mut actual, &text);
        wrong.extend(test_golden::check(&case.join("out.json"), &actual));
    }
    test_golden::assert_none(wrong);
}

/// Puts a word for identifiers that are not of the input.
fn hide_random(value: &mut Value, input: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|inner| hide_random(inner, input)),
        Value::Object(object) => {
            for key in ["traceId", "spanId", "parentSpanId"] {
                if let Some(Value::String(id)) = object.get_mut(key)
                    && !input.replace("1-", "").replace('-', "").contains(&*id)
                {
                    "random".clone_into(id);
                }
            }
            if object.get("key") == Some(&json!("service.instance.id")) {
                object["value"] = json!({"stringValue": "random"});
            }
            object.values_mut().for_each(|inner| hide_random(inner, input));
        }
        _ => {}
    }
}
