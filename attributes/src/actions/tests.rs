use bytes::Bytes;
use confmap::{Diagnostics, Node, Section};
use pdata::{Payload, Signal};

use super::*;
use pdata::text::to_text;

/// What the actions make of the attributes of a resource: `key=Type(value)` in order.
fn run(actions: &str, attributes: &str) -> String {
    run_for(&Client::default(), actions, attributes)
}

fn run_for(client: &Client, actions: &str, attributes: &str) -> String {
    let (mut payload, actions) = (resource(attributes), actions_of(actions));
    payload.edit_resources(|resource| actions.apply(&mut resource.attributes(), client));
    shown(&payload)
}

fn actions_of(yaml: &str) -> Actions {
    let node = Node::from_yaml("test.yaml", &format!("actions: {yaml}")).unwrap();
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "processors::attributes", &diagnostics);
    let actions = Actions::read(&mut section, "actions");
    section.finish();
    assert!(diagnostics.is_empty(), "{diagnostics}");
    actions
}

/// A payload of one resource with these attributes.
fn resource(attributes: &str) -> Payload {
    let node = Node::from_yaml("test.yaml", attributes).unwrap();
    let bytes = Bytes::from_static(&[0x0a, 0x04, 0x12, 0x02, 0x12, 0x00]);
    let mut payload = Payload::decode(Signal::Traces, bytes).unwrap().payload;
    payload.edit_resources(|resource| {
        for entry in node.as_map().into_iter().flatten() {
            let value = crate::value::from_node(&entry.node).unwrap();
            resource.attributes().set(&entry.key, &value).unwrap();
        }
    });
    payload
}

fn shown(payload: &Payload) -> String {
    let resource = payload.resource_spans().next().unwrap().resource;
    let attributes = resource.attributes.iter().map(|attribute| {
        let kind = match attribute.value {
            AnyValue::Empty => "Empty",
            AnyValue::Str(_) => "Str",
            AnyValue::Bool(_) => "Bool",
            AnyValue::Int(_) => "Int",
            AnyValue::Double(_) => "Double",
            AnyValue::Array(_) => "Slice",
            AnyValue::KeyValueList(_) => "Map",
            AnyValue::Bytes(_) => "Bytes",
        };
        format!("{}={kind}({})", attribute.key, to_text(&attribute.value))
    });
    attributes.collect::<Vec<_>>().join(" ")
}

#[test]
fn insert_sets_what_is_not_there() {
    let actions = "[{key: a, value: 123, action: insert}]";
    assert_eq!(run(actions, "{}"), "a=Int(123)");
    assert_eq!(run(actions, "{b: bob}"), "b=Str(bob) a=Int(123)");
    assert_eq!(run(actions, "{a: bob}"), "a=Str(bob)");
    let actions = "[{key: to, from_attribute: from, action: insert}]";
    assert_eq!(run(actions, "{}"), "");
    assert_eq!(run(actions, "{from: [1, x]}"), "from=Slice([1,\"x\"]) to=Slice([1,\"x\"])");
    assert_eq!(run(actions, "{from: 1, to: here}"), "from=Int(1) to=Str(here)");
}

#[test]
fn update_sets_what_is_there() {
    let actions = "[{key: db.secret, value: redacted, action: update}]";
    assert_eq!(run(actions, "{}"), "");
    assert_eq!(run(actions, "{boo: foo}"), "boo=Str(foo)");
    assert_eq!(run(actions, "{db.secret: 1, b: 2}"), "db.secret=Str(redacted) b=Int(2)");
    let actions = "[{key: boo, from_attribute: foo, action: update}]";
    assert_eq!(run(actions, "{boo: bob}"), "boo=Str(bob)");
    assert_eq!(run(actions, "{foo: over there}"), "foo=Str(over there)");
    assert_eq!(run(actions, "{foo: 1.5, boo: not here}"), "foo=Double(1.5) boo=Double(1.5)");
}

#[test]
fn upsert_sets_in_any_case() {
    let actions = "[{key: region, value: planet-earth, action: upsert}]";
    assert_eq!(run(actions, "{}"), "region=Str(planet-earth)");
    assert_eq!(run(actions, "{region: 1, b: true}"), "region=Str(planet-earth) b=Bool(true)");
    let actions = "[{key: new, from_attribute: old, action: upsert}]";
    assert_eq!(run(actions, "{new: 1}"), "new=Int(1)");
    assert_eq!(run(actions, "{old: {a: 1}}"), "old=Map({\"a\":1}) new=Map({\"a\":1})");
}

