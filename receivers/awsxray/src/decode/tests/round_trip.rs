//! Whatever a segment says, it says after the way to OTLP and back through our exporter.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde_json::Map;

use super::*;

fn text() -> BoxedStrategy<Value> {
    "[ -~é日\\n\\t]{1,12}".prop_map(Value::from).boxed()
}

/// Text that X-Ray takes as a name.
fn name() -> BoxedStrategy<Value> {
    "[a-zA-Z0-9_.:/@-]{1,12}".prop_map(Value::from).boxed()
}

fn id() -> BoxedStrategy<Value> {
    "[1-9a-f]{16}".prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn int() -> BoxedStrategy<Value> {
    (0i64..1_000_000).prop_map(Value::from).boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn scalar() -> BoxedStrategy<Value> {
    let double = (-1000i32..1000).prop_map(|n| json!(f64::from(n) + 0.5));
    prop_oneof![text(), flag(), any::<i64>().prop_map(Value::from), double].boxed()
}

fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![scalar(), Just(Value::Null)];
    let nested = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    nested.boxed()
}

/// An object with some of these members.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(key, value)| {
            option::of(value).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
        })
        .collect();
    members.prop_map(|all| Value::Object(all.into_iter().flatten().collect())).boxed()
}

/// Members that nobody knows.
fn unknown(of: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let more =
        btree_map("x_[a-z]{1,4}", json().prop_filter("null is nothing", |v| !v.is_null()), 0..2);
    let join = |(of, more): (Value, std::collections::BTreeMap<String, Value>)| {
        let mut object: Map<String, Value> = of.as_object().unwrap().clone();
        object.extend(more);
        Value::Object(object)
    };
    (of, more).prop_map(join).boxed()
}

fn http() -> BoxedStrategy<Value> {
    let request = unknown(object(std::vec![
        ("method", one_of(&["GET", "POST"])),
        ("url", text()),
        ("user_agent", text()),
        ("client_ip", one_of(&["203.0.113.7", "2001:db8::7"])),
        ("x_forwarded_for", flag()),
        ("traced", flag()),
    ]));
    let status = select(&[200i64, 302, 404, 429, 500, 503][..]).prop_map(Value::from).boxed();
    let response = unknown(object(std::vec![("status", status), ("content_length", int())]));
    // An exporter knows a request by its method.
    (request, response)
        .prop_map(|(mut request, response)| {
            request.as_object_mut().unwrap().entry("method").or_insert(json!("GET"));
            json!({"request": request, "response": response})
        })
        .boxed()
}

fn sql() -> BoxedStrategy<Value> {
    unknown(object(std::vec![
        (
            "url",
            one_of(&[
                "postgres://db.example.com:5432/orders",
                "orders",
                "jdbc:sqlite:o.db",
                "h:1/o?x"
            ])
        ),
        ("connection_string", text()),
        ("database_type", one_of(&["PostgreSQL", "mysql", "H2", "Oracle"])),
        ("database_version", text()),
        ("driver_version", text()),
        ("user", text()),
        ("preparation", one_of(&["call", "statement"])),
        ("sanitized_query", text()),
    ]))
}

fn call() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    std::vec![
        ("operation", text()),
        ("region", text()),
        ("request_id", text()),
        ("queue_url", text()),
        ("table_name", text()),
        ("retries", int()),
        ("bucket_name", text()),
    ]
}

