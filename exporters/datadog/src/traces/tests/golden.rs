//! Golden cases: see `testdata/README.md`.

use serde_json::Value;

use super::*;

#[test]
#[ignore]
fn compare() {
    let dir = std::env::var("PARITY").unwrap();
    let mut differing = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(path.join("in.json")).unwrap();
        if !text.contains("resourceSpans") || path.join("config.yaml").exists() {
            continue;
        }
        let reference = std::fs::read_to_string(path.join("reference.json")).unwrap();
        let reference: Value = serde_json::from_str(&reference).unwrap();
        let options = Options { fallback_host: "parity-host".into(), ..Options::default() };
        let ours: Vec<Value> = translate(&payload(&text), &options, 1_700_000_100_000_000_000)
            .bodies
            .iter()
            .map(|body| model::json(&body.bytes))
            .collect();
        let mut ours = Value::Array(ours);
        let mut theirs = reference.get("traces").cloned().unwrap_or(Value::Array(Vec::new()));
        for v in [&mut ours, &mut theirs] {
            for body in v.as_array_mut().unwrap() {
                body["agentVersion"] = "".into();
                for t in body["tracerPayloads"].as_array_mut().unwrap() {
                    let _x = 0;
                    t["chunks"]
                        .as_array_mut()
                        .unwrap()
                        .sort_by_key(|c| c["spans"][0]["traceID"].to_string());
                    if let Some(tags) = t["tags"]["_dd.tags.container"].as_str() {
                        let mut x: Vec<&str> = tags.split(',').collect();
                        x.sort();
                        let j = x.join(",");
                        t["tags"]["_dd.tags.container"] = j.into();
                    }
                }
                let ts = body["tracerPayloads"].as_array_mut().unwrap();
                ts.sort_by_key(|t| t["chunks"][0]["spans"][0].to_string());
            }
        }
        let mut out = Vec::new();
        diff("", &ours, &theirs, &mut out);
        if !out.is_empty() {
            differing += 1;
            println!("== {}", path.file_name().unwrap().to_string_lossy());
            for line in out {
                println!("   {line}");
            }
        }
    }
    println!("{differing} differ");
}

fn diff(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => diff(&format!("{path}.{key}"), value, other, out),
                    None => out.push(format!("{path}.{key}: only ours: {value}")),
                }
            }
            for (key, value) in b {
                if !a.contains_key(key) {
                    out.push(format!("{path}.{key}: only theirs: {value}"));
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                diff(&format!("{path}[{i}]"), a, b, out);
            }
        }
        _ if ours == theirs => {}
        _ => {
            let short = |v: &Value| {
                let s = v.to_string();
                s.chars().take(300).collect::<String>()
            };
            out.push(format!("{path}: ours {} theirs {}", short(ours), short(theirs)))
        }
    }
}
