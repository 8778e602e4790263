//! Statements seen before.
//!
//! Most services send the same statements over and over. Finding one here takes an eighth of the time that cutting it into tokens does:
//! 32 ns instead of 260 for one of 140 bytes.

/// Statements kept.
const SLOTS: usize = 256;
/// Bytes of a statement and what it became, at most, if they are to be kept: 512 KiB for all of them.
const ENTRY_MAX: usize = 2048;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bounded number of statements with what they became.
#[derive(Default)]
pub(super) struct Cache {
    /// None until the first statement comes twice.
    slots: Vec<Slot>,
}

#[derive(Clone, Default)]
struct Slot {
    hash: u64,
    /// The statement that missed here last. Only one that misses twice in a row is kept, so that statements which come once
    /// neither cost an allocation nor push out those that come often.
    candidate: u64,
    /// The statement, then what it became.
    entry: Box<str>,
    statement_len: usize,
}

/// Where a statement has its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    hash: u64,
    slot: usize,
}

impl Cache {
    pub(super) fn place(statement: &str, literal_escapes: bool) -> Place {
        let hash = hash(statement.as_bytes(), u64::from(literal_escapes));
        let slot = (hash >> 32) as usize % SLOTS;
        Place { hash, slot }
    }

    /// Whether `statement` is in its place.
    #[inline]
    pub(super) fn contains(&mut self, place: Place, statement: &str) -> bool {
        let Some(slot) = self.slots.get_mut(place.slot) else { return false };
        let hit =
            slot.hash == place.hash && slot.entry.get(..slot.statement_len) == Some(statement);
        if hit {
            slot.candidate = 0;
        }
        hit
    }

    /// What the statement in `place` became.
    pub(super) fn get(&self, place: Place) -> &str {
        self.slots
            .get(place.slot)
            .and_then(|slot| slot.entry.get(slot.statement_len..))
            .unwrap_or_default()
    }

    /// Keeps what `statement` became if it has missed before.
    pub(super) fn put(&mut self, place: Place, statement: &str, became: &str) {
        if statement.len() + became.len() > ENTRY_MAX {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot::default());
        }
        let Some(slot) = self.slots.get_mut(place.slot) else { return };
        if slot.candidate == place.hash {
            let mut entry = String::with_capacity(statement.len() + became.len());
            entry.push_str(statement);
            entry.push_str(became);
            *slot = Slot {
                hash: place.hash,
                candidate: 0,
                entry: entry.into_boxed_str(),
                statement_len: statement.len(),
            };
        } else {
            slot.candidate = place.hash;
        }
    }
}

/// Two lanes of multiplications. Who makes statements collide only makes them miss.
#[inline]
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut lanes = (seed ^ MULTIPLIER, bytes.len() as u64);
    let (chunks, rest) = bytes.as_chunks::<16>();
    for chunk in chunks {
        lanes = mix(lanes, *chunk);
    }
    if !rest.is_empty() {
        let mut last = [0; 16];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        lanes = mix(lanes, last);
    }
    fold(lanes.0 ^ lanes.1.rotate_left(32), MULTIPLIER)
}

#[inline]
fn mix(lanes: (u64, u64), chunk: [u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(chunk);
    let (low, high) = (both as u64, (both >> 64) as u64);
    (fold(lanes.0 ^ low, MULTIPLIER), fold(lanes.1 ^ high, !MULTIPLIER))
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let low = product as u64;
    low ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests;
