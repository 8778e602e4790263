//! Where configuration comes from: a provider for each scheme, such as `file:` or `env:`.

use std::{
    collections::BTreeMap, error::Error, ffi::OsString, fmt, pin::Pin, sync::Arc, time::Duration,
};

use crate::{Exposure, opaque::REDACTED};

mod env;
mod file;
mod yaml;

pub use env::{EnvError, EnvProvider};
pub use file::{FileError, FileProvider};
pub use yaml::YamlProvider;

/// A future on the heap, so that providers need no macro and no runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Retrieves what stands behind the references of one scheme.
///
/// A set of references is asked for at once, so that a provider can answer it with one request to
/// its backend. Each reference of a configuration is asked for once, and the providers of
/// different schemes are asked at the same time.
pub trait Provider: Send + Sync {
    /// The scheme: a letter, then one or more letters, digits, `+`, `.` or `-`.
    fn scheme(&self) -> &'static str;

    /// Other schemes that mean the same. References under any of them are asked for together.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// A resolution begins: what may be asked for in it, in however many calls, shares the time
    /// that the provider allows itself.
    fn begin(&self) {}

    /// Retrieves each of `references`, none of which comes twice; the answers stand in the same
    /// order.
    ///
    /// The resolver sets no deadline: a provider that waits for a peer ends every wait itself. The
    /// future may be dropped at any point.
    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>>;

    /// Whether a reference costs no request to a peer. One that only stands in a comment of an
    /// included text is then resolved too, as upstream does for every provider.
    fn is_local(&self) -> bool {
        false
    }
}

/// A reference to something outside, `scheme:opaque`.
///
/// An error names it by its `Display`, or by [`Reference::shown`], and not by
/// [`Reference::opaque`]: a part of that may have come from a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference {
    uri: Arc<str>,
    /// Where the `:` stands.
    colon: usize,
    /// What stands for the opaque part in errors, where it is not that itself.
    shown: Option<Arc<str>>,
}

impl Reference {
    /// Reads `scheme:opaque`; nothing if there is no valid scheme.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, _) = uri.split_once(':')?;
        is_scheme(scheme).then(|| {
            let colon = scheme.len();
            let shown = mask_user_info(uri).and_then(|uri| Some(uri.get(colon + 1..)?.into()));
            Self { uri: uri.into(), colon, shown }
        })
    }

    pub(crate) fn with_secret(mut self, secret: bool) -> Self {
        if secret {
            self.shown = Some(REDACTED.into());
        }
        self
    }

    /// The whole reference.
    pub(crate) fn uri(&self) -> &Arc<str> {
        &self.uri
    }

    /// The part before the first `:`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.uri.get(..self.colon).unwrap_or_default()
    }

    /// The part behind the first `:`, which only its provider understands.
    #[must_use]
    pub fn opaque(&self) -> &str {
        self.uri.get(self.colon + 1..).unwrap_or_default()
    }

    /// The same for an error to show: masked if a part of it came from a secret, and without the
    /// user and password of a URL.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or_else(|| self.opaque())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme(), self.shown())
    }
}

/// A URI with the user and password of its authority masked, if it has them.
fn mask_user_info(uri: &str) -> Option<String> {
    let start = uri.find("://")? + 3;
    let authority = uri.get(start..)?;
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    let at = authority.get(..end)?.rfind('@')?;
    Some(format!("{}{REDACTED}{}", uri.get(..start)?, authority.get(at..)?))
}

/// As it displays, since a part of it may be a secret.
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text is a scheme. Of one letter it would be a drive, so a scheme has at least two.
pub(crate) fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    let letter = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    letter
        && text.len() > 1
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
}

/// What a provider found.
#[derive(Clone)]
pub struct Retrieved {
    pub(crate) text: String,
    pub(crate) form: Form,
    /// Whether references in it are expanded, and `$$` is a `$`.
    pub(crate) expands: bool,
    pub(crate) exposure: Exposure,
    pub(crate) warnings: Vec<String>,
    /// How long until it is to be asked for again.
    pub(crate) refresh: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// Text that is parsed as YAML, and stays text if it is not YAML.
    Yaml,
    /// Text as it is.
    String,
    /// Values separated by commas.
    List,
}