fn place() -> BoxedStrategy<Value> {
    let logs = prop_oneof![
        vec("[a-z]{1,5}".prop_map(|name| json!({"log_group": name})), 1..3),
        vec("[a-z]{1,5}".prop_map(|name| json!({"log_group": name, "arn": format!("arn:aws:logs:eu-west-1:1:log-group:{name}:*")})), 1..3),
        vec(Just(json!({"log_group": "g", "arn": "arn", "more": 1})), 1..3),
    ];
    let mut members = call();
    members.extend(std::vec![
        ("account_id", text()),
        ("cloudwatch_logs", logs.prop_map(Value::Array).boxed()),
        (
            "ec2",
            unknown(object(std::vec![
                ("instance_id", text()),
                ("availability_zone", text()),
                ("instance_size", text()),
                ("ami_id", text()),
            ]))
        ),
        (
            "ecs",
            unknown(object(std::vec![
                ("container", text()),
                ("container_id", text()),
                ("availability_zone", text()),
                ("task_arn", text()),
                ("launch_type", text()),
                ("cluster_arn", text()),
            ]))
        ),
        (
            "eks",
            unknown(object(std::vec![
                ("cluster_name", text()),
                ("pod", text()),
                ("container_id", text())
            ]))
        ),
        (
            "elastic_beanstalk",
            unknown(object(std::vec![
                ("environment_name", text()),
                ("version_label", text()),
                ("deployment_id", int()),
            ]))
        ),
        (
            "xray",
            unknown(object(std::vec![
                (
                    "sdk",
                    one_of(&[
                        "X-Ray for Python",
                        "X-Ray for Node.js",
                        "mine",
                        "opentelemetry for java"
                    ])
                ),
                ("sdk_version", text()),
                ("auto_instrumentation", flag()),
                ("sampling_rule_name", text()),
            ]))
        ),
    ]);
    unknown(object(members))
}

fn cause() -> BoxedStrategy<Value> {
    let frame = ("[a-z<>. ]{1,8}(\\([a-z]\\))?", "[a-z/\\\\.]{1,8}( \\(x86\\)/a)?", 0..9999i64)
        .prop_map(|(label, path, line)| json!({"label": label, "path": path, "line": line}));
    let exception = object(std::vec![
        ("message", text()),
        ("type", text()),
        ("remote", flag()),
        ("truncated", int()),
        ("skipped", int()),
        ("cause", id()),
        ("stack", vec(frame, 1..4).prop_map(Value::Array).boxed()),
    ]);
    let exception = (exception, id()).prop_map(|(mut exception, id)| {
        exception["id"] = id;
        exception
    });
    let of_object = object(std::vec![
        ("working_directory", text()),
        ("paths", vec(text(), 0..2).prop_map(Value::Array).boxed()),
        ("exceptions", vec(exception, 1..3).prop_map(Value::Array).boxed()),
    ]);
    prop_oneof![id(), unknown(of_object)].boxed()
}

/// Members of segments and subsegments.
fn common() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let annotations = btree_map("[a-zA-Z0-9_]{1,6}", scalar(), 0..3);
    let namespace = btree_map("[a-z. ]{1,6}", json(), 0..3);
    let metadata =
        btree_map(prop_oneof![Just("default".to_owned()), "[a-zA-Z ]{1,5}"], namespace, 0..3);
    let map =
        |map: std::collections::BTreeMap<String, Value>| Value::Object(map.into_iter().collect());
    std::vec![
        ("fault", flag()),
        ("error", flag()),
        ("throttle", flag()),
        ("http", http()),
        ("cause", cause()),
        ("annotations", annotations.prop_map(map).boxed()),
        ("metadata", metadata.prop_map(|all| json!(all)).boxed()),
        ("precursor_ids", vec(id(), 1..3).prop_map(Value::Array).boxed()),
    ]
}

/// Adds what every segment has.
fn whole(members: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let end = option::of(0u64..1_000_000_000);
    (members, name(), id(), 1_500_000_000u64..1_900_000_000, 0u64..1_000_000, end)
        .prop_map(|(mut members, name, id, seconds, micros, took)| {
            let start = format!("{seconds}.{micros:06}");
            members["name"] = name;
            members["id"] = id;
            members["start_time"] = serde_json::from_str(&start).unwrap();
            match took {
                Some(took) => members["end_time"] = json!(seconds as f64 + took as f64 / 1e6),
                None => members["in_progress"] = json!(true),
            }
            members
        })
        .boxed()
}

