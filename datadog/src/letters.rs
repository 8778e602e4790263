//! Which characters Datadog's Agent takes for letters: Go's `unicode.IsLetter`, which is the general categories `L*`. The standard library knows only
//! the wider "alphabetic", which has vowel signs and letter-like numbers in it.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Whether `c` is a letter to the Agent.
pub(crate) fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.general_category_group() == GeneralCategoryGroup::Letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_fewer_than_what_is_alphabetic() {
        for c in "aZµªñÆßΩяǅאعकあ中한𝔸🄰ⅷा٤_²\u{301}".chars() {
            let not = "🄰ⅷा٤_²\u{301}".contains(c);
            assert_eq!(is_letter(c), !not, "{c:?}");
        }
    }
}
