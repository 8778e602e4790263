//! What counts as a difference, and what the list of differences forgives.

use serde_json::{Value, json};

use tests::parity::{Comparison, Difference, Listed, Unreadable};

const WIRE: Comparison = Comparison { defaults_are_absent: true };
const PLAIN: Comparison = Comparison { defaults_are_absent: false };

fn paths(ours: &Value, reference: &Value) -> Vec<String> {
    WIRE.differences(ours, reference).into_iter().map(|difference| difference.path).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn each_place_that_differs_is_named_once() {
    let ours = json!({ "a": { "b": 1, "more": "x" }, "same": [1, 2] });
    let reference = json!({ "a": { "b": 2, "less": "y" }, "same": [1, 2] });
    assert_eq!(paths(&ours, &reference), ["a/b", "a/less", "a/more"]);
    let found = WIRE.differences(&ours, &reference);
    assert_eq!(found[0].to_string(), "a/b: ours 1, reference 2");
    assert_eq!(found[1].to_string(), "a/less: ours nothing, reference \"y\"");
}

#[test]
fn defaults_are_absent_on_a_wire_only() {
    let ours = json!({ "zero": 0, "empty": "", "list": [], "message": { "false": false } });
    assert_eq!(paths(&ours, &json!({})), none());
    assert_eq!(PLAIN.differences(&ours, &json!({})).len(), 4);
    assert_eq!(paths(&json!({ "one": 1 }), &json!({})), ["one"]);
}

#[test]
fn numbers_are_the_same_but_for_the_last_digits_of_a_double() {
    assert_eq!(paths(&json!([0.1, 3, 1e300]), &json!([0.100_000_000_000_01, 3.0, 1e300])), none());
    assert_eq!(paths(&json!([0.1]), &json!([0.100_001])), ["0"]);
    // Neighbours among integers are the same double.
    assert_eq!(
        paths(&json!([9_007_199_254_740_993_u64]), &json!([9_007_199_254_740_992_u64])),
        ["0"]
    );
}

#[test]
fn lists_of_objects_have_no_order() {
    let ours = json!([{ "id": 1, "x": "a" }, { "id": 2, "x": "b" }, { "id": 3 }]);
    let reference = json!([{ "id": 2, "x": "b" }, { "id": 1, "x": "other" }]);
    assert_eq!(paths(&ours, &reference), ["1/x", "+2"]);
    assert_eq!(paths(&reference, &ours), ["0/x", "2"]);
}

#[test]
fn lists_of_values_have_an_order() {
    assert_eq!(paths(&json!({ "k": [1, 2] }), &json!({ "k": [2, 1] })), ["k/0", "k/1"]);
    assert_eq!(paths(&json!({ "k": ["a"] }), &json!({ "k": ["a", "b"] })), ["k"]);
}

#[test]
fn tags_are_sets_in_lists_and_in_texts() {
    let ours = json!({ "tags": ["b:2", "a:1"], "ddtags": "x:1,,y:2" });
    let reference = json!({ "tags": ["a:1", "c:3"], "ddtags": "y:2,x:1" });
    assert_eq!(paths(&ours, &reference), ["tags/b:2", "tags/c:3"]);
}

#[test]
fn json_in_a_text_is_compared_as_json() {
    let ours = json!({ "events": "[{\"a\": 1, \"b\": \"<\"}]", "plain": "{not json" });
    let reference = json!({ "events": "[{\"b\":\"\\u003c\",\"a\":2}]", "plain": "{not json" });
    assert_eq!(paths(&ours, &reference), ["events/0/a"]);
    assert_eq!(paths(&json!("1"), &json!("1.0")), [""]);
}

#[test]
fn sketches_are_compared_by_their_values() {
    let ours = |bin: &str| json!({ "gamma": 1.015625, "indexOffset": 1338.5, "bins": { bin: 2 } });
    let reference = json!({ "gamma": 1.02020202020202, "bins": { "690": 2 } });
    // A millisecond in nanoseconds, in bins of either mapping.
    assert_eq!(paths(&ours("2229"), &reference), none());
    assert_eq!(paths(&ours("2235"), &reference), [""]);
    let fewer = json!({ "gamma": 1.02020202020202, "bins": { "690": 1 } });
    assert_eq!(paths(&ours("2229"), &fewer), [""]);
    let zeros = json!({ "gamma": 1.02020202020202, "bins": {}, "zeroCount": 1 });
    assert_eq!(paths(&zeros, &fewer), [""]);
}

fn difference(path: &str) -> Difference {
    Difference { path: path.to_owned(), ours: None, reference: None }
}

#[test]
fn unlisted_differences_are_left() {
    let listed =
        Listed::read("# names\n\n* */name  ours is shorter\nlog_* logs/0  another order\n");
    let listed = listed.unwrap();
    let found = vec![difference("spans/0/name"), difference("name"), difference("logs/0")];
    assert_eq!(listed.unlisted("spans", found.clone()), [found[1].clone(), found[2].clone()]);
    assert_eq!(listed.unlisted("log_times", found.clone()), [found[1].clone()]);
    assert_eq!(listed.stale(), Vec::<String>::new());
}

#[test]
fn listed_differences_that_do_not_occur_are_stale() {
    let listed = Listed::read("a b/* reason\na c reason\n").unwrap();
    assert_eq!(listed.unlisted("a", vec![difference("b/")]), []);
    assert_eq!(listed.unlisted("other", vec![difference("c")]).len(), 1);
    assert_eq!(listed.stale(), ["line 2: a c"]);
}

#[test]
fn each_line_of_the_list_needs_a_reason() {
    assert_eq!(Listed::read("* *\n").unwrap_err(), Unreadable { line: 1 });
    assert_eq!(Listed::read("\n*\n").unwrap_err(), Unreadable { line: 2 });
    assert!(Listed::read("* * reason\n").is_ok());
}
