//! The same edit on a message here and on prost's.

mod metrics;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Theirs;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::edit::{
    AttributeMut, AttributesMut, Editable, EntityRefMut, EventMut, LinkMut, ListMut, LogRecordMut,
    MessageMut, ResourceMut, ScopeMut, SpanMut, StatusMut, ValueBuf, ValueMut,
};
use crate::oracle::arbitrary;
use crate::oracle::entropy::Entropy;
use crate::oracle::read::{any_value, see_value};
use crate::view::{SpanKind, StatusCode};

pub(super) use metrics::metric;

pub(super) type E<'a, 'e> = &'a mut Entropy<'e>;

/// Sets a field on both sides in half of the cases.
macro_rules! set {
    ($e:ident, $ours:ident.$set:ident($by:expr), $theirs:ident.$field:ident, $value:expr) => {
        if $e.flag() {
            let value = $value;
            $ours.$set($by(&value));
            $theirs.$field = value;
        }
    };
}

pub(super) use set;

pub(super) fn text(text: &String) -> &str {
    text
}

pub(super) fn bytes(bytes: &Vec<u8>) -> &[u8] {
    bytes
}

pub(super) fn own<T: Copy>(value: &T) -> T {
    *value
}

pub(super) fn span(e: E<'_, '_>, ours: &mut SpanMut<'_>, theirs: &mut Span) {
    set!(e, ours.set_trace_id(bytes), theirs.trace_id, e.id(16));
    set!(e, ours.set_span_id(bytes), theirs.span_id, e.id(8));
    set!(e, ours.set_trace_state(text), theirs.trace_state, e.text());
    set!(e, ours.set_parent_span_id(bytes), theirs.parent_span_id, e.id(8));
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
    set!(e, ours.set_name(text), theirs.name, e.text());
    set!(e, ours.set_kind(span_kind), theirs.kind, e.below(6) as i32);
    set!(e, ours.set_start_time_unix_nano(own), theirs.start_time_unix_nano, e.u64());
    set!(e, ours.set_end_time_unix_nano(own), theirs.end_time_unix_nano, e.u64());
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
    set!(e, ours.set_dropped_events_count(own), theirs.dropped_events_count, e.u32());
    set!(e, ours.set_dropped_links_count(own), theirs.dropped_links_count, e.u32());
    list(e, &mut ours.events(), &mut theirs.events, event);
    list(e, &mut ours.links(), &mut theirs.links, link);
    if e.flag() {
        let theirs = theirs.status.get_or_insert_default();
        ours.status(|ours| status(e, ours, theirs));
    }
    if e.one_in(3) {
        let (mut each, mut children) = (Each::default(), std::mem::take(&mut theirs.events));
        ours.events_with_span(|ours, child| {
            set!(e, ours.set_name(text), theirs.name, e.text());
            each.edit(e, child, &mut children, event);
        });
        theirs.events = each.left(children);
    }
    if e.one_in(3) {
        let (mut each, mut children) = (Each::default(), std::mem::take(&mut theirs.links));
        ours.links_with_span(|ours, child| {
            attributes(e, &mut ours.attributes(), &mut theirs.attributes);
            each.edit(e, child, &mut children, link);
        });
        theirs.links = each.left(children);
    }
}

fn span_kind(number: &i32) -> SpanKind {
    use SpanKind::{Client, Consumer, Internal, Producer, Server, Unspecified};
    [Unspecified, Internal, Server, Client, Producer, Consumer][*number as usize]
}

fn status(e: E<'_, '_>, ours: &mut StatusMut<'_>, theirs: &mut Status) {
    let code = |n: &i32| [StatusCode::Unset, StatusCode::Ok, StatusCode::Error][*n as usize];
    set!(e, ours.set_message(text), theirs.message, e.text());
    set!(e, ours.set_code(code), theirs.code, e.below(3) as i32);
}

fn event(e: E<'_, '_>, ours: &mut EventMut<'_>, theirs: &mut Event) {
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_name(text), theirs.name, e.text());
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
}

