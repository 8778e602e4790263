//! Expands `${…}`, by the rules of upstream's `confmap/expand.go`, in rounds.
//!
//! Upstream retrieves each reference when it comes to it. Here every round takes each value as
//! far as the references known so far allow, exactly in upstream's order, and collects the ones
//! that are missing; those are then retrieved together. So the number of trips to a provider is
//! the nesting depth of references, and not their number.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    DEFAULT_HELP,
    fetch::{Fetcher, Found, LITERAL_DOLLAR, Wanted},
    scan,
};
use crate::{
    Diagnostic, Diagnostics, Node, Origin, Path, Reference, Value,
    limits::{MAX_DEPTH, MAX_EXPANSIONS},
    path::Trail,
    weight::Budget,
};

const TOO_MANY: &str = "too many recursive expansions";

pub(super) struct Expander<'e, 'p> {
    fetcher: &'e mut Fetcher<'p>,
    default_scheme: Option<&'static str>,
    budget: Budget,
    diagnostics: &'e Diagnostics,
    /// The references to retrieve next.
    wanted: HashMap<Arc<str>, Wanted>,
    /// The references whose failure or warnings have been reported.
    reported: HashSet<Arc<str>>,
}

/// What became of a text.
enum Step {
    /// It has nothing to expand, or nothing any more.
    Done,
    /// It waits for references.
    Waiting,
    /// The whole text was one reference.
    Whole(Arc<Found>, Reference),
    /// A part of it can't be expanded.
    Failed(Failed),
}

struct Failed {
    message: String,
    help: Option<String>,
    /// The reference at fault, if there is one; its failure is reported once.
    uri: Option<Arc<str>>,
}

/// A text that is being expanded, with what has gone into it.
struct Text {
    text: String,
    references: Vec<Reference>,
    secret: bool,
    literal: bool,
}

impl<'e, 'p> Expander<'e, 'p> {
    pub(super) fn new(
        fetcher: &'e mut Fetcher<'p>,
        default_scheme: Option<&'static str>,
        budget: Budget,
        diagnostics: &'e Diagnostics,
    ) -> Self {
        let (wanted, reported) = (HashMap::new(), HashSet::new());
        Self { fetcher, default_scheme, budget, diagnostics, wanted, reported }
    }

    /// Expands the whole tree; what can't be expanded is reported.
    pub(super) async fn expand_all(mut self, root: &mut Node) {
        for _ in 0..MAX_EXPANSIONS {
            self.expand(root, Trail::Root, 0);
            if self.wanted.is_empty() {
                return;
            }
            let mut wanted: Vec<Wanted> = self.wanted.drain().map(|(_, wanted)| wanted).collect();
            // The map has no order, and the order of sources must not change from run to run.
            wanted.sort_by(|a, b| a.reference.uri().cmp(b.reference.uri()));
            self.fetcher.fetch(wanted).await;
        }
        self.diagnostics.push(Diagnostic::error(Path::root(), TOO_MANY));
    }

