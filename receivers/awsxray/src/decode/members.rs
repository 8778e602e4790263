//! JSON objects, member by member: what is understood is taken out, and what stays behind is kept as it came.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pdata::text::{Escaping, put_json_string};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The members of an object, by name. Of two with one name the last counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Members<'a> {
    #[serde(borrow)]
    left: BTreeMap<String, &'a RawValue>,
}

impl<'a> Members<'a> {
    /// Those of a value, if it is an object.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// Takes a member that `read` makes something of; another one stays. Null is as good as absent.
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Option<T> {
        let Entry::Occupied(member) = self.left.entry(name.to_owned()) else { return None };
        if member.get().get() == "null" {
            member.remove();
            return None;
        }
        let value = read(member.get())?;
        member.remove();
        Some(value)
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, text)
    }

    /// Takes an integer.
    pub(super) fn int(&mut self, name: &str) -> Option<i64> {
        self.take(name, |value| value.get().parse().ok())
    }

    /// Takes a boolean.
    pub(super) fn bool(&mut self, name: &str) -> Option<bool> {
        self.take(name, |value| value.get().parse().ok())
    }

    /// Takes an object.
    pub(super) fn object(&mut self, name: &str) -> Option<Members<'a>> {
        self.take(name, Members::of)
    }

    /// Takes a list whose elements are all what `read` wants.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a RawValue) -> Option<T>,
    ) -> Option<Vec<T>> {
        let all = |value: &'a RawValue| {
            let elements: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            elements.into_iter().map(read).collect()
        };
        self.take(name, all)
    }

    /// All of them.
    pub(super) fn into_members(self) -> impl Iterator<Item = (String, &'a RawValue)> {
        self.left.into_iter()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether the member is there, whatever it is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }
}

/// A text.
pub(super) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// JSON without what may stand between its parts.
pub(super) fn compact(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let stays = |sign: &char| {
        let stays = in_text || !matches!(sign, ' ' | '\n' | '\r' | '\t');
        in_text ^= *sign == '"' && !is_escaped;
        is_escaped = in_text && *sign == '\\' && !is_escaped;
        stays
    };
    json.chars().filter(stays).collect()
}

/// What of a segment has no attribute, as an object to be: a merge patch (RFC 7396) to the document that an exporter makes of the span.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Members that are JSON already.
    members: BTreeMap<String, String>,
    /// Members that are put together. None has the name of one of the others.
    objects: BTreeMap<String, Rest>,
}

impl Rest {
    /// Keeps a member.
    pub(super) fn put(&mut self, name: &str, json: &str) {
        self.members.insert(name.to_owned(), compact(json));
    }

    /// Keeps a text.
    pub(super) fn put_text(&mut self, name: &str, text: &str) {
        let mut json = Vec::new();
        put_json_string(&mut json, text.as_bytes(), Escaping::Plain);
        self.put(name, &String::from_utf8_lossy(&json));
    }

    /// Keeps all that is left of an object.
    pub(super) fn put_all(&mut self, members: Members<'_>) {
        for (name, value) in members.left {
            if value.get() != "null" {
                self.put(&name, value.get());
            }
        }
    }

    /// The object of this name in it.
    pub(super) fn within(&mut self, name: &str) -> &mut Rest {
        self.objects.entry(name.to_owned()).or_default()
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.objects.values().all(Self::is_empty)
    }

    /// As JSON, unless there is nothing.
    pub(super) fn into_json(self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).ok()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (name, json) in &self.members {
            put_name(out, name);
            out.extend_from_slice(json.as_bytes());
        }
        for (name, object) in self.objects.iter().filter(|(_, object)| !object.is_empty()) {
            put_name(out, name);
            object.write(out);
        }
        out.push(b'}');
    }
}

/// Appends a member's name and what stands before and behind it.
fn put_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    put_json_string(out, name.as_bytes(), Escaping::Plain);
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compact_and_texts_in_it_stay() {
        for (json, expected) in [
            (" { \"a b\" :\n[ 1 ,\t2 ] } ", "{\"a b\":[1,2]}"),
            (r#""\\" "#, r#""\\""#),
            (r#"{"q": "\" x \\", "r": " "}"#, r#"{"q":"\" x \\","r":" "}"#),
        ] {
            assert_eq!(compact(json), expected);
        }
    }
}
