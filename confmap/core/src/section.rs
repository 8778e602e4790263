//! Reads the keys of one map of the configuration, and reports everything that is wrong with it.

use crate::{
    Decode, Diagnostic, Diagnostics, Entry, Map, Mismatch, Node, Origin, Path, Value,
    limits::MAX_DIAGNOSTICS, suggest,
};

mod headers;
mod item;

pub use item::Item;

/// A cursor over one map: a component's settings, or a part of them.
///
/// Every key a component knows is asked for once, each under a method that says what it is;
/// [`Section::finish`] then reports the keys nobody asked for. All problems go to the
/// [`Diagnostics`] and none ends the reading, so the user sees them all at once. A method returns
/// nothing where there is nothing usable, and the caller's default stands.
///
/// A null is an empty section, and so is an absent one.
#[must_use = "call `finish`, or unknown keys go unnoticed"]
pub struct Section<'a> {
    map: Option<&'a Map>,
    is_set: bool,
    origin: Option<&'a Origin>,
    path: Path,
    diagnostics: &'a Diagnostics,
    known: Vec<&'static str>,
    strays: Vec<&'static str>,
    concealed: bool,
    finished: bool,
}

/// What an optional section is when the user does not write it, as in the Collector's
/// `configoptional`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Off; null leaves it off, a map turns it on.
    None,
    /// Off; null turns it on with its defaults, and so does a map, even an empty one.
    Default,
    /// On with its defaults.
    Some,
}

impl<'a> Section<'a> {
    /// The section at `path`. Anything but a map, null or nothing is reported.
    pub fn new(
        node: Option<&'a Node>,
        path: impl Into<Path>,
        diagnostics: &'a Diagnostics,
    ) -> Self {
        Self::at_key(node, None, path.into(), diagnostics)
    }

    /// The same, knowing where the key stands that the section is the value of.
    pub(crate) fn at_key(
        node: Option<&'a Node>,
        key: Option<&'a Origin>,
        path: Path,
        diagnostics: &'a Diagnostics,
    ) -> Self {
        let map = node.and_then(Node::as_map);
        let mut finished = false;
        if let Some(node) = node
            && map.is_none()
            && !node.is_null()
        {
            let message = format!("expected a map or struct, got \"{}\"", node.kind_name());
            diagnostics.push(Diagnostic::decoding(&path, message).at_value(node));
            finished = true;
        }
        Self {
            map,
            is_set: node.is_some(),
            origin: key.or_else(|| node.map(Node::origin)),
            path,
            diagnostics,
            known: Vec::new(),
            strays: Vec::new(),
            concealed: false,
            finished,
        }
    }

    /// The value of a key; nothing when it is absent or, which is reported, of the wrong type. A
    /// null is what [`Decode::decode_null`] of the type says: zero for scalars, absent for lists.
    pub fn get<T: Decode>(&mut self, key: &'static str) -> Option<T> {
        self.item(key)?.decode()
    }

    /// The value of a key that must be there.
    pub fn required<T: Decode>(&mut self, key: &'static str) -> Option<T> {
        match self.item(key) {
            Some(item) => item.decode(),
            None => {
                self.error_here(format!("requires {key:?}, which is not set"));
                None
            }
        }
    }

    /// Whether the key is there, be it null.
    pub fn is_set(&mut self, key: &'static str) -> bool {
        self.item(key).is_some()
    }

