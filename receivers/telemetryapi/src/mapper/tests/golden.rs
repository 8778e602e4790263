//! Golden cases: `testdata/translate/<case>/in.json` holds the receiver's section, the function's variables and batches of events;
//! `out.json` what becomes of them, as OTLP/JSON. Random identifiers read `random`. `HIKYAKU_REFRESH_GOLDEN=1` writes `out.json` anew,
//! to be reviewed as a diff.

use super::*;

#[test]
fn every_case_becomes_what_is_on_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        cases += 1;
        let text = std::fs::read_to_string(case.join("in.json")).unwrap();
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
        let path = case.join("out.json");
        if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
            std::fs::write(&path, serde_json::to_string_pretty(&actual).unwrap() + "\n").unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or("null".to_owned());
        let expected: Value = serde_json::from_str(&expected).unwrap();
        if expected != actual {
            wrong.push(format!("{}\nexpected {expected:#}\nactual {actual:#}", case.display()));
        }
    }
    assert!(cases >= 5, "only {cases} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
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
