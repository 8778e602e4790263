//! Retrieves references: each once, those of one scheme together, different schemes at the same
//! time.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{DEFAULT_HELP, Refresh};
use crate::{
    Exposure, Node, Origin, Provider, ProviderError, Providers, Reference, Retrieved, Source,
    Value, join_all,
    limits::MAX_DOCUMENT_BYTES,
    mask::{self, Mask},
    provider::Form,
    suggest,
    weight::depth,
    yaml::{self, error::YamlError},
};

/// Stands for a `$` of a literal until references are expanded. A noncharacter of Unicode, which
/// no text contains that is meant for interchange.
pub(super) const LITERAL_DOLLAR: char = '\u{fdd0}';

/// What stands behind a reference, parsed.
pub(super) struct Found {
    /// The value.
    pub(super) node: Node,
    /// How deep the value is nested.
    pub(super) depth: usize,
    /// The text of it, for a string field and for the middle of other text.
    pub(super) text: Arc<str>,
    pub(super) source: Arc<Source>,
    pub(super) literal: bool,
    pub(super) warnings: Vec<String>,
    /// Why the text is not YAML, if it should have been.
    pub(super) not_yaml: Option<YamlError>,
    pub(super) has_more_documents: bool,
}

impl Found {
    pub(super) fn is_secret(&self) -> bool {
        self.source.exposure() == Exposure::Secret
    }
}

/// Why there is nothing behind a reference.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

type Outcome = Result<Arc<Found>, Failure>;

/// A reference to retrieve, and where it stands first.
pub(super) struct Wanted {
    pub(super) reference: Reference,
    pub(super) at: Option<Origin>,
}

/// The references of one scheme.
struct Batch<'p> {
    provider: Option<&'p dyn Provider>,
    references: Vec<Reference>,
    wanted: Vec<Wanted>,
}

/// Asks providers, and remembers what they answered.
pub(super) struct Fetcher<'p> {
    providers: &'p Providers,
    outcomes: HashMap<Arc<str>, Outcome>,
    sources: Vec<Arc<Source>>,
    refresh: Option<Refresh>,
    /// Secrets that references yielded.
    secrets: Vec<Arc<Found>>,
}

impl<'p> Fetcher<'p> {
    pub(super) fn new(providers: &'p Providers) -> Self {
        Self {
            providers,
            outcomes: HashMap::new(),
            sources: Vec::new(),
            refresh: None,
            secrets: Vec::new(),
        }
    }

