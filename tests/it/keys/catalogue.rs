//! The files of keys. `testdata/keys/README.md` says how they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::judge::Diagnostic;
use super::tree::{KeyPath, Tree};

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Carried,
    Warned,
    Refused,
    /// Carried out, and not upstream's.
    Ours,
}

/// A key with a value, and what has to stand beside it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) verdict: Verdict,
    pub(super) path: KeyPath,
    value: String,
    context: Vec<(KeyPath, String)>,
}

/// The keys of a component, or of `service`.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// `exporters/otlp`; a further list of the same component has a dot and a word behind it.
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
    open: Vec<KeyPath>,
}

/// A part of the settings that is a map.
pub(super) struct Section {
    pub(super) path: KeyPath,
    /// The keys that are listed for it.
    pub(super) keys: BTreeSet<String>,
    /// Whether any of them is carried out.
    pub(super) is_carried: bool,
    /// Settings in which the section is in use.
    tree: Tree,
}

impl Verdict {
    pub(super) fn is_carried(self) -> bool {
        matches!(self, Self::Carried | Self::Ours)
    }

    fn of(word: &str) -> Option<Self> {
        match word {
            "carried" => Some(Self::Carried),
            "warned" => Some(Self::Warned),
            "refused" => Some(Self::Refused),
            "ours" => Some(Self::Ours),
            _ => None,
        }
    }
}

impl Case {
    /// The settings with this key.
    pub(super) fn tree(&self) -> Tree {
        let mut tree = Tree::empty();
        for (path, value) in &self.context {
            tree.put(path, value);
        }
        tree.put(&self.path, &self.value);
        tree
    }

    /// The same one below a path.
    fn below(&self, path: &KeyPath) -> Self {
        let context = self.context.iter();
        Self {
            verdict: self.verdict,
            path: path.join(&self.path),
            value: self.value.clone(),
            context: context.map(|(below, value)| (path.join(below), value.clone())).collect(),
        }
    }
}

impl Section {
    /// The settings with one more key in this section.
    pub(super) fn with_key(&self, key: &str) -> Tree {
        let mut tree = self.tree.clone();
        tree.put(&self.path.join(&KeyPath::new(key)), "1");
        tree
    }
}

impl Catalogue {
    /// All that are in a folder.
    pub(super) fn all(folder: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        for kind in ["receivers", "processors", "exporters", "connectors", "extensions", ""] {
            let entries = folder.join(kind).read_dir().unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            let lists = paths.filter(|path| path.extension().is_some_and(|end| end == "keys"));
            found.extend(lists.map(|path| Self::read(folder, &path)));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn read(folder: &Path, path: &Path) -> Self {
        let name = path.strip_prefix(folder).unwrap().with_extension("");
        let mut reader = Reader { folder: folder.to_owned(), open: Vec::new() };
        let cases = reader.file(path).into_values().collect();
        Self { name: name.to_str().unwrap().to_owned(), cases, open: reader.open }
    }

    /// The component's folder; none for `service`.
    pub(super) fn component(&self) -> Option<String> {
        let (kind, name) = self.name.split_once('/')?;
        Some(format!("{kind}/{}", name.split('.').next()?))
    }

    /// Whether a diagnostic names the key of a case: it is about the key itself, or speaks of it in the words of its section, or is
    /// about a section that the key stands in and that is itself listed with the same verdict.
    pub(super) fn is_about(&self, case: &Case, diagnostic: &Diagnostic) -> bool {
        let place = &diagnostic.place;
        if case.path.leads_to(place) {
            return true;
        }
        let key = case.path.split_last().map_or(String::new(), |(_, key)| key.to_owned());
        let of_section = |other: &Case| {
            other.verdict == case.verdict
                && other.path != case.path
                && other.path.leads_to(&case.path)
                && other.path.leads_to(place)
        };
        let speaks_of_it = diagnostic.message.split('`').any(|word| word == key);
        place.leads_to(&case.path) && (speaks_of_it || self.cases.iter().any(of_section))
    }

    /// Every section of the settings, but those whose keys are the user's.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections: BTreeMap<KeyPath, Section> = BTreeMap::new();
        let root = Section {
            path: KeyPath::default(),
            keys: BTreeSet::new(),
            is_carried: true,
            tree: self.cases.first().map_or_else(Tree::empty, Case::tree),
        };
        sections.insert(KeyPath::default(), root);
        for case in &self.cases {
            let mut below = case.path.clone();
            while let Some((parent, key)) = below.split_last() {
                let section = sections.entry(parent.clone()).or_insert_with(|| Section {
                    path: parent.clone(),
                    keys: BTreeSet::new(),
                    is_carried: false,
                    tree: case.tree(),
                });
                section.keys.insert(key.to_owned());
                if case.verdict.is_carried() && !section.is_carried {
                    (section.is_carried, section.tree) = (true, case.tree());
                }
                below = parent;
            }
        }
        let is_list = |section: &Section| section.keys.contains("0");
        let is_open = |section: &Section| self.open.contains(&section.path);
        let sections = sections.into_values();
        sections.filter(|section| !is_list(section) && !is_open(section)).collect()
    }
}

/// Reads a file and those that it includes.
struct Reader {
    folder: PathBuf,
    open: Vec<KeyPath>,
}

impl Reader {
    /// The cases of a file by their paths.
    fn file(&mut self, path: &Path) -> BTreeMap<KeyPath, Case> {
        let text = std::fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let (mut base, mut own) = (Vec::new(), Vec::<Case>::new());
        let mut cases = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = || panic!("{path:?}:{}: {line}", number + 1);
            let Some((word, rest)) = line.trim().split_once(' ').filter(|(word, _)| *word != "#")
            else {
                if !line.is_empty() && !line.starts_with('#') {
                    wrong();
                }
                continue;
            };
            let (key, value) = rest.trim().split_once(' ').unwrap_or((rest, ""));
            let (key, value) = (KeyPath::new(key), value.trim().to_owned());
            match (Verdict::of(word), word) {
                (Some(verdict), _) if !value.is_empty() => {
                    own.push(Case { verdict, path: key, value, context: Vec::new() });
                }
                (None, "with") => match own.last_mut() {
                    Some(case) => case.context.push((key, value)),
                    None => wrong(),
                },
                (None, "base") => base.push((key, value)),
                (None, "open") => self.open.push(key),
                (None, "include") => cases.extend(self.include(rest)),
                _ => wrong(),
            }
        }
        let mut seen = BTreeSet::new();
        for case in own {
            assert!(seen.insert(case.path.clone()), "{path:?}: {} comes twice", case.path);
            cases.insert(case.path.clone(), case);
        }
        for case in cases.values_mut() {
            case.context.splice(0..0, base.iter().cloned());
        }
        cases
    }

    fn include(&mut self, line: &str) -> BTreeMap<KeyPath, Case> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let behind = |word| {
            let at = words.iter().position(|other| *other == word)?;
            words.get(at + 1).copied()
        };
        let place = KeyPath::new(behind("at").unwrap_or_default());
        let verdict = behind("as").map(|word| Verdict::of(word).expect("a verdict"));
        let file = self.folder.join("shared").join(format!("{}.keys", words[0]));
        let cases = self.file(&file).into_values().map(|case| {
            let case = case.below(&place);
            Case { verdict: verdict.unwrap_or(case.verdict), ..case }
        });
        cases.map(|case| (case.path.clone(), case)).collect()
    }
}
