//! Calls of `GetParameters`, ten names each.

use aws::{Cause, Service, json};
use confmap::{BoxFuture, join_all};
use confmap_aws::{At, Aws, Caller, Failure, Kind};
use http::Uri;
use net::client::Reply;
use serde_json::{Value, json};

use crate::parameter::Parameter;
use crate::reference::base;

/// How many names a call may have (Systems Manager API reference, `GetParameters`).
const NAMES_MAX: usize = 10;

/// The longest answer: ten advanced parameters of 8 KB, each byte of which may be escaped.
const ANSWER_BYTES_MAX: usize = 1 << 20;

const ACTION: &str = "GetParameters";

/// What came of a name.
type Read = (String, Result<Parameter, Failure>);

/// Reads parameters of one region with one role, all calls at the same time.
pub(crate) async fn read(aws: &Aws, at: At, names: Vec<String>) -> Vec<Read> {
    let caller = Caller::new(aws, &at, Service::SSM, ANSWER_BYTES_MAX);
    let endpoint = match caller.endpoint().await {
        Ok(endpoint) => endpoint,
        Err(failure) => return all(&names, &failure),
    };
    let batches = split(&names);
    let reads = batches
        .iter()
        .map(|names| Box::pin(read_batch(&caller, &endpoint, names)) as BoxFuture<'_, Vec<Read>>);
    let reads = join_all(reads.collect()).await;
    caller.close().await;
    reads.into_iter().flatten().collect()
}

/// Reads the names of one call. When AWS refuses it, each name is asked for alone: one that may not be read fails them all.
async fn read_batch(caller: &Caller, endpoint: &Uri, names: &[String]) -> Vec<Read> {
    let failure = match call(caller, endpoint, names).await {
        Ok(reads) => return reads,
        Err(failure) => failure,
    };
    if names.len() == 1 || failure.is_transient() || failure.kind() == Kind::Setup {
        return all(names, &failure);
    }
    let alone = names.iter().map(|name| {
        let work = async move {
            let name = std::slice::from_ref(name);
            call(caller, endpoint, name).await.unwrap_or_else(|failure| all(name, &failure))
        };
        Box::pin(work) as BoxFuture<'_, Vec<Read>>
    });
    join_all(alone.collect()).await.into_iter().flatten().collect()
}

async fn call(caller: &Caller, endpoint: &Uri, names: &[String]) -> Result<Vec<Read>, Failure> {
    let input = json!({"Names": names, "WithDecryption": true});
    let request = json::request(endpoint.clone(), "AmazonSSM.GetParameters", &input);
    caller
        .call(ACTION, &request, |reply: &Reply| Ok(take_apart(&json::answer(reply)?, names)))
        .await
}

/// Finds each name in an answer.
fn take_apart(answer: &Value, names: &[String]) -> Vec<Read> {
    let list = |key| answer.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (found, invalid) = (list("Parameters"), list("InvalidParameters"));
    let read = |name: &String| {
        let outcome = match found.iter().find(|object| is_named(object, base(name))) {
            Some(object) => Parameter::read(object).ok_or_else(left_out),
            None if invalid.iter().any(|invalid| invalid.as_str() == Some(name)) => {
                let code = "ParameterNotFound".to_owned();
                Err(failed(Cause::Refused { code, message: String::new() }))
            }
            None => Err(left_out()),
        };
        (name.clone(), outcome)
    };
    names.iter().map(read).collect()
}

/// Whether a parameter has this name, or this ARN.
fn is_named(object: &Value, base: &str) -> bool {
    let text = |key| object.get(key).and_then(Value::as_str);
    text("Name") == Some(base) || text("ARN") == Some(base)
}

/// Puts names into calls, as few as possible. Two versions of one parameter come into different calls: in an answer, a parameter
/// is told by its name.
fn split(names: &[String]) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    for name in names {
        let takes = |batch: &&mut Vec<String>| {
            batch.len() < NAMES_MAX && !batch.iter().any(|other| is_same(other, name))
        };
        match batches.iter_mut().find(takes) {
            Some(batch) => batch.push(name.clone()),
            None => batches.push(vec![name.clone()]),
        }
    }
    batches
}

/// Whether two names may mean the same parameter, by its ARN or by its name.
fn is_same(a: &str, b: &str) -> bool {
    let path = |name| {
        let base = base(name);
        let path = base.split_once(":parameter/").map_or(base, |(_, path)| path);
        path.trim_start_matches('/')
    };
    path(a) == path(b)
}

fn all(names: &[String], failure: &Failure) -> Vec<Read> {
    names.iter().map(|name| (name.clone(), Err(failure.clone()))).collect()
}

/// The failure of a parameter that an answer should have, and has not.
fn left_out() -> Failure {
    failed(Cause::Answer("has no value for this parameter"))
}

fn failed(cause: Cause) -> Failure {
    Failure::of_call(Service::SSM.host, ACTION, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_are_put_into_as_few_calls_as_can_be() {
        for count in [1_usize, 9, 10, 11, 25, 100] {
            let all: Vec<String> = (0..count).map(|number| format!("/p/{number}")).collect();
            let batches = split(&all);
            assert_eq!(batches.len(), count.div_ceil(10));
            assert!(batches.iter().all(|batch| batch.len() <= 10));
            assert_eq!(batches.concat(), all);
        }
    }

    #[test]
    fn versions_of_one_parameter_come_into_different_calls() {
        let batches =
            split(&names(&["/a", "/a:1", "/b", "arn:aws:ssm:r:1:parameter/a:prod", "/b:2"]));
        let expected =
            [&["/a", "/b"][..], &["/a:1", "/b:2"], &["arn:aws:ssm:r:1:parameter/a:prod"]];
        assert_eq!(batches, expected.map(names));
    }

    #[test]
    fn each_name_finds_its_parameter_by_name_or_arn_in_any_order() {
        let arn = "arn:aws:ssm:eu-west-1:1:parameter/c";
        let answer = json!({
            "Parameters": [
                {"Name": "/c", "ARN": arn, "Type": "StringList", "Value": "x,y"},
                {"Name": "/a", "ARN": "arn:aws:ssm:eu-west-1:1:parameter/a", "Type": "SecureString", "Value": "s", "Selector": ":3"},
                {"Name": "/d", "Type": "Other", "Value": "s"},
            ],
            "InvalidParameters": ["/b:9"],
        });
        let names = names(&["/a:3", "/b:9", &format!("{arn}:prod"), "/d", "/e"]);
        let outcomes: Vec<_> =
            take_apart(&answer, &names).into_iter().map(|(_, outcome)| outcome).collect();
        let value =
            |index: usize| outcomes[index].as_ref().map(|parameter| parameter.value.expose()).ok();
        assert_eq!((value(0), value(2)), (Some("s"), Some("x,y")));
        let kind = |index: usize| outcomes[index].as_ref().map_err(Failure::kind).unwrap_err();
        assert_eq!((kind(1), kind(3), kind(4)), (Kind::NotFound, Kind::Refused, Kind::Refused));
        assert!(!format!("{outcomes:?}").contains("x,y"));
    }
}