    pub(super) fn providers(&self) -> &'p Providers {
        self.providers
    }

    /// What is known of a reference so far.
    pub(super) fn get(&self, uri: &str) -> Option<&Outcome> {
        self.outcomes.get(uri)
    }

    /// Hides what references to secrets yielded. Where a whole configuration is a secret, it is masked when it is printed; its words are those
    /// of all configurations.
    pub(super) fn mask(&self) -> Mask {
        let mut texts = Vec::new();
        for found in &self.secrets {
            texts.push(&*found.text);
            mask::texts(&found.node, &mut texts);
        }
        let plain: Vec<String> =
            texts.iter().map(|text| text.replace(LITERAL_DOLLAR, "$")).collect();
        Mask::of(plain.iter().map(String::as_str))
    }

    /// The texts that were read, and what is to be asked for again.
    pub(super) fn finish(self) -> (Vec<Arc<Source>>, Option<Refresh>) {
        (self.sources, self.refresh)
    }

    /// Retrieves the locations of the configuration itself, whose text errors may repeat unless it
    /// is a secret, and whose references are expanded wherever it comes from.
    pub(super) async fn fetch_locations(&mut self, references: &[Reference]) {
        let wanted = references.iter().map(|reference| {
            (reference.uri().clone(), Wanted { reference: reference.clone(), at: None })
        });
        let wanted: BTreeMap<_, _> = wanted.collect();
        let mut retrieved = self.retrieve(wanted.into_values().collect()).await;
        // The order of the locations decides the order of diagnostics.
        for reference in references {
            let of = |(wanted, _): &(Wanted, _)| wanted.reference.uri() == reference.uri();
            if let Some(position) = retrieved.iter().position(of) {
                let (wanted, outcome) = retrieved.swap_remove(position);
                let outcome = outcome.map(|mut retrieved| {
                    if retrieved.exposure == Exposure::Hidden {
                        retrieved.exposure = Exposure::Shown;
                    }
                    retrieved.expands = true;
                    retrieved
                });
                self.store(wanted, outcome);
            }
        }
    }

    /// Retrieves references that [`Fetcher::get`] knows nothing of.
    pub(super) async fn fetch(&mut self, wanted: Vec<Wanted>) {
        for (wanted, outcome) in self.retrieve(wanted).await {
            self.store(wanted, outcome);
        }
    }

    /// Takes in a text that no provider gave.
    pub(super) fn add_set(&mut self, name: String, retrieved: Retrieved) -> Arc<Found> {
        let found = Arc::new(self.parse(name, None, retrieved));
        self.sources.push(found.source.clone());
        found
    }

    /// Asks every provider once.
    pub(super) async fn retrieve(
        &self,
        wanted: Vec<Wanted>,
    ) -> Vec<(Wanted, Result<Retrieved, Failure>)> {
        let mut by_scheme: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
        for wanted in wanted {
            let scheme = wanted.reference.scheme();
            let scheme = match self.providers.get(scheme) {
                Some(provider) => provider.scheme().to_owned(),
                None => scheme.to_owned(),
            };
            by_scheme.entry(scheme).or_default().push(wanted);
        }
        let batches: Vec<Batch<'_>> = by_scheme
            .into_iter()
            .map(|(scheme, wanted)| {
                let references = wanted.iter().map(|wanted| wanted.reference.clone()).collect();
                Batch { provider: self.providers.get(&scheme), references, wanted }
            })
            .collect();
        let answers = batches.iter().map(|batch| match batch.provider {
            Some(provider) => provider.retrieve(&batch.references),
            None => {
                let errors =
                    batch.references.iter().map(|reference| Err(self.unsupported(reference)));
                Box::pin(std::future::ready(errors.collect()))
            }
        });
        let answers = join_all(answers.collect()).await;
        let mut outcomes = Vec::new();
        for (Batch { wanted, .. }, answers) in batches.into_iter().zip(answers) {
            let mut answers = answers.into_iter();
            for wanted in wanted {
                let answer = answers.next().unwrap_or_else(|| {
                    let scheme = wanted.reference.scheme();
                    let message = format!(
                        "the provider of {scheme:?} gave no answer to {}",
                        wanted.reference
                    );
                    Err(ProviderError::new(message))
                });
                outcomes.push((
                    wanted,
                    answer.map_err(|error| Failure {
                        message: error.chain(),
                        help: error.help_text().map(str::to_owned),
                    }),
                ));
            }
        }
        outcomes
    }

    fn unsupported(&self, reference: &Reference) -> ProviderError {
        let scheme = reference.scheme();
        let uri = reference.to_string();
        let schemes = || suggest::help(scheme, "supported schemes", &self.providers.schemes());
        let default = reference.opaque().starts_with('-');
        ProviderError::new(format!("scheme {scheme:?} is not supported for uri {uri:?}"))
            .help(if default { DEFAULT_HELP.to_owned() } else { schemes() })
    }

    fn store(&mut self, wanted: Wanted, outcome: Result<Retrieved, Failure>) {
        let outcome = outcome.and_then(|retrieved| {
            if retrieved.text.len() > MAX_DOCUMENT_BYTES {
                let message =
                    format!("{} yields more than {MAX_DOCUMENT_BYTES} bytes", wanted.reference);
                return Err(Failure { message, help: None });
            }
            if let Some(after) = retrieved.refresh {
                let refresh = self.refresh.get_or_insert_with(|| Refresh::new(after));
                refresh.add(wanted.reference.clone(), &retrieved.text, after);
            }
            let name = wanted.reference.to_string();
            let is_reference = wanted.at.is_some();
            let found = Arc::new(self.parse(name, wanted.at, retrieved));
            self.sources.push(found.source.clone());
            if is_reference && found.is_secret() {
                self.secrets.push(found.clone());
            }
            Ok(found)
        });
        self.outcomes.insert(wanted.reference.uri().clone(), outcome);
    }

    fn parse(&self, name: String, at: Option<Origin>, retrieved: Retrieved) -> Found {
        let Retrieved { text, form, expands, exposure, warnings, refresh: _ } = retrieved;
        let text = match form {
            // A byte order mark is no part of the text.
            Form::Yaml => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
            Form::String | Form::List => text,
        };
        let text: Arc<str> = text.into();
        let order = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let source = Source::new(short_name(&name), text.clone(), exposure, order);
        let source = Arc::new(source.referenced_at(at));
        let as_text = || Node::new(Value::String(text.clone()), Origin::start(source.clone()));
        let mut not_yaml = None;
        let mut has_more_documents = false;
        let mut node = match form {
            Form::String => as_text(),
            Form::List => list(&text, &Origin::start(source.clone())),
            Form::Yaml => match yaml::parse(&source, &text) {
                Ok(document) => {
                    has_more_documents = document.has_more;
                    // What parses as a string is the text as a whole, quotes and all.
                    if document.root.as_str().is_some() { as_text() } else { document.root }
                }
                Err(error) => {
                    not_yaml = Some(error);
                    as_text()
                }
            },
        };
        let literal = !expands;
        if literal {
            disguise(&mut node);
        }
        let text = if literal { disguised(&text).into() } else { text };
        let depth = depth(&node);
        Found { node, depth, text, source, literal, warnings, not_yaml, has_more_documents }
    }
}