fn subsegment() -> BoxedStrategy<Value> {
    let mut members = common();
    members.extend(std::vec![
        ("namespace", one_of(&["aws", "remote", "local"])),
        ("sql", sql()),
        ("aws", unknown(object(call()))),
    ]);
    let leaf = whole(unknown(object(members)));
    let nested = leaf.clone().prop_recursive(2, 4, 2, move |inner| {
        (leaf.clone(), vec(inner, 0..2)).prop_map(|(mut of, below)| {
            of["subsegments"] = Value::Array(below);
            of
        })
    });
    nested.boxed()
}

fn document() -> BoxedStrategy<Value> {
    let link = (id(), "[1-9a-f]{24}", option::of(btree_map("[a-z]{1,4}", scalar(), 1..3)))
        .prop_map(|(id, trace, attributes)| {
            let mut link = json!({"trace_id": format!("1-6554ab10-{trace}"), "id": id});
            if let Some(attributes) = attributes {
                link["attributes"] = json!(attributes);
            }
            link
        });
    let mut members = common();
    members.extend(std::vec![
        ("user", text()),
        (
            "origin",
            one_of(&[
                "AWS::EC2::Instance",
                "AWS::ECS::Container",
                "AWS::ECS::Fargate",
                "AWS::Lambda::Function",
                "AWS::ElasticBeanstalk::Environment",
                "mine"
            ])
        ),
        ("resource_arn", text()),
        ("parent_id", id()),
        (
            "service",
            unknown(object(std::vec![
                ("version", text()),
                ("runtime", text()),
                ("compiler", text())
            ]))
        ),
        ("aws", place()),
        ("links", vec(link, 1..3).prop_map(Value::Array).boxed()),
    ]);
    let root = (whole(unknown(object(members))), vec(subsegment(), 0..3), "[1-9a-f]{24}");
    let root = root.prop_map(|(mut root, below, trace)| {
        root["trace_id"] = json!(format!("1-6554ab10-{trace}"));
        root["subsegments"] = Value::Array(below);
        root
    });
    let mut members = common();
    members.extend(std::vec![
        ("namespace", one_of(&["aws", "remote"])),
        ("sql", sql()),
        ("aws", unknown(object(call()))),
    ]);
    let independent = (whole(unknown(object(members))), id(), "[1-9a-f]{24}");
    let independent = independent.prop_map(|(mut one, parent, trace)| {
        one["trace_id"] = json!(format!("1-6554ab10-{trace}"));
        one["parent_id"] = parent;
        one["type"] = json!("subsegment");
        one
    });
    prop_oneof![3 => root, 1 => independent].boxed()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_of_a_segment_is_lost_on_the_way_to_otlp_and_back(document in document()) {
        let text = document.to_string();
        let back = model::back(&text).expect("every document is taken");
        let lost = model::lost(&document, &back);
        proptest::prop_assert!(lost.is_empty(), "{}\nof {document}\nback {}", lost.join("\n"), json!(back));
    }

    #[test]
    fn no_datagram_makes_it_panic(bytes in vec(any::<u8>(), 0..200), with_header in any::<bool>()) {
        let mut datagram = if with_header { HEADER.as_bytes().to_vec() } else { Vec::new() };
        datagram.extend(bytes);
        let _any = decode(&datagram);
    }

    #[test]
    fn no_document_with_something_changed_in_it_makes_it_panic(
        document in document(), changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4), cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = datagram(&document.to_string());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _any = decode(&bytes);
    }

    #[test]
    fn any_json_in_any_place_is_taken_or_refused_and_nothing_else(members in btree_map(
        select(&["name", "id", "trace_id", "parent_id", "type", "start_time", "end_time", "in_progress", "http", "cause", "aws", "sql",
            "annotations", "metadata", "links", "service", "origin", "user", "fault", "namespace", "subsegments", "precursor_ids"][..]),
        json(), 0..6,
    )) {
        let mut document = segment(&json!({}));
        for (name, value) in members {
            document[name] = value;
        }
        if let Some(back) = model::back(&document.to_string()) {
            proptest::prop_assert!(!back.is_empty());
        }
    }
}
