//! Headers, as a map or as a list of names and values.

use std::collections::HashSet;

use crate::{Diagnostic, Item, Opaque, Section, Value};

impl<'a> Section<'a> {
    /// Headers in the order written: a map of name to value, or a list of `{name, value}`, as
    /// upstream's `configopaque.MapList`. Nothing when the key is absent or null; a name that
    /// comes twice is refused. A name that differs in case alone is another name here.
    /// With each its value's place, for what is to be said of it.
    pub fn header_map(&mut self, key: &'static str) -> Option<Vec<(String, Opaque, Item<'a>)>> {
        let item = self.item(key)?;
        let headers: Vec<(String, Opaque, Item<'a>)> = match item.node().value() {
            Value::Null => return None,
            Value::Seq(_) => item.elements().into_iter().filter_map(pair).collect(),
            _ => item.entries().into_iter().filter_map(entry).collect(),
        };
        let mut seen = HashSet::new();
        for (name, _, place) in &headers {
            if !seen.insert(name.as_str()) {
                let message = format!("duplicate keys in map-style list: [{name}]");
                let diagnostic = Diagnostic::error(item.path(), message);
                self.diagnostics.push(diagnostic.at_secret_key(place.origin()));
            }
        }
        Some(headers)
    }
}

fn entry<'a>((name, item): (&'a str, Item<'a>)) -> Option<(String, Opaque, Item<'a>)> {
    let value = item.decode()?;
    Some((name.to_owned(), value, item))
}

fn pair(item: Item<'_>) -> Option<(String, Opaque, Item<'_>)> {
    let mut section = item.section().conceal();
    let name = section.required("name");
    let place = section.item("value").unwrap_or(item);
    let value = section.get("value");
    section.finish();
    Some((name?, value.unwrap_or_default(), place))
}
