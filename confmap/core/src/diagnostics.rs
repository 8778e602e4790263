//! Errors and warnings about a configuration, all of them at once, each with its place.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::HashSet,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    ExtensionReference, Mask, Node, Origin, Path, limits::MAX_DIAGNOSTICS, mask, user_info,
};

mod excerpt;
mod render;

/// What a diagnostic means for the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// The configuration is used, and means something the user may not have wanted.
    Warning,
}

/// One error or warning: what is wrong, at which path, at which place, and what to do.
///
/// Made by [`Section`](crate::Section) for all that concerns keys and values. Build one by hand
/// for a rule that spans sections.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    severity: Severity,
    shape: Shape,
    path: Path,
    message: String,
    origin: Option<Origin>,
    excerpt: Excerpt,
    notes: Vec<String>,
    help: Option<String>,
}

/// How path and message are put together; both are the Collector's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A value of the wrong type or an unknown key: `'a.b[0]' expected type …`.
    Decoding,
    /// A rule that is broken: `a::b::0: must be positive`.
    Validation,
}

/// How much of the line is repeated below a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excerpt {
    /// The line, with what looks like a secret masked.
    Line,
    /// The line as far as the key; the value is not what the message is about, or is a secret.
    Key,
    /// Nothing.
    Withheld,
}

impl Diagnostic {
    /// A broken rule, shown as `path::to::key: message`. The message is lower case, without a
    /// final stop.
    #[must_use]
    pub fn error(path: impl Into<Path>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Shape::Validation, path.into(), message.into())
    }

    /// Something the user should know, shown as `path::to::key: message`.
    #[must_use]
    pub fn warning(path: impl Into<Path>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Shape::Validation, path.into(), message.into())
    }

    /// A value that can't be decoded, shown as `'path.to.key' message`.
    #[must_use]
    pub fn decoding(path: impl Into<Path>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Shape::Decoding, path.into(), message.into())
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }

    /// Names the place of a value, and the references the value came from.
    #[must_use]
    pub fn at_value(mut self, node: &Node) -> Self {
        self.origin = Some(node.origin().clone());
        if node.is_secret() {
            let secret = node.text().unwrap_or_default();
            self.conceal(&Mask::of(std::iter::once(secret)));
            self.message = mask::without_quoted(&self.message).into_owned();
            if mask::repeats(&self.message, secret) {
                "is refused; it is a secret, so more is not said".clone_into(&mut self.message);
            }
            self.help = self.help.filter(|help| !mask::repeats(help, secret));
            if !node.is_expanded() {
                self.excerpt = Excerpt::Withheld;
            }
        }
        if let [first, rest @ ..] = node.references() {
            let also = if rest.is_empty() { "" } else { " and others" };
            return self.note(format!("the value came from ${{{first}}}{also}"));
        }
        self
    }

    /// Names the place of a key; of the line, no more than the key is repeated.
    #[must_use]
    pub fn at_key(mut self, origin: &Origin) -> Self {
        self.excerpt = Excerpt::Key;
        self.at(origin)
    }

    /// Names the place of a key whose value is a secret, or whose neighbours are: of the line, the
    /// key is repeated if nothing stands before it.
    #[must_use]
    pub(crate) fn at_secret_key(self, origin: &Origin) -> Self {
        let before = usize::try_from(origin.column().saturating_sub(1)).unwrap_or(usize::MAX);
        let line = origin.line_text().unwrap_or_default();
        let alone = line.chars().take(before).all(|c| c == ' ' || c == '-');
        if alone { self.at_key(origin) } else { self.at(origin).without_excerpt() }
    }

    /// Repeats nothing of the line.
    #[must_use]
    pub fn without_excerpt(mut self) -> Self {
        self.excerpt = Excerpt::Withheld;
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(without_user_info(note.into()));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(without_user_info(help.into()));
        self
    }

    /// Error or warning.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The path of the value or key; the root for what concerns no key.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The message without its path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place, where there is one.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// What to do about it, where something is known.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn new(severity: Severity, shape: Shape, path: Path, message: String) -> Self {
        Self {
            severity,
            shape,
            path,
            message: without_user_info(message),
            origin: None,
            excerpt: Excerpt::Line,
            notes: Vec::new(),
            help: None,
        }
    }

    fn conceal(&mut self, mask: &Mask) {
        let texts = std::iter::once(&mut self.message).chain(&mut self.notes).chain(&mut self.help);
        for text in texts {
            if let Cow::Owned(masked) = mask.apply(text) {
                *text = masked;
            }
        }
    }

    /// By source and place; what has no place comes last.
    fn position(&self, other: &Self) -> Ordering {
        match (&self.origin, &other.origin) {
            (Some(a), Some(b)) => a.position(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// One line, path and message, as the Collector words it and as a log line carries it.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape {
            _ if self.path.is_root() => f.write_str(&self.message),
            Shape::Decoding => write!(f, "'{}' {}", self.path, self.message),
            Shape::Validation => write!(f, "{}: {}", self.path.delimited(), self.message),
        }
    }
}

