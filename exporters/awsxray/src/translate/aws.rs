//! `aws`: what the resource says of the place a span ran at, and what the span says of the call it made.

use pdata::view::AnyValue;

use super::Role;
use super::attributes::Known;
use super::document::Scene;
use super::keys::Key;
use super::limits::Limits;
use super::names::is_aws_sdk;
use super::text::{put_if, put_member};

/// Appends `aws`, unless the resource is another provider's.
pub(super) fn put(out: &mut Vec<u8>, scene: &Scene<'_, '_>, known: &Known<'_>, limits: &Limits) {
    let Some(of_resource) = &scene.resource.aws else { return };
    out.extend_from_slice(of_resource);
    if scene.role != Role::Service {
        put_call(out, scene, known, limits.text);
    }
    out.push(b'}');
}

fn put_call(out: &mut Vec<u8>, scene: &Scene<'_, '_>, known: &Known<'_>, len_max: usize) {
    let own = known.get(Key::AwsAccountId).filter(|value| **value != AnyValue::Empty);
    let account = match own {
        Some(_) => known.text(Key::AwsAccountId),
        None => scene.resource.account_id,
    };
    put_if(out, br#",\"account_id\":\""#, account, len_max);
    let operation = known.first(&[Key::AwsOperation, Key::RpcMethod]).unwrap_or_default();
    put_if(out, br#",\"operation\":\""#, operation, len_max);
    let region = match known.text(Key::AwsRegion) {
        b"" if is_aws_sdk(known) => known.text(Key::CloudRegion),
        region => region,
    };
    put_if(out, br#",\"region\":\""#, region, len_max);
    let request = known.first_text(&[Key::AwsRequestId, Key::AwsRequestIdOld]);
    put_if(out, br#",\"request_id\":\""#, request, len_max);
    let queue = match known.str(Key::MessagingUrl) {
        Some(url) => url,
        None => known.first_text(&[Key::AwsSqsQueueUrl, Key::AwsQueueUrl, Key::AwsQueueUrlOld]),
    };
    put_if(out, br#",\"queue_url\":\""#, queue, len_max);
    put_tables(out, known, len_max);
}

fn put_tables(out: &mut Vec<u8>, known: &Known<'_>, len_max: usize) {
    const TABLE: &[u8] = br#",\"table_name\":\""#;
    let own = known.first_text(&[Key::AwsTableName, Key::AwsTableNameOld]);
    match known.get(Key::AwsDynamodbTableNames) {
        Some(AnyValue::Str(name)) => put_if(out, TABLE, name.as_bytes(), len_max),
        Some(AnyValue::Array(names)) => {
            let mut names = names.values().iter();
            match (names.next(), names.next()) {
                (None, _) => put_if(out, TABLE, own, len_max),
                (Some(only), None) => {
                    if let AnyValue::Str(name) = only {
                        put_if(out, TABLE, name.as_bytes(), len_max);
                    }
                }
                (Some(first), Some(second)) => {
                    out.extend_from_slice(br#",\"table_names\":["#);
                    for name in [first, second].into_iter().chain(names) {
                        let name = name.as_str().unwrap_or_default();
                        put_member(out, br#"\""#, name.as_bytes(), len_max);
                        out.push(b',');
                    }
                    out.pop();
                    out.push(b']');
                }
            }
        }
        _ => put_if(out, TABLE, own, len_max),
    }
}