#[test]
fn value_has_the_type_that_it_is_written_in() {
    for (value, expected) in [
        ("true", "Bool(true)"),
        ("'true'", "Str(true)"),
        ("5", "Int(5)"),
        ("5.0", "Double(5)"),
        ("[1, a]", "Slice([1,\"a\"])"),
        ("{a: {b: null}}", "Map({\"a\":{\"b\":null}})"),
        ("''", "Str()"),
    ] {
        let actions = format!("[{{key: a, value: {value}, action: upsert}}]");
        assert_eq!(run(&actions, "{}"), format!("a={expected}"));
    }
}

#[test]
fn default_value_stands_in_for_what_is_not_there() {
    let actions =
        "[{key: region, from_attribute: cloud.region, default_value: us-east-1, action: insert}]";
    assert_eq!(run(actions, "{}"), "region=Str(us-east-1)");
    assert_eq!(run(actions, "{cloud.region: eu}"), "cloud.region=Str(eu) region=Str(eu)");
    assert_eq!(run(actions, "{region: mine}"), "region=Str(mine)");
    let actions =
        "[{key: tenant, from_context: metadata.tenant, default_value: 0, action: upsert}]";
    assert_eq!(run(actions, "{tenant: x}"), "tenant=Int(0)");
    let actions = "[{key: only, default_value: 1, action: update}]";
    assert_eq!(run(actions, "{only: x}"), "only=Int(1)");
    assert_eq!(run(actions, "{}"), "");
}

#[test]
fn context_gives_metadata_authentication_and_address_of_the_sender() {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let metadata = [("tenant", "acme"), ("tenant", "corp"), ("x-id", "7")];
    let client = Client {
        metadata: metadata.iter().map(pair).collect(),
        address: Some("[::ffff:10.0.0.1]:4317".parse().unwrap()),
        auth: [("subject", "me"), ("groups", "a"), ("groups", "b")].iter().map(pair).collect(),
    };
    for (from, expected) in [
        ("metadata.Tenant", "a=Str(acme;corp)"),
        ("tenant", "a=Str(acme;corp)"),
        ("X-Id", "a=Str(7)"),
        ("auth.subject", "a=Str(me)"),
        ("auth.groups", "a=Str(a;b)"),
        ("client.address", "a=Str(10.0.0.1)"),
        ("metadata.none", ""),
        ("auth.Subject", ""),
    ] {
        let actions = format!("[{{key: a, from_context: {from}, action: insert}}]");
        assert_eq!(run_for(&client, &actions, "{}"), expected, "{from}");
    }
    assert_eq!(run("[{key: a, from_context: client.address, action: insert}]", "{}"), "");
}

#[test]
fn delete_removes_a_key_and_those_that_match() {
    assert_eq!(run("[{key: a, action: delete}]", "{a: 1, ab: 2}"), "ab=Int(2)");
    assert_eq!(run("[{key: a, action: delete}]", "{b: 1}"), "b=Int(1)");
    let actions = "[{key: duplicate_key, pattern: '^duplicate_key_.', action: delete}]";
    let attributes =
        "{duplicate_key: 0, duplicate_key_a: 1, not_duplicate_key: 2, duplicate_key_b: 3}";
    assert_eq!(run(actions, attributes), "not_duplicate_key=Int(2)");
    // A pattern need not match the whole key.
    assert_eq!(run("[{pattern: dup, action: delete}]", "{a_dup_b: 1, du: 2}"), "du=Int(2)");
}

