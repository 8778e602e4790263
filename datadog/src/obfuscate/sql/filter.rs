//! What becomes of a token: the Agent's four filters (`pkg/obfuscate/sql.go`), as a table.
//!
//! The filters are written out below as the Agent has them. What they do to a token depends on its kind and on very little of what was
//! before it, so that all answers fit into a table, which the compiler fills in.

use super::lexer::Kind;

/// What is written for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Nothing,
    /// The token's own text.
    Own,
    /// The same without a space before it.
    OwnTogether,
    /// The same, after a parenthesis that had been held back.
    OwnAfterOpen,
    /// A question mark.
    Hidden,
    /// Nothing more: the statement cannot be read.
    Fail,
}

/// All that the filters remember.
#[derive(Clone, Copy, Debug)]
pub(super) struct State(u8);

/// Takes the next token.
#[inline]
pub(super) fn filter(state: &mut State, kind: Kind) -> Text {
    let at = usize::from(state.0) * KINDS + kind as usize;
    let Some((text, next)) = TABLE.get(at % TABLE.len()) else { return Text::Fail };
    *state = *next;
    *text
}

impl State {
    pub(super) const START: State = Memory { last: Kind::Other, values: 0, lists: 0 }.pack();
}

/// A state, unpacked.
#[derive(Clone, Copy)]
struct Memory {
    /// What the filters made of the token before.
    last: Kind,
    /// Values in this list. More than one count as one.
    values: usize,
    /// Lists beside each other. More than two count as two.
    lists: usize,
}

const KINDS: usize = 32;
const STATES: usize = 64;

/// The kinds after which a filter does something that it does not do after others.
const REMEMBERED: [Kind; 8] = [
    Kind::Other,
    Kind::Open,
    Kind::TakenOpen,
    Kind::Equals,
    Kind::Colon,
    Kind::As,
    Kind::Alias,
    Kind::Savepoint,
];

#[expect(clippy::indexing_slicing, reason = "this runs in the compiler")]
const TABLE: [(Text, State); STATES * KINDS] = {
    let mut table = [(Text::Fail, State(0)); STATES * KINDS];
    let mut state = 0;
    while state < STATES {
        let mut kind = 0;
        while kind < Kind::ALL.len() {
            let (text, memory) = step(Memory::unpack(state), Kind::ALL[kind]);
            table[state * KINDS + Kind::ALL[kind] as usize] = (text, memory.pack());
            kind += 1;
        }
        state += 1;
    }
    table
};

#[expect(clippy::indexing_slicing, reason = "this runs in the compiler")]
impl Memory {
    const fn pack(self) -> State {
        let mut last = REMEMBERED.len();
        while last > 0 {
            last -= 1;
            if REMEMBERED[last] as usize == self.last as usize {
                break;
            }
        }
        let values = if self.values > 0 { 1 } else { 0 };
        let lists = if self.lists > 2 { 2 } else { self.lists };
        State((last << 3 | lists << 1 | values) as u8)
    }

    const fn unpack(state: usize) -> Self {
        Memory { last: REMEMBERED[state >> 3], values: state & 1, lists: state >> 1 & 3 }
    }
}

const fn step(memory: Memory, kind: Kind) -> (Text, Memory) {
    let Some((kind, text)) = discard(kind, memory.last) else { return (Text::Fail, memory) };
    let (kind, text) = replace(kind, text, memory.last);
    let (kind, text, memory) = group(kind, text, memory);
    let together = matches!((kind, memory.last), (Kind::Comma, _) | (Kind::Equals, Kind::Colon));
    let text = if together && matches!(text, Text::Own) { Text::OwnTogether } else { text };
    (text, Memory { last: kind, ..memory })
}

/// Takes out comments, semicolons and aliases. Nothing comes back when brackets hold anything but names.
const fn discard(kind: Kind, last: Kind) -> Option<(Kind, Text)> {
    Some(match (last, kind) {
        (Kind::Alias, Kind::Name) | (Kind::As, Kind::OpenBracket) => (Kind::Alias, Text::Nothing),
        (Kind::Alias, Kind::CloseBracket) | (Kind::As, _) => (Kind::Gone, Text::Nothing),
        (Kind::Alias, _) => return None,
        (_, Kind::Comment) => (Kind::Gone, Text::Nothing),
        (_, Kind::Semicolon) => (Kind::Taken, Text::Nothing),
        (_, Kind::As) => (Kind::As, Text::Nothing),
        (_, kind) => (kind, Text::Own),
    })
}

/// Puts question marks in the place of values.
const fn replace(kind: Kind, text: Text, last: Kind) -> (Kind, Text) {
    match (last, kind) {
        // Whatever stands here, even something that has just been taken out.
        (Kind::Savepoint, kind) => (taken(kind), Text::Hidden),
        (Kind::Equals, Kind::Quoted) | (_, Kind::Literal) => (Kind::Taken, Text::Hidden),
        _ => (kind, text),
    }
}

/// Makes one of values beside each other, and of lists of values.
const fn group(kind: Kind, text: Text, memory: Memory) -> (Kind, Text, Memory) {
    let Memory { last, mut values, mut lists } = memory;
    let is_taken = matches!(kind, Kind::Taken | Kind::TakenOpen);
    if matches!((last, kind), (Kind::Open, Kind::Taken | Kind::TakenOpen))
        || (matches!(kind, Kind::Open) && lists > 0)
    {
        lists += 1;
    }
    let begins_query = matches!(kind, Kind::Query | Kind::Name);
    if lists > 0 && matches!(last, Kind::TakenOpen) && begins_query {
        // Not a list, but a query of its own.
        return (kind, Text::OwnAfterOpen, Memory { last, values: 0, lists: 0 });
    }
    let dropped = if is_taken {
        values += 1;
        values > 1
    } else {
        (values > 0 && matches!(kind, Kind::Comma)) || lists > 1
    };
    if dropped {
        return (taken(kind), Text::Nothing, Memory { last, values, lists });
    }
    if !is_taken && !matches!(kind, Kind::Comma | Kind::Open | Kind::Close) {
        (values, lists) = (0, 0);
    }
    (kind, text, Memory { last, values, lists })
}

/// The kind of a token that is taken or replaced.
const fn taken(kind: Kind) -> Kind {
    if matches!(kind, Kind::Open) { Kind::TakenOpen } else { Kind::Taken }
}
