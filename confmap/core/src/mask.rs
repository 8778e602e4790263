//! Hides secrets in text that was written by somebody who did not know that they are secrets.
//!
//! A component may repeat a value in its error, and a library a host name in its own; a value that came from a provider of
//! secrets is taken out of whatever is shown in the end.

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use crate::{Node, Value, opaque::REDACTED};

/// A shorter value is not looked for in text: it would be found in words that have nothing to do with it.
const MIN_BYTES: usize = 8;

/// Texts to be hidden, in the forms in which they are written: as they are, quoted, and as a part of a URL. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mask {
    /// Longer ones first, since one may be a part of another.
    forms: Arc<[Box<str>]>,
}

impl Mask {
    pub(crate) fn of<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            let whole = std::iter::once(secret.trim());
            for text in whole.chain(secret.lines().map(str::trim)) {
                add_forms(&mut forms, text);
            }
        }
        Self::sorted(forms)
    }

    /// What either hides.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self::sorted(self.forms.iter().chain(other.forms.iter()).cloned().collect())
    }

    /// The text with `[REDACTED]` in the place of what is hidden.
    #[must_use]
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for form in self.forms.iter() {
            if text.contains(&**form) {
                text = Cow::Owned(text.replace(&**form, REDACTED));
            }
        }
        text
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    fn sorted(forms: BTreeSet<Box<str>>) -> Self {
        let mut forms: Vec<Box<str>> = forms.into_iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self { forms: forms.into() }
    }
}

/// Without the texts.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

/// Every text in a tree.
pub(crate) fn texts<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    found.extend(node.text());
    match node.value() {
        Value::Seq(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Map(map) => map.iter().for_each(|entry| texts(&entry.node, found)),
        _ => {}
    }
}

/// What stands between the first quotes of a text and the last ones, hidden: parts of a value that nobody would find again.
pub(crate) fn without_quoted(text: &str) -> Cow<'_, str> {
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            let (before, behind) = (text.get(..first), text.get(last + 1..));
            let (before, behind) = (before.unwrap_or_default(), behind.unwrap_or_default());
            Cow::Owned(format!("{before}{REDACTED}{behind}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// Whether a text repeats a word of a secret, such as the host of a URL.
pub(crate) fn repeats(text: &str, secret: &str) -> bool {
    const MIN_CHARS: usize = 4;
    let text = text.to_lowercase();
    let words = secret.split(|c: char| !c.is_alphanumeric());
    let mut words = words.filter(|word| word.chars().count() >= MIN_CHARS);
    words.any(|word| text.contains(&word.to_lowercase()))
}

fn add_forms(forms: &mut BTreeSet<Box<str>>, text: &str) {
    if text.len() < MIN_BYTES {
        return;
    }
    // Quoted in an error, and quoted again in a line of a log.
    let once = quoted(text);
    forms.insert(quoted(&once).into());
    forms.insert(once.into());
    forms.insert(percent(text, false).into());
    forms.insert(percent(text, true).into());
    forms.insert(text.into());
}

fn quoted(text: &str) -> String {
    let quoted = format!("{text:?}");
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// As a part of a URL; `form` is as HTML forms have it.
fn percent(text: &str, form: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' if form => out.push('+'),
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let mask = Mask::of(["pa\"ss wörd", "short"].into_iter());
        for text in [
            "x pa\"ss wörd y",
            "x pa\\\"ss wörd y",
            "x pa\\\\\\\"ss wörd y",
            "x pa%22ss%20w%C3%B6rd y",
            "x pa%22ss+w%C3%B6rd y",
        ] {
            assert_eq!(mask.apply(text), "x [REDACTED] y");
        }
        assert_eq!(mask.apply("a shorter one"), "a shorter one");
        assert!(!format!("{mask:?}").contains("ss"));
        let both = mask.with(&Mask::of(std::iter::once("first line of it\nthe second line")));
        assert_eq!(both.apply("the second line, pa\"ss wörd"), "[REDACTED], [REDACTED]");
    }

    #[test]
    fn a_word_of_a_secret_is_a_repetition() {
        let secret = "https://app.Example.com/x";
        assert!(repeats("write example.COM; sites are …", secret));
        assert!(!repeats("write a number", secret));
        assert_eq!(without_quoted("\"a\" or \"b\\\"\" is none"), "[REDACTED] is none");
        assert_eq!(without_quoted("is none"), "is none");
    }
}