#[test]
fn hash_is_sha_256_of_the_value() {
    let actions = "[{key: a, action: hash}]";
    for (value, expected) in [
        ("user@example.com", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"),
        ("''", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("true", "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"),
        ("false", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ("24", "cbb032642036ec7043fa4529f06c9c9d8b12fa70ea6799a19ca8321a808d86fa"),
        ("-1", "12a3ae445661ce5dee78d0650d33362dec29c4f82af05e7e57fb595bbbacf0ca"),
        ("2.4", "df3022be03461368aa299f2f30d440fd3ca45c9b62af40733f10296a53d42859"),
        ("null", ""),
        ("[1]", ""),
        ("{a: 1}", ""),
    ] {
        let attributes = format!("{{a: {value}, b: 1}}");
        assert_eq!(run(actions, &attributes), format!("a=Str({expected}) b=Int(1)"), "{value}");
    }
    assert_eq!(run(actions, "{b: 1}"), "b=Int(1)");
}

#[test]
fn hash_replaces_what_matches_too() {
    let hashed = run("[{pattern: '^user', action: hash}]", "{user.a: '', x: 1, user.b: true}");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let yes = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
    assert_eq!(hashed, format!("user.a=Str({empty}) x=Int(1) user.b=Str({yes})"));
}

#[test]
fn extract_sets_the_keys_that_its_groups_are_named_after() {
    let pattern = r"^\/api\/v1\/document\/(?P<new_user_key>.*)\/update\/(?P<version>.*)$";
    let actions = format!("[{{key: user_key, pattern: '{pattern}', action: extract}}]");
    for (attributes, expected) in [
        ("{}", ""),
        ("{boo: x}", "boo=Str(x)"),
        ("{user_key: 1234}", "user_key=Int(1234)"),
        ("{user_key: no}", "user_key=Str(no)"),
        (
            "{user_key: /api/v1/document/12345678/update/v1, version: 5}",
            "user_key=Str(/api/v1/document/12345678/update/v1) version=Str(v1) new_user_key=Str(12345678)",
        ),
    ] {
        assert_eq!(run(&actions, attributes), expected);
    }
    let actions = "[{key: a, pattern: '(?P<x>1)|(?P<y>2)', action: extract}]";
    assert_eq!(run(actions, "{a: '2', x: old}"), "a=Str(2) x=Str() y=Str(2)");
    let itself = "[{key: a, pattern: '^(?P<a>.)', action: extract}]";
    assert_eq!(run(itself, "{a: xyz}"), "a=Str(x)");
}

#[test]
fn convert_follows_the_collectors_table() {
    for (target, value, expected) in [
        ("int", "5", "Int(5)"),
        ("int", "5.9", "Int(5)"),
        ("int", "-5.9", "Int(-5)"),
        ("int", "1e300", "Int(9223372036854775807)"),
        ("int", ".nan", "Int(0)"),
        ("int", "true", "Int(1)"),
        ("int", "false", "Int(0)"),
        ("int", "'123'", "Int(123)"),
        ("int", "'-7'", "Int(-7)"),
        ("int", "'1.5'", "Str(1.5)"),
        ("int", "'no'", "Str(no)"),
        ("int", "[1]", "Slice([1])"),
        ("int", "null", "Empty()"),
        ("double", "5", "Double(5)"),
        ("double", "5.5", "Double(5.5)"),
        ("double", "true", "Double(1)"),
        ("double", "'1e3'", "Double(1000)"),
        ("double", "'0x1p-2'", "Double(0.25)"),
        ("double", "'1e400'", "Str(1e400)"),
        ("double", "'no'", "Str(no)"),
        ("double", "{a: 1}", "Map({\"a\":1})"),
        ("string", "5", "Str(5)"),
        ("string", "5.5", "Str(5.5)"),
        ("string", "1e21", "Str(1e+21)"),
        ("string", "true", "Str(true)"),
        ("string", "text", "Str(text)"),
        ("string", "[1, a]", "Str([1,\"a\"])"),
        ("string", "{b: 1, a: <}", "Str({\"a\":\"<\",\"b\":1})"),
        ("string", "null", "Str()"),
    ] {
        let actions = format!("[{{key: a, converted_type: {target}, action: convert}}]");
        let attributes = format!("{{a: {value}}}");
        assert_eq!(run(&actions, &attributes), format!("a={expected}"), "{target} of {value}");
        assert_eq!(run(&actions, "{b: 1}"), "b=Int(1)");
    }
}

#[test]
fn actions_follow_each_other() {
    let actions = "[{key: operation, value: default, action: insert}, \
                    {key: svc.operation, from_attribute: operation, action: upsert}, \
                    {key: operation, action: delete}]";
    for (attributes, expected) in [
        (
            "{timeout: 10, svc.operation: addition, operation: addition}",
            "timeout=Int(10) svc.operation=Str(addition)",
        ),
        (
            "{operation: subtract, math_value: 123}",
            "math_value=Int(123) svc.operation=Str(subtract)",
        ),
        ("{timeout: 10}", "timeout=Int(10) svc.operation=Str(default)"),
        ("{svc.operation: division}", "svc.operation=Str(default)"),
    ] {
        assert_eq!(run(actions, attributes), expected);
    }
}

#[test]
fn actions_without_effect_leave_the_bytes_where_they_are() {
    let client = Client::default();
    for actions in [
        "[{key: a, value: 2, action: insert}]",
        "[{key: b, value: 2, action: update}]",
        "[{key: a, value: 1, action: upsert}]",
        "[{key: b, from_attribute: a, action: update}]",
        "[{key: c, from_context: x, action: upsert}]",
        "[{key: b, pattern: '^b', action: delete}]",
        "[{key: b, pattern: '^b', action: hash}]",
        "[{key: s, pattern: '(?P<b>5)', action: extract}]",
        "[{key: s, pattern: '(?P<s>x)', action: extract}]",
        "[{key: a, converted_type: int, action: convert}]",
        "[{key: s, converted_type: int, action: convert}]",
    ] {
        let (mut payload, actions) = (resource("{a: 1, s: x}"), actions_of(actions));
        let before = payload.chunks()[0].as_ptr();
        payload.edit_resources(|resource| actions.apply(&mut resource.attributes(), &client));
        assert_eq!(payload.chunks()[0].as_ptr(), before, "{actions:?}");
        assert_eq!(shown(&payload), "a=Int(1) s=Str(x)");
    }
}