    /// The value of a key as it stands, for one that may be of several types.
    pub fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.map?.entry(key).map(|entry| self.entry_item(entry))
    }

    /// The section below a key; empty when it is absent or null.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        match self.item(key) {
            Some(item) => item.section(),
            None => Section::at_key(None, self.origin, self.path.key(key), self.diagnostics),
        }
    }

    /// A section that can be off, as upstream's `configoptional`; nothing when it is off. In it,
    /// `enabled: false` turns the section off whatever else it holds, and its other keys are then
    /// not looked at; `enabled: true` turns it on.
    pub fn optional_section(
        &mut self,
        key: &'static str,
        presence: Presence,
    ) -> Option<Section<'a>> {
        let Some(item) = self.item(key) else {
            return (presence == Presence::Some).then(|| self.section(key));
        };
        if item.node().is_null() && presence == Presence::None {
            return None;
        }
        let mut section = item.section();
        let Some(enabled) = section.item("enabled") else {
            return Some(section);
        };
        match enabled.node().value() {
            Value::Bool(true) => Some(section),
            Value::Bool(false) => {
                section.finished = true;
                None
            }
            _ => {
                let kind = enabled.node().type_name();
                enabled.report(Mismatch::new(format!(
                    "unexpected type {kind} for 'enabled': value expected 'true' or 'false'"
                )));
                Some(section)
            }
        }
    }

    /// The elements of a list; none when the key is absent, null or an empty list, which
    /// [`Section::is_set`] tells apart. For a list of scalars, [`Section::get`] a `Vec`.
    pub fn list(&mut self, key: &'static str) -> Vec<Item<'a>> {
        self.item(key).map(|item| item.elements()).unwrap_or_default()
    }

    /// The keys and values of a map whose keys are the user's own, in the order written.
    pub fn entries(&mut self, key: &'static str) -> Vec<(&'a str, Item<'a>)> {
        self.item(key).map(|item| item.entries()).unwrap_or_default()
    }

    /// Every key of this section with its value, for a section whose keys are the user's own.
    pub fn all_entries(&mut self) -> Vec<(&'a str, Item<'a>)> {
        self.finished = true;
        self.map.map(|map| item::entries(map, &self.path, self.diagnostics)).unwrap_or_default()
    }

    /// Warns that a key of the Collector has no effect here, if the user set it. `why` completes
    /// "is accepted and has no effect: …".
    pub fn ignored(&mut self, key: &'static str, why: &str) {
        if let Some(item) = self.item(key) {
            item.warn_at_key(format!("is accepted and has no effect: {why}"));
        }
    }

    /// Refuses a key of the Collector that can't be carried out here, if the user set it. `why`
    /// completes "is not supported: …".
    pub fn refused(&mut self, key: &'static str, why: &str) {
        if let Some(item) = self.item(key) {
            item.error_at_key(format!("is not supported: {why}"));
        }
    }

    /// Refuses a key that is no key of this section, if the user set it, and says more of it than that it is unknown: where it
    /// belongs, or what has taken its place.
    pub fn stray(
        &mut self,
        key: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some(entry) = self.map.and_then(|map| map.entry(key)) {
            self.strays.push(key);
            let diagnostic = Diagnostic::error(self.path.key(key), message).help(help);
            self.diagnostics.push(diagnostic.at_key(&entry.key_origin));
        }
    }

    /// Reports a broken rule about a key, at its value if there is one.
    pub fn error(&self, key: &str, message: impl Into<String>) {
        self.diagnostics.push(self.locate(Diagnostic::error(self.path.key(key), message), key));
    }

    /// The same, with what to do about it.
    pub fn error_with_help(&self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(self.path.key(key), message).help(help);
        self.diagnostics.push(self.locate(diagnostic, key));
    }

    /// Reports a broken rule about the section as a whole.
    pub fn error_here(&self, message: impl Into<String>) {
        self.diagnostics.push(self.locate_here(Diagnostic::error(&self.path, message)));
    }

    /// Warns about a key, at its value if there is one.
    pub fn warn(&self, key: &str, message: impl Into<String>) {
        self.diagnostics.push(self.locate(Diagnostic::warning(self.path.key(key), message), key));
    }

    /// Warns about the section as a whole.
    pub fn warn_here(&self, message: impl Into<String>) {
        self.diagnostics.push(self.locate_here(Diagnostic::warning(&self.path, message)));
    }

    /// The path of the section.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the section was written, be it as null.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.is_set
    }

    /// Where errors and warnings go.
    #[must_use]
    pub fn diagnostics(&self) -> &'a Diagnostics {
        self.diagnostics
    }

    /// Ends the reading: every key that nobody asked for becomes an error that lists the keys
    /// asked for, and names the one that was likely meant.
    pub fn finish(mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let is_known = |key: &str| self.known.contains(&key) || self.strays.contains(&key);
        let unknown = self.map.into_iter().flatten().filter(|entry| !is_known(&entry.key));
        // More would not be kept, and finding what each was meant to be costs time.
        for entry in unknown.take(MAX_DIAGNOSTICS) {
            // At the root no path stands before it, and the message has to say itself what it is about.
            let subject = if self.path.is_root() { "the configuration " } else { "" };
            let message = format!("{subject}has invalid keys: {}", entry.key);
            let help = suggest::help(&entry.key, "valid keys", &self.known);
            let diagnostic = Diagnostic::decoding(&self.path, message);
            let diagnostic = match self.concealed {
                true => diagnostic.at_secret_key(&entry.key_origin),
                false => diagnostic.at_key(&entry.key_origin),
            };
            self.diagnostics.push(diagnostic.help(help));
        }
    }

    /// The same section, of whose lines errors repeat nothing.
    fn conceal(mut self) -> Self {
        self.concealed = true;
        self
    }

    fn entry_item(&self, entry: &'a Entry) -> Item<'a> {
        let path = self.path.key(&entry.key);
        Item::new(&entry.node, Some(&entry.key_origin), path, self.diagnostics)
    }

    fn locate(&self, diagnostic: Diagnostic, key: &str) -> Diagnostic {
        match self.map.and_then(|map| map.entry(key)) {
            Some(entry) => self.entry_item(entry).locate(diagnostic, self.concealed),
            None => self.locate_here(diagnostic),
        }
    }

    fn locate_here(&self, diagnostic: Diagnostic) -> Diagnostic {
        match self.origin {
            Some(origin) if self.concealed => diagnostic.at(origin).without_excerpt(),
            Some(origin) => diagnostic.at(origin),
            None => diagnostic,
        }
    }
}

/// A section must be finished, unless an error was reported and the caller gave up early.
impl Drop for Section<'_> {
    fn drop(&mut self) {
        debug_assert!(
            self.finished || std::thread::panicking() || self.diagnostics.has_errors(),
            "section {:?} was dropped without `finish`",
            self.path.to_string()
        );
    }
}

#[cfg(test)]
mod tests;
