//! A closed set of keys, and a fast way to tell them from others.

/// Finds a key by its text in a few nanoseconds. Made by the compiler, for [`known_keys!`](crate::known_keys).
#[derive(Debug)]
pub struct KeyTable<const N: usize> {
    texts: [&'static str; N],
    /// Index + 1 of the key in each slot; no two keys share one.
    slots: [u8; SLOTS],
    multiplier: u64,
}

const SLOTS: usize = 1024;

impl<const N: usize> KeyTable<N> {
    /// The table of these keys: at most 255, no two of them equal.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
    pub const fn new(texts: [&'static str; N]) -> Self {
        assert!(N < 256, "an index has to fit into a byte");
        let mut hashes = [0; N];
        let mut i = 0;
        while i < N {
            hashes[i] = hash(texts[i].as_bytes());
            i += 1;
        }
        let multiplier = find_multiplier(&hashes);
        let mut slots = [0; SLOTS];
        let mut i = 0;
        while i < N {
            slots[slot(hashes[i], multiplier)] = i as u8 + 1;
            i += 1;
        }
        Self { texts, slots, multiplier }
    }

    /// The index of the key with this text.
    #[inline]
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        let index = self.slots.get(slot(hash(text), self.multiplier))?;
        let index = usize::from(*index).checked_sub(1)?;
        (self.texts.get(index)?.as_bytes() == text).then_some(index)
    }
}

#[inline]
const fn slot(hash: u64, multiplier: u64) -> usize {
    (hash.wrapping_mul(multiplier) >> 54) as usize
}

/// A key's length and ends, in which keys differ.
#[inline]
const fn hash(text: &[u8]) -> u64 {
    let ends = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23)
        }
        _ => {
            let mut word = 0;
            let mut rest = text;
            while let [byte, after @ ..] = rest {
                word = word << 8 | *byte as u64;
                rest = after;
            }
            word
        }
    };
    ends ^ (text.len() as u64) << 56
}

/// A multiplier that gives each key a slot of its own.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
const fn find_multiplier(hashes: &[u64]) -> u64 {
    let mut multiplier = 0x9e37_79b9_7f4a_7c15_u64;
    loop {
        let mut taken = [0u64; SLOTS / 64];
        let mut i = 0;
        while i < hashes.len() {
            let slot = slot(hashes[i], multiplier);
            if taken[slot / 64] >> (slot % 64) & 1 == 1 {
                break;
            }
            taken[slot / 64] |= 1 << (slot % 64);
            i += 1;
        }
        if i == hashes.len() {
            return multiplier;
        }
        multiplier = multiplier.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(2);
    }
}

/// Declares an enumeration of attribute keys: `ALL`, `COUNT`, `of` a text, and the `text` of each.
#[macro_export]
macro_rules! known_keys {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        $vis enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// Every key, in the order of the variants.
            $vis const ALL: &[$name] = &[$($name::$variant,)+];
            /// How many there are.
            $vis const COUNT: usize = $name::ALL.len();

            /// The key of this text, if it has a meaning.
            #[inline]
            $vis fn of(text: &[u8]) -> Option<$name> {
                static TABLE: $crate::KeyTable<{ $name::COUNT }> = $crate::KeyTable::new([$($text,)+]);
                $name::ALL.get(TABLE.find(text)?).copied()
            }

            /// Its text.
            #[inline]
            $vis const fn text(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    known_keys! {
        /// Keys of all lengths around a word's.
        enum Key {
            Empty = "",
            One = "a",
            Seven = "abcdefg",
            Eight = "abcdefgh",
            Nine = "abcdefghi",
            Long = "http.request.method",
        }
    }

    #[test]
    fn every_key_is_found_by_its_text_and_no_other_text() {
        assert_eq!(Key::COUNT, 6);
        for &key in Key::ALL {
            assert_eq!(Key::of(key.text().as_bytes()), Some(key));
            for other in [format!("{}x", key.text()), format!("x{}", key.text())] {
                assert_eq!(Key::of(other.as_bytes()), None, "{other}");
            }
        }
    }
}