impl Retrieved {
    /// YAML text. A field that takes a string receives the text itself; any other, the value it
    /// parses to. References in it are expanded. Its lines are not repeated in errors.
    #[must_use]
    pub fn yaml(text: impl Into<String>) -> Self {
        Self::new(text.into(), Form::Yaml)
    }

    /// A string that is not parsed. References in it are expanded.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        Self::new(text.into(), Form::String)
    }

    /// A string that is not parsed and in which nothing is expanded.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        Self::string(text).unexpanded()
    }

    /// A list: what stands between the commas of the text, each a YAML scalar. A field that takes
    /// a string receives the text itself.
    #[must_use]
    pub fn list(text: impl Into<String>) -> Self {
        Self::new(text.into(), Form::List)
    }

    /// Leaves everything in it as it is: `$` is a `$`. For secrets, whose owner did not write them
    /// for a configuration file. Does not count where the text is a whole configuration.
    #[must_use]
    pub fn unexpanded(mut self) -> Self {
        self.expands = false;
        self
    }

    /// Marks the text as configuration that errors may repeat a line of, such as a file's.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.exposure = Exposure::Shown;
        self
    }

    /// Marks the text as a secret: no error repeats it, and the printer masks it.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.exposure = Exposure::Secret;
        self
    }

    /// Adds something the user should know if the reference is used.
    #[must_use]
    pub fn warning(mut self, message: impl Into<String>) -> Self {
        self.warnings.push(message.into());
        self
    }

    /// Asks for the reference to be retrieved again after this time, by
    /// [`Refresh`](crate::Refresh).
    #[must_use]
    pub fn refresh_after(mut self, time: Duration) -> Self {
        self.refresh = Some(time);
        self
    }

    fn new(text: String, form: Form) -> Self {
        Self {
            text,
            form,
            expands: true,
            exposure: Exposure::Hidden,
            warnings: Vec::new(),
            refresh: None,
        }
    }
}

/// The text stays out of it.
impl fmt::Debug for Retrieved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrieved").field("form", &self.form).finish_non_exhaustive()
    }
}

/// Why a reference could not be retrieved: the provider's own error, and what to do about it.
#[derive(Debug)]
pub struct ProviderError {
    cause: Box<dyn Error + Send + Sync>,
    help: Option<String>,
}

impl ProviderError {
    /// Takes the provider's error. It names the reference, and never what was retrieved.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: cause.into(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do about it, if that is known.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The error with everything that caused it, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.cause.to_string();
        let mut source = self.cause.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// The providers of a binary, by scheme.
#[derive(Default)]
pub struct Providers {
    by_scheme: BTreeMap<&'static str, Arc<dyn Provider>>,
}

impl Providers {
    /// No provider at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `file`, `env` and `yaml`; `env` looks variables up with the given function, which for a
    /// process is `|name| std::env::var_os(name)`.
    #[must_use]
    pub fn local(env: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self::new().with(FileProvider).with(EnvProvider::new(env)).with(YamlProvider)
    }

    /// Adds a provider, under its aliases, too. It takes the place of an earlier one for the same
    /// scheme.
    #[must_use]
    pub fn with(mut self, provider: impl Provider + 'static) -> Self {
        let provider: Arc<dyn Provider> = Arc::new(provider);
        for scheme in provider.aliases() {
            self.by_scheme.insert(scheme, provider.clone());
        }
        self.by_scheme.insert(provider.scheme(), provider);
        self
    }

    /// The schemes in alphabetic order.
    #[must_use]
    pub fn schemes(&self) -> Vec<&'static str> {
        self.by_scheme.keys().copied().collect()
    }

    /// Tells every provider that a resolution begins.
    pub(crate) fn begin(&self) {
        let under_own_name =
            |(scheme, provider): &(&&str, &Arc<dyn Provider>)| **scheme == provider.scheme();
        self.by_scheme.iter().filter(under_own_name).for_each(|(_, provider)| provider.begin());
    }

    pub(crate) fn get(&self, scheme: &str) -> Option<&dyn Provider> {
        self.by_scheme.get(scheme).map(AsRef::as_ref)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_scheme.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
