//! One value: of a key, of a list, of a map with the user's own keys.

use crate::{
    Capability, Decode, Diagnostic, Diagnostics, ExtensionReference, Map, Mismatch, Node, Origin,
    Path, Section,
};

/// A value with its path, ready to be decoded; what it reports goes to the same [`Diagnostics`]
/// as its section's.
#[derive(Clone)]
pub struct Item<'a> {
    node: &'a Node,
    key: Option<&'a Origin>,
    path: Path,
    diagnostics: &'a Diagnostics,
}

impl<'a> Item<'a> {
    pub(super) fn new(
        node: &'a Node,
        key: Option<&'a Origin>,
        path: Path,
        diagnostics: &'a Diagnostics,
    ) -> Self {
        Self { node, key, path, diagnostics }
    }

    /// The value itself.
    #[must_use]
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// The path of the value.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the key stands, or the value, if it is an element of a list.
    #[must_use]
    pub fn origin(&self) -> &'a Origin {
        self.key.unwrap_or_else(|| self.node.origin())
    }

    /// Decodes the value; what is wrong is reported.
    #[must_use]
    pub fn decode<T: Decode>(&self) -> Option<T> {
        if T::SECRET {
            self.diagnostics.add_secret_path(&self.path);
        }
        if let Some(warning) = T::lint(self.node) {
            let diagnostic = Diagnostic::warning(&self.path, warning);
            self.diagnostics.push(self.locate(diagnostic, T::SECRET));
        }
        if self.node.is_null() {
            return T::decode_null(self.node);
        }
        match T::decode(self.node) {
            Ok(value) => Some(value),
            Err(mismatch) => {
                self.report_as(mismatch, T::SECRET);
                None
            }
        }
    }

    /// Notes that the value names a service extension.
    pub fn names_extension(&self, wanted: Capability) {
        let (path, node) = (self.path.clone(), self.node.clone());
        self.diagnostics.add_extension_reference(ExtensionReference { path, node, wanted });
    }

    /// The value as a section; null is an empty one.
    pub fn section(&self) -> Section<'a> {
        Section::at_key(Some(self.node), self.key, self.path.clone(), self.diagnostics)
    }

    /// The elements of the value, which must be a list or null.
    #[must_use]
    pub fn elements(&self) -> Vec<Item<'a>> {
        let Some(items) = self.node.as_seq() else {
            if !self.node.is_null() {
                let kind = self.node.kind_name();
                self.report(Mismatch::new(format!(
                    "source data must be an array or slice, got {kind}"
                )));
            }
            return Vec::new();
        };
        let element =
            |(index, node)| Item::new(node, None, self.path.index(index), self.diagnostics);
        items.iter().enumerate().map(element).collect()
    }

    /// The keys and values of the value, which must be a map or null.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let Some(map) = self.node.as_map() else {
            if !self.node.is_null() {
                let kind = self.node.kind_name();
                self.report(Mismatch::new(format!("expected a map or struct, got \"{kind}\"")));
            }
            return Vec::new();
        };
        entries(map, &self.path, self.diagnostics)
    }

    /// Reports a value that does not fit.
    pub fn report(&self, mismatch: Mismatch) {
        self.report_as(mismatch, false);
    }

    /// Reports a broken rule about the value.
    pub fn error(&self, message: impl Into<String>) {
        self.diagnostics.push(self.locate(Diagnostic::error(&self.path, message), false));
    }

    /// The same, with what to do about it.
    pub fn error_with_help(&self, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(&self.path, message).help(help);
        self.diagnostics.push(self.locate(diagnostic, false));
    }

    /// Warns about the value.
    pub fn warn(&self, message: impl Into<String>) {
        self.diagnostics.push(self.locate(Diagnostic::warning(&self.path, message), false));
    }

    pub(super) fn error_at_key(&self, message: String) {
        self.diagnostics.push(Diagnostic::error(&self.path, message).at_key(self.origin()));
    }

    pub(super) fn warn_at_key(&self, message: String) {
        self.diagnostics.push(Diagnostic::warning(&self.path, message).at_key(self.origin()));
    }

    fn report_as(&self, mismatch: Mismatch, secret: bool) {
        for fault in mismatch.faults {
            let path = fault.element.as_ref().map(|(index, _)| self.path.index(*index));
            let mut diagnostic =
                Diagnostic::decoding(path.as_ref().unwrap_or(&self.path), fault.message);
            diagnostic = match &fault.element {
                Some((_, origin)) if secret => diagnostic.at(origin).without_excerpt(),
                Some((_, origin)) => diagnostic.at(origin),
                None => self.locate(diagnostic, secret),
            };
            if let Some(help) = fault.help {
                diagnostic = diagnostic.help(help);
            }
            self.diagnostics.push(diagnostic);
        }
    }

    /// Points at the value, or, where the value is a secret or spans lines, at its key.
    pub(super) fn locate(&self, diagnostic: Diagnostic, secret: bool) -> Diagnostic {
        let diagnostic = diagnostic.at_value(self.node);
        let secret = secret || self.diagnostics.is_secret_path(&self.path);
        let spans = self.node.as_map().is_some() || self.node.as_seq().is_some();
        match self.key {
            Some(key) if secret => diagnostic.at_secret_key(key),
            None if secret => diagnostic.without_excerpt(),
            Some(key) if spans => diagnostic.at_key(key),
            _ => diagnostic,
        }
    }
}

/// The entries of a map as items below `path`.
pub(super) fn entries<'a>(
    map: &'a Map,
    path: &Path,
    diagnostics: &'a Diagnostics,
) -> Vec<(&'a str, Item<'a>)> {
    map.iter()
        .map(|entry| {
            let path = path.key(&entry.key);
            (&*entry.key, Item::new(&entry.node, Some(&entry.key_origin), path, diagnostics))
        })
        .collect()
}