fn link(e: E<'_, '_>, ours: &mut LinkMut<'_>, theirs: &mut Link) {
    set!(e, ours.set_trace_id(bytes), theirs.trace_id, e.id(16));
    set!(e, ours.set_span_id(bytes), theirs.span_id, e.id(8));
    set!(e, ours.set_trace_state(text), theirs.trace_state, e.text());
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
}

pub(super) fn log_record(e: E<'_, '_>, ours: &mut LogRecordMut<'_>, theirs: &mut LogRecord) {
    set!(e, ours.set_time_unix_nano(own), theirs.time_unix_nano, e.u64());
    set!(e, ours.set_observed_time_unix_nano(own), theirs.observed_time_unix_nano, e.u64());
    set!(e, ours.set_severity_number(own), theirs.severity_number, e.i32());
    set!(e, ours.set_severity_text(text), theirs.severity_text, e.text());
    if e.flag() {
        ours.body(|ours| value(e, ours, theirs.body.get_or_insert_default(), 2));
    } else if e.flag() {
        let new = new_value(e);
        ours.set_body(&buf(&new)).unwrap();
        theirs.body = Some(new);
    }
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
    set!(e, ours.set_flags(own), theirs.flags, e.u32());
    set!(e, ours.set_trace_id(bytes), theirs.trace_id, e.id(16));
    set!(e, ours.set_span_id(bytes), theirs.span_id, e.id(8));
    set!(e, ours.set_event_name(text), theirs.event_name, e.text());
}

pub(super) fn resource(
    e: E<'_, '_>,
    ours: &mut ResourceMut<'_>,
    theirs: &mut Option<Resource>,
    schema_url: &mut String,
) {
    let theirs = theirs.get_or_insert_default();
    assert_eq!(ours.schema_url().as_str(), schema_url);
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
    list(e, &mut ours.entity_refs(), &mut theirs.entity_refs, entity_ref);
    if e.flag() {
        *schema_url = e.text();
        ours.set_schema_url(schema_url.as_str());
    }
}

