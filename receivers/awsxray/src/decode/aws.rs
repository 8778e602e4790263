//! `aws` of a segment or subsegment: the call of an AWS service that it stands for.

use super::attributes::Attributes;
use super::members::{Members, Rest, text};

/// Adds the attributes of a call. `aws` is what is left of the object after the resource took its own.
pub(super) fn put(mut aws: Members<'_>, attributes: &mut Attributes, rest: &mut Rest) {
    for (member, key) in [
        ("account_id", "aws.account_id"),
        ("operation", "aws.operation"),
        ("region", "aws.region"),
        ("request_id", "aws.request_id"),
        ("queue_url", "aws.queue_url"),
        ("table_name", "aws.table_name"),
    ] {
        attributes.text(key, aws.text(member));
    }
    if let Some(tables) = aws.list("table_names", text) {
        attributes.texts("aws.dynamodb.table_names", tables);
    }
    attributes.int("aws.xray.retries", aws.int("retries"));
    rest.within("aws").put_all(aws);
}
