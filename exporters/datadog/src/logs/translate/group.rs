//! What the records of a resource and scope have in common: rendered once, copied into each.

use std::borrow::Cow;

use datadog::source::Source;
use datadog::tags::resource_tags;
use pdata::KeyFilter;
use pdata::text::{put_escaped, put_text};
use pdata::view::{AnyValue, Attributes, Scope};

use super::Options;
use super::roles::{Field, spare_name};
use super::value::{put_as_string, put_string};
use crate::function::FunctionTags;

/// A resource and one of its scopes as Datadog sees them.
pub(super) struct Group<'a> {
    resource: Vec<Pair<'a>>,
    /// The host of its records.
    pub(super) host: Host<'a>,
    /// The host of records that name none where the resource says nothing; may be empty.
    pub(super) fallback_host: &'a str,
    /// The function that this process is beside, if it is.
    pub(super) function: Option<FunctionTags>,
    /// The service, escaped; empty where each record is to say.
    pub(super) service: Vec<u8>,
    /// The tags, escaped, each with a comma behind it.
    pub(super) tags: Vec<u8>,
    /// `datadog.log.source`, where the resource or the scope has it.
    pub(super) source: Option<Cow<'a, [u8]>>,
    /// Attributes, each with a comma behind it.
    pub(super) rendered: Vec<u8>,
    /// Those that a field of a record may take the place of, in the same form.
    pub(super) contested: Vec<(Field, Vec<u8>)>,
    /// Name and version of the scope, in the same form, with the keys that a record may have of its own.
    pub(super) scope: Vec<(&'static [u8], Vec<u8>)>,
    /// The keys of attributes, sorted.
    keys: Vec<&'a [u8]>,
    filter: KeyFilter,
    has_attributes: bool,
}

/// Key and value of an attribute.
type Pair<'a> = (&'a [u8], AnyValue<'a>);

/// Where records come from.
pub(super) enum Host<'a> {
    /// From a host.
    Named(Cow<'a, str>),
    /// From a platform without hosts.
    None,
    /// The record may say.
    Unknown,
}

impl<'a> Group<'a> {
    /// The group of a resource without a scope.
    pub(super) fn of(attributes: &Attributes<'a>, options: &Options<'a>) -> Self {
        let mut service = Vec::new();
        if let Some(value) = attributes.get("service.name") {
            let mut text = Vec::new();
            put_text(&mut text, &value);
            put_escaped(&mut service, &text);
        }
        let mut tags = Vec::new();
        let mut tag = |key: &[u8], value: &[u8]| {
            put_escaped(&mut tags, key);
            tags.push(b':');
            put_escaped(&mut tags, value);
            tags.push(b',');
        };
        resource_tags(attributes, &mut tag);
        let function = options.function.map(|function| FunctionTags::of(function, attributes));
        for (key, value) in function.iter().flat_map(FunctionTags::iter) {
            tag(key.as_bytes(), value.as_bytes());
        }
        let mut this = Self {
            resource: attributes.iter().map(|pair| (pair.key.as_bytes(), pair.value)).collect(),
            host: match Source::of(attributes) {
                Some(Source::Host(host)) if !host.is_empty() => Host::Named(host),
                Some(Source::Serverless(_)) => Host::None,
                Some(Source::Host(_)) | None => Host::Unknown,
            },
            fallback_host: options.fallback_host,
            function,
            service,
            tags,
            source: None,
            rendered: Vec::new(),
            contested: Vec::new(),
            scope: Vec::new(),
            keys: Vec::new(),
            filter: KeyFilter::default(),
            has_attributes: false,
        };
        this.render(&[]);
        this
    }

    /// Goes over to another scope.
    pub(super) fn enter(&mut self, scope: &Scope<'a>) {
        if self.has_attributes || !scope.attributes.is_empty() {
            let attributes = scope.attributes.iter();
            let attributes: Vec<Pair<'a>> =
                attributes.map(|pair| (pair.key.as_bytes(), pair.value)).collect();
            self.has_attributes = !attributes.is_empty();
            self.render(&attributes);
        }
        self.scope.clear();
        for (key, text) in
            [(&b"otel.scope.name"[..], scope.name), (b"otel.scope.version", scope.version)]
        {
            if !text.is_empty() && !self.has_key(key) {
                let mut rendered = Vec::new();
                put_member(&mut rendered, key, &AnyValue::Str(text));
                self.scope.push((key, rendered));
            }
        }
    }

    /// Whether a key is that of an attribute of the resource or the scope, whose value counts then.
    #[inline]
    pub(super) fn has_key(&self, key: &[u8]) -> bool {
        self.filter.may_contain(key) && self.keys.binary_search(&key).is_ok()
    }

    /// Renders the attributes; of equal keys the last counts.
    fn render(&mut self, scope: &[Pair<'a>]) {
        let pairs = self.resource.iter().chain(scope);
        let mut pairs: Vec<Pair<'a>> =
            pairs.map(|(key, value)| (spare_name(key), *value)).collect();
        pairs.sort_by_key(|(key, _)| *key);
        self.rendered.clear();
        self.contested.clear();
        self.keys.clear();
        (self.filter, self.source) = (KeyFilter::default(), None);
        let mut rest = pairs.iter().peekable();
        while let Some((key, value)) = rest.next() {
            if rest.peek().is_some_and(|(next, _)| next == key) {
                continue;
            }
            self.keys.push(key);
            self.filter.add(key);
            match Field::of(key) {
                Some(field) => {
                    let mut rendered = Vec::new();
                    put_member(&mut rendered, key, value);
                    self.contested.push((field, rendered));
                }
                None => put_member(&mut self.rendered, key, value),
            }
            if *key == b"datadog.log.source" {
                let mut text = Vec::new();
                put_text(&mut text, value);
                self.source = Some(Cow::Owned(text));
            }
        }
    }
}

fn put_member(out: &mut Vec<u8>, key: &[u8], value: &AnyValue<'_>) {
    put_string(out, key);
    out.push(b':');
    put_as_string(out, value);
    out.push(b',');
}