fn entity_ref(e: E<'_, '_>, ours: &mut EntityRefMut<'_>, theirs: &mut EntityRef) {
    set!(e, ours.set_schema_url(text), theirs.schema_url, e.text());
    set!(e, ours.set_entity_type(text), theirs.r#type, e.text());
    if e.flag() {
        theirs.id_keys = e.list(3, Entropy::text);
        ours.set_id_keys(&theirs.id_keys.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if e.flag() {
        theirs.description_keys = e.list(3, Entropy::text);
        let keys: Vec<_> = theirs.description_keys.iter().map(String::as_str).collect();
        ours.set_description_keys(&keys);
    }
}

pub(super) fn scope(
    e: E<'_, '_>,
    ours: &mut ScopeMut<'_>,
    theirs: &mut Option<InstrumentationScope>,
    schema_url: &mut String,
) {
    let theirs = theirs.get_or_insert_default();
    assert_eq!(ours.schema_url().as_str(), schema_url);
    set!(e, ours.set_name(text), theirs.name, e.text());
    set!(e, ours.set_version(text), theirs.version, e.text());
    attributes(e, &mut ours.attributes(), &mut theirs.attributes);
    set!(e, ours.set_dropped_attributes_count(own), theirs.dropped_attributes_count, e.u32());
    if e.flag() {
        *schema_url = e.text();
        ours.set_schema_url(schema_url.as_str());
    }
}

pub(super) fn attributes(
    e: E<'_, '_>,
    ours: &mut AttributesMut<'_, '_>,
    theirs: &mut Vec<KeyValue>,
) {
    attributes_within(e, ours, theirs, 2);
}

fn attributes_within(
    e: E<'_, '_>,
    ours: &mut AttributesMut<'_, '_>,
    theirs: &mut Vec<KeyValue>,
    depth: usize,
) {
    for _ in 0..e.below(4) {
        let key = match theirs.get(e.below(8)) {
            Some(attribute) => attribute.key.clone(),
            None => e.text(),
        };
        let found = theirs.iter().find(|attribute| attribute.key == key).cloned();
        let mut expected = found.clone().map(|attribute| attribute.value.unwrap_or_default());
        assert_eq!(ours.contains(&key), expected.is_some());
        if let Some(value) = expected.take() {
            let mut value = Some(value);
            see_value(&mut value);
            let read = ours.get(&key).map(any_value);
            assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
        match e.below(9) {
            0 => {
                let value = new_value(e);
                ours.set(&key, &buf(&value)).unwrap();
                put(theirs, key, value, true);
            }
            1 => {
                let value = new_value(e);
                assert_eq!(ours.insert(&key, &buf(&value)), Ok(found.is_none()));
                if found.is_none() {
                    put(theirs, key, value, true);
                }
            }
            2 => {
                let value = new_value(e);
                assert_eq!(ours.update(&key, &buf(&value)), Ok(found.is_some()));
                put(theirs, key, value, false);
            }
            3 => {
                assert_eq!(ours.remove(&key), found.is_some());
                theirs.retain(|attribute| attribute.key != key);
            }
            4 => {
                let kept = |key: &str| key.len().is_multiple_of(2);
                ours.retain(|key, _| kept(key.as_str()));
                theirs.retain(|attribute| kept(&attribute.key));
            }
            5 if e.one_in(4) => {
                ours.clear();
                theirs.clear();
            }
            5 | 6 => {
                let mut each = Each::default();
                ours.for_each(|ours| each.edit(e, ours, theirs, attribute));
                *theirs = each.left(std::mem::take(theirs));
            }
            _ => {
                only(theirs, &key);
                let theirs = theirs.iter_mut().find(|attribute| attribute.key == key);
                let edited = ours.edit(&key, |ours| {
                    let theirs = theirs.unwrap().value.get_or_insert_default();
                    value(e, ours, theirs, depth);
                });
                assert_eq!(edited.is_some(), found.is_some());
            }
        }
    }
}

fn attribute(e: E<'_, '_>, ours: &mut AttributeMut<'_>, theirs: &mut KeyValue) {
    set!(e, ours.set_key(text), theirs.key, e.text());
    if e.flag() {
        let new = new_value(e);
        ours.set_value(&buf(&new)).unwrap();
        theirs.value = Some(new);
    }
}

/// Leaves the first attribute with a key, and none behind it.
fn only(attributes: &mut Vec<KeyValue>, key: &str) {
    let mut seen = false;
    attributes.retain(|attribute| attribute.key != key || !std::mem::replace(&mut seen, true));
}

fn put(attributes: &mut Vec<KeyValue>, key: String, value: AnyValue, add: bool) {
    only(attributes, &key);
    match attributes.iter_mut().find(|attribute| attribute.key == key) {
        Some(attribute) => attribute.value = Some(value),
        None if add => attributes.push(KeyValue { key, value: Some(value), key_strindex: 0 }),
        None => {}
    }
}

fn value(e: E<'_, '_>, ours: &mut ValueMut<'_>, theirs: &mut AnyValue, depth: usize) {
    match &mut theirs.value {
        Some(Theirs::KvlistValue(map)) if depth > 0 && e.flag() => {
            let edit = |ours: &mut AttributesMut<'_, '_>| {
                attributes_within(e, ours, &mut map.values, depth - 1);
            };
            ours.map(edit).unwrap();
        }
        Some(Theirs::ArrayValue(array)) if depth > 0 && e.flag() => {
            ours.array(|ours| {
                list(e, ours, &mut array.values, |e, ours, theirs| {
                    value(e, ours, theirs, depth - 1);
                });
            })
            .unwrap();
        }
        Some(Theirs::StringValue(_)) if e.one_in(4) => {
            assert!(ours.map(|_| ()).is_none() && ours.array(|_| ()).is_none());
        }
        _ if e.one_in(8) => {
            ours.remove();
            theirs.value = None;
        }
        _ => {
            *theirs = new_value(e);
            ours.set(&buf(theirs)).unwrap();
        }
    }
}

/// A value as an edit can make it: keys once, no references to a dictionary.
fn new_value(e: E<'_, '_>) -> AnyValue {
    fn unique(value: &mut AnyValue) {
        match &mut value.value {
            Some(Theirs::KvlistValue(map)) => {
                for attribute in std::mem::take(&mut map.values) {
                    let mut value = attribute.value.unwrap_or_default();
                    unique(&mut value);
                    put(&mut map.values, attribute.key, value, true);
                }
            }
            Some(Theirs::ArrayValue(array)) => array.values.iter_mut().for_each(unique),
            _ => {}
        }
    }
    let mut value = Some(arbitrary::any_value(e, 2));
    see_value(&mut value);
    let mut value = value.unwrap();
    unique(&mut value);
    value
}

fn buf(value: &AnyValue) -> ValueBuf {
    match &value.value {
        None => ValueBuf::default(),
        Some(Theirs::StringValue(text)) => ValueBuf::from(text.as_str()),
        Some(Theirs::BoolValue(value)) => ValueBuf::from(*value),
        Some(Theirs::IntValue(value)) => ValueBuf::from(*value),
        Some(Theirs::DoubleValue(value)) => ValueBuf::from(*value),
        Some(Theirs::BytesValue(bytes)) => ValueBuf::from(bytes.as_slice()),
        Some(Theirs::ArrayValue(array)) => ValueBuf::array(|list| {
            for value in &array.values {
                list.push(|new| new.set(&buf(value))).unwrap();
            }
        }),
        Some(Theirs::KvlistValue(map)) => ValueBuf::map(|entries| {
            for entry in &map.values {
                let value = entry.value.clone().unwrap_or_default();
                entries.set(&entry.key, &buf(&value)).unwrap();
            }
        }),
        Some(Theirs::StringValueStrindex(_)) => unreachable!("not made by edits"),
    }
}

/// Edits of a list, and of what it holds.
pub(super) fn list<T: Editable, P: Default>(
    e: E<'_, '_>,
    ours: &mut ListMut<'_, '_, T>,
    theirs: &mut Vec<P>,
    mut edit: impl FnMut(E<'_, '_>, &mut MessageMut<'_, T>, &mut P),
) {
    for _ in 0..e.below(3) {
        assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
        let index = e.below(4);
        match e.below(5) {
            0 => {
                let mut new = P::default();
                let removed = ours.push(|ours| {
                    edit(e, ours, &mut new);
                    ours.is_removed()
                });
                theirs.extend((!removed).then_some(new));
            }
            1 => {
                let mut new = P::default();
                let removed = ours.insert(index, |ours| {
                    edit(e, ours, &mut new);
                    ours.is_removed()
                });
                if !removed {
                    theirs.insert(index.min(theirs.len()), new);
                }
            }
            2 => {
                let removed = ours.edit(index, |ours| {
                    edit(e, ours, &mut theirs[index]);
                    if e.one_in(3) {
                        ours.remove();
                    }
                    ours.is_removed()
                });
                assert_eq!(removed.is_some(), index < theirs.len());
                if removed == Some(true) {
                    theirs.remove(index);
                }
            }
            3 if e.one_in(4) => {
                ours.clear();
                theirs.clear();
            }
            _ => {
                let mut each = Each::default();
                ours.for_each(|ours| each.edit(e, ours, theirs, &mut edit));
                *theirs = each.left(std::mem::take(theirs));
            }
        }
    }
}

/// A pass over a list: which of its members were removed.
#[derive(Default)]
pub(super) struct Each {
    removed: Vec<bool>,
}

impl Each {
    pub(super) fn edit<T: Editable, P>(
        &mut self,
        e: E<'_, '_>,
        ours: &mut MessageMut<'_, T>,
        theirs: &mut [P],
        edit: impl FnOnce(E<'_, '_>, &mut MessageMut<'_, T>, &mut P),
    ) {
        let theirs = &mut theirs[self.removed.len()];
        if e.flag() {
            edit(e, ours, theirs);
        }
        if e.one_in(4) {
            ours.remove();
        }
        self.removed.push(ours.is_removed());
    }

    pub(super) fn left<P>(&self, theirs: Vec<P>) -> Vec<P> {
        assert_eq!(self.removed.len(), theirs.len());
        theirs
            .into_iter()
            .zip(&self.removed)
            .filter(|(_, removed)| !**removed)
            .map(|p| p.0)
            .collect()
    }
}