/// The values between the commas of a text.
fn list(text: &str, origin: &Origin) -> Node {
    let item = |item: &str| {
        let mut node = Node::new(yaml::plain(item), origin.clone());
        if node.as_str().is_none() {
            node.set_original(Some(item.into()), false, false);
        }
        node
    };
    Node::new(Value::Seq(text.split(',').map(item).collect()), origin.clone())
}

/// Hides every `$` in the texts of a tree from expansion. Keys are never expanded.
fn disguise(node: &mut Node) {
    if node.as_str().is_some_and(|text| text.contains('$')) {
        node.set_literal();
        node.map_text(|text, _| Some(disguised(text)));
    }
    match node.value_mut() {
        Value::Seq(items) => items.iter_mut().for_each(disguise),
        Value::Map(map) => map.entries_mut().for_each(|entry| disguise(&mut entry.node)),
        _ => {}
    }
}

fn disguised(text: &str) -> String {
    text.replace('$', LITERAL_DOLLAR.encode_utf8(&mut [0; 4]))
}

/// A name that fits a line. That of a `yaml:` location is its text: of that, the key is enough, and
/// the value may be a secret. Of a long path or address the end says most.
fn short_name(name: &str) -> String {
    const KEY_CHARS_MAX: usize = 60;
    const CHARS_MAX: usize = 200;
    let is_text = name.starts_with("yaml:");
    let breaks = |c: char| if is_text { c.is_whitespace() } else { c == '\n' };
    let end = name.find(breaks).unwrap_or(name.len());
    let line = name.get(..end).unwrap_or_default();
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    if is_text {
        let end = line.char_indices().nth(KEY_CHARS_MAX).map_or(end, |(at, _)| at);
        return format!("{}{}", line.get(..end).unwrap_or_default(), cut(end < name.len()));
    }
    let start = line.char_indices().rev().nth(CHARS_MAX - 1).map_or(0, |(at, _)| at);
    format!("{}{}{}", cut(start > 0), line.get(start..).unwrap_or_default(), cut(end < name.len()))
}