/// Collects diagnostics. Takes them through a shared reference, so that several
/// [`Section`](crate::Section)s of one configuration can be read side by side.
///
/// Keeps at most [`MAX_DIAGNOSTICS`] errors and warnings and counts the others.
#[derive(Debug, Default)]
pub struct Diagnostics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    items: Vec<Diagnostic>,
    errors: usize,
    left_out: usize,
    noted: Box<Noted>,
    mask: Mask,
}

/// What was learnt of values while they were read.
#[derive(Debug, Default)]
struct Noted {
    secrets: HashSet<Path>,
    extensions: Vec<ExtensionReference>,
}

impl Inner {
    fn conceal(&mut self, mask: &Mask) {
        if !mask.is_empty() {
            self.items.iter_mut().for_each(|item| item.conceal(mask));
            self.mask = self.mask.with(mask);
        }
    }
}

impl Diagnostics {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. What providers of secrets gave is taken out of it.
    pub fn push(&self, mut diagnostic: Diagnostic) {
        let mut inner = self.inner();
        diagnostic.conceal(&inner.mask);
        let error = diagnostic.severity == Severity::Error;
        inner.errors += usize::from(error);
        if inner.items.len() >= MAX_DIAGNOSTICS {
            inner.left_out += 1;
            // An error is never crowded out by warnings: without one, nothing could be shown.
            if !error || inner.items.iter().any(|item| item.severity == Severity::Error) {
                return;
            }
            inner.items.pop();
        }
        inner.items.push(diagnostic);
    }

    /// Adds all of another collection, such as the resolver's warnings.
    pub fn append(&self, other: Diagnostics) {
        let other = other.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let kept_errors =
            other.items.iter().filter(|item| item.severity == Severity::Error).count();
        for item in other.items {
            self.push(item);
        }
        let mut inner = self.inner();
        inner.errors += other.errors - kept_errors;
        inner.left_out += other.left_out;
        inner.noted.secrets.extend(other.noted.secrets);
        inner.noted.extensions.extend(other.noted.extensions);
        inner.conceal(&other.mask);
    }

    /// What is to be hidden wherever something about this configuration is said.
    #[must_use]
    pub fn mask(&self) -> Mask {
        self.inner().mask.clone()
    }

    /// Hides these texts, too.
    pub(crate) fn conceal(&self, mask: &Mask) {
        self.inner().conceal(mask);
    }

    /// Whether the configuration can't be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.inner().errors > 0
    }

    /// How many errors there were, those left out included.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.inner().errors
    }

    /// Whether there is neither an error nor a warning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner().items.is_empty()
    }

    /// All of them in the order of the files: by source as they were read, then by line.
    #[must_use]
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut items = self.inner().items.clone();
        items.sort_by(Diagnostic::position);
        items
    }

    /// The paths whose values were decoded into a type that is secret, for a printer to mask.
    #[must_use]
    pub fn secret_paths(&self) -> HashSet<Path> {
        self.inner().noted.secrets.clone()
    }

    /// The settings that name a service extension. That there is one is for the reader of the whole configuration to check.
    #[must_use]
    pub fn extension_references(&self) -> Vec<ExtensionReference> {
        self.inner().noted.extensions.clone()
    }

    pub(crate) fn add_extension_reference(&self, reference: ExtensionReference) {
        self.inner().noted.extensions.push(reference);
    }

    pub(crate) fn add_secret_path(&self, path: &Path) {
        self.inner().noted.secrets.insert(path.clone());
    }

    pub(crate) fn is_secret_path(&self, path: &Path) -> bool {
        self.inner().noted.secrets.contains(path)
    }

    fn left_out(&self) -> usize {
        self.inner().left_out
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::error::Error for Diagnostics {}

/// A message may repeat a URL.
fn without_user_info(text: String) -> String {
    match user_info::hide(&text) {
        Cow::Owned(hidden) => hidden,
        Cow::Borrowed(_) => text,
    }
}

#[cfg(test)]
mod tests;