    /// Takes a value as far as it goes in this round. `depth` is how deep it stands.
    fn expand(&mut self, node: &mut Node, trail: Trail<'_>, depth: usize) {
        if let Value::String(text) = node.value()
            && text.contains("${")
        {
            self.expand_string(node, trail, depth);
        }
        match node.value_mut() {
            Value::Seq(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if may_change(item) {
                        self.expand(item, Trail::Index(&trail, index), depth + 1);
                    }
                }
            }
            Value::Map(map) => {
                for entry in map.entries_mut() {
                    if may_change(&entry.node) {
                        self.expand(&mut entry.node, Trail::Key(&trail, &entry.key), depth + 1);
                    }
                }
            }
            _ => {}
        }
        if node.original().is_some_and(|text| text.contains("${")) {
            self.expand_original(node);
        }
    }

    fn expand_string(&mut self, node: &mut Node, trail: Trail<'_>, depth: usize) {
        for _ in 0..MAX_EXPANSIONS {
            let Some(text) = node.as_str() else { return };
            let mut text = Text::new(text, node.is_secret());
            let step = self.advance(&mut text, node.origin(), true);
            self.warn(&text.references, node.origin(), trail);
            if !text.references.is_empty() {
                let names = text.references.iter().map(|reference| reference.to_string().into());
                node.splice(text.text.into(), names, text.secret, text.literal);
            }
            match step {
                Step::Done | Step::Waiting => return,
                Step::Whole(found, reference) => {
                    self.warn(std::slice::from_ref(&reference), node.origin(), trail);
                    if let Err(failed) = self.replace(node, &found, &reference, depth) {
                        return self.fail(node, trail, failed);
                    }
                }
                Step::Failed(failed) => return self.fail(node, trail, failed),
            }
        }
        self.fail(node, trail, Failed::new(TOO_MANY).help("a reference leads back to itself"));
    }

    /// Expands the text that a value which is no string was made from, for the case that a string
    /// field takes it. It may hold what the value does not, such as comments; what goes wrong
    /// there only means that there is no such text.
    fn expand_original(&mut self, node: &mut Node) {
        let Some(original) = node.original() else { return };
        let mut text = Text::new(original, node.is_secret());
        let step = self.advance(&mut text, node.origin(), false);
        let (secret, literal) = (text.secret, text.literal);
        match step {
            Step::Done | Step::Waiting => {
                node.set_original(Some(text.text.into()), secret, literal);
            }
            Step::Whole(..) | Step::Failed(_) => node.set_original(None, secret, literal),
        }
    }

    /// Splices known references into a text, one after the other as upstream does. `is_value`
    /// tells a value from the original text of one.
    fn advance(&mut self, text: &mut Text, origin: &Origin, is_value: bool) -> Step {
        let has_default = self.default_scheme.is_some();
        for _ in 0..MAX_EXPANSIONS {
            let Some(range) = scan::find(&text.text, 0, has_default) else { return Step::Done };
            let whole = range == (0..text.text.len());
            let written = text.text.get(range).unwrap_or_default().to_owned();
            let reference = match self.reference(&written, text.secret) {
                Ok(reference) => reference,
                Err(failed) => return Step::Failed(failed),
            };
            let found = match self.fetcher.get(reference.uri()) {
                Some(Ok(found)) => found.clone(),
                Some(Err(failure)) => {
                    return Step::Failed(Failed {
                        message: failure.message.clone(),
                        help: failure.help.clone(),
                        uri: Some(reference.uri().clone()),
                    });
                }
                None => return self.want_all(text, origin, is_value),
            };
            if whole {
                return Step::Whole(found, reference);
            }
            text.text = scan::replace_all(&text.text, &written, &found.text);
            text.references.push(reference.clone());
            text.secret |= found.is_secret();
            text.literal |= found.literal;
            if self.budget.take(0, text.text.len()).is_err() {
                return Step::Failed(Failed::too_large(&reference));
            }
        }
        Step::Failed(Failed::new(TOO_MANY).help("a reference leads back to itself"))
    }

    /// Notes every reference of a text that is not known yet.
    fn want_all(&mut self, text: &Text, origin: &Origin, is_value: bool) -> Step {
        for range in scan::find_all(&text.text, self.default_scheme.is_some()) {
            let written = text.text.get(range).unwrap_or_default();
            let Ok(reference) = self.reference(written, text.secret) else { continue };
            if self.fetcher.get(reference.uri()).is_some() {
                continue;
            }
            let provider = self.fetcher.providers().get(reference.scheme());
            if !is_value && !provider.is_some_and(|provider| provider.is_local()) {
                return Step::Failed(Failed::new("not retrieved for a comment"));
            }
            let uri = reference.uri().clone();
            let at = Some(origin.clone());
            self.wanted.entry(uri).or_insert(Wanted { reference, at });
        }
        Step::Waiting
    }

    /// Reads `${…}`. The name of one with a secret in it is not shown.
    fn reference(&self, written: &str, secret: bool) -> Result<Reference, Failed> {
        let inner = written.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        let inner = inner.unwrap_or_default();
        let uri = match self.default_scheme {
            Some(scheme) if !inner.contains(':') => Cow::Owned(format!("{scheme}:{inner}")),
            _ => Cow::Borrowed(inner),
        };
        let Some(reference) = Reference::parse(&uri) else {
            let failed = match secret {
                true => Failed::new("invalid uri"),
                false => Failed::new(format!("invalid uri: {uri:?}")),
            };
            let default = inner.contains(":-");
            return Err(if default { failed.help(DEFAULT_HELP) } else { failed });
        };
        let reference = reference.with_secret(secret);
        if reference.opaque().contains(['$', LITERAL_DOLLAR]) {
            let uri = reference.to_string();
            let message = format!("the uri {uri:?} contains unsupported characters ('$')");
            return Err(Failed::new(message));
        }
        Ok(reference)
    }

    /// Puts what was found in the place of the reference to it.
    fn replace(
        &mut self,
        node: &mut Node,
        found: &Found,
        reference: &Reference,
        depth: usize,
    ) -> Result<(), Failed> {
        if depth + found.depth > MAX_DEPTH {
            let message = format!("{TOO_MANY}: nested deeper than {MAX_DEPTH} levels");
            return Err(Failed::new(message).help("a reference leads back to itself"));
        }
        let charged = self.budget.take(0, found.text.len());
        let charged = charged.and_then(|()| self.budget.take_tree(&found.node));
        charged.map_err(|_| Failed::too_large(reference))?;
        let value = found.node.value().clone();
        let original = (!matches!(value, Value::String(_))).then(|| found.text.clone());
        let name = reference.to_string().into();
        node.replace(value, original, name, found.is_secret(), found.literal);
        Ok(())
    }

    /// Reports what providers said of references, once each.
    fn warn(&mut self, references: &[Reference], origin: &Origin, trail: Trail<'_>) {
        for uri in references.iter().map(Reference::uri) {
            if let Some(Ok(found)) = self.fetcher.get(uri)
                && !found.warnings.is_empty()
                && self.reported.insert(uri.clone())
            {
                for warning in &found.warnings {
                    let diagnostic =
                        Diagnostic::warning(trail.to_path(), warning.clone()).at(origin);
                    self.diagnostics.push(diagnostic);
                }
            }
        }
    }

    /// Reports a value that can't be expanded, and takes it out of the tree, which is of no use
    /// any more.
    fn fail(&mut self, node: &mut Node, trail: Trail<'_>, failed: Failed) {
        let new = failed.uri.is_none_or(|uri| self.reported.insert(uri));
        if new {
            let diagnostic = Diagnostic::error(trail.to_path(), failed.message).at(node.origin());
            self.diagnostics.push(failed.help.into_iter().fold(diagnostic, Diagnostic::help));
        }
        *node = node.placeholder();
    }
}

impl Text {
    fn new(text: &str, secret: bool) -> Self {
        Self { text: text.to_owned(), references: Vec::new(), secret, literal: false }
    }
}

impl Failed {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, uri: None }
    }

    fn too_large(reference: &Reference) -> Self {
        Self::new(format!("{TOO_MANY}: with {reference} the configuration grows too large"))
    }

    fn help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }
}

/// Whether a value is worth a visit.
fn may_change(node: &Node) -> bool {
    match node.value() {
        Value::String(text) => text.contains("${"),
        Value::Seq(_) | Value::Map(_) => true,
        _ => node.original().is_some_and(|text| text.contains("${")),
    }
}

/// Turns `$$` into `$` in every text, and gives literals their `$` back.
pub(super) fn unescape(node: &mut Node) {
    node.map_text(|text, literal| {
        if !text.contains("$$") && !literal {
            return None;
        }
        let text = text.replace("$$", "$");
        Some(if literal { text.replace(LITERAL_DOLLAR, "$") } else { text })
    });
    match node.value_mut() {
        Value::Seq(items) => items.iter_mut().for_each(unescape),
        Value::Map(map) => map.entries_mut().for_each(|entry| unescape(&mut entry.node)),
        _ => {}
    }
}
