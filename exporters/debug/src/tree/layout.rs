//! Which line comes after which: spans as a forest, whatever their parents say.
//!
//! Every span is placed exactly once. Spans whose parent is not there stand below a line that says so; spans whose parents lead back to
//! themselves stand below one of them.

use std::collections::HashMap;

use super::row::{Key, Row};

/// Levels that are drawn; deeper spans stand at the last one with their level as a number.
pub(crate) const LEVELS_MAX: usize = 16;

/// A line of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The span with this index.
    Span {
        row: usize,
        /// Zero for roots.
        level: usize,
        /// Whether it is the last child of its parent.
        last: bool,
        /// The levels, as bits, at which the line of an ancestor's later children passes by.
        passing: u32,
        /// Whether a child follows.
        has_children: bool,
    },
    /// The spans of level 1 that follow are children of a span that is not there.
    Missing(Key),
    /// The spans of level 1 that follow have parents that lead back to themselves.
    Cycle,
}

/// The lines of a trace, in order: roots, then children of missing spans, then cycles, each by time.
pub(crate) fn layout(rows: &[Row]) -> Vec<Item> {
    let family = Family::of(rows);
    let mut walk = Walk {
        family: &family,
        placed: vec![false; rows.len()],
        items: Vec::with_capacity(rows.len()),
    };
    for root in &family.roots {
        walk.place(&[*root], 0);
    }
    for (parent, children) in &family.orphans {
        walk.items.push(Item::Missing(*parent));
        walk.place(children, 1);
    }
    for row in &family.by_time {
        if !walk.is_placed(*row) {
            walk.items.push(Item::Cycle);
            walk.place(&[*row], 1);
        }
    }
    walk.items
}

/// Who belongs to whom. Every list is in the order of time.
struct Family {
    by_time: Vec<usize>,
    roots: Vec<usize>,
    orphans: Vec<(Key, Vec<usize>)>,
    children: Vec<Vec<usize>>,
}

impl Family {
    fn of(rows: &[Row]) -> Self {
        let mut by_time: Vec<usize> = (0..rows.len()).collect();
        by_time.sort_by_key(|row| rows.get(*row).map(|row| row.start));
        // Of several spans with one id the earliest is the parent.
        let mut by_id: HashMap<Key, usize> = HashMap::new();
        for &row in &by_time {
            if let Some(id) = rows.get(row).and_then(|row| row.id) {
                by_id.entry(id).or_insert(row);
            }
        }
        let (mut roots, mut orphans) = (Vec::new(), Vec::new());
        let mut orphans_by_parent: HashMap<Key, usize> = HashMap::new();
        let mut children = vec![Vec::new(); rows.len()];
        for &row in &by_time {
            let Some(parent) = rows.get(row).and_then(|row| row.parent) else {
                roots.push(row);
                continue;
            };
            if let Some(siblings) = by_id.get(&parent).and_then(|parent| children.get_mut(*parent))
            {
                siblings.push(row);
                continue;
            }
            let group = *orphans_by_parent.entry(parent).or_insert_with(|| {
                orphans.push((parent, Vec::new()));
                orphans.len() - 1
            });
            if let Some((_, siblings)) = orphans.get_mut(group) {
                siblings.push(row);
            }
        }
        Self { by_time, roots, orphans, children }
    }
}

struct Walk<'a> {
    family: &'a Family,
    placed: Vec<bool>,
    items: Vec<Item>,
}

impl Walk<'_> {
    /// Places these siblings with everything below them. Not recursive: a trace may be a chain of any length.
    fn place(&mut self, siblings: &[usize], level: usize) {
        let mut open = Vec::new();
        self.open(&mut open, siblings, level, 0);
        while let Some(Open { row, level, last, passing }) = open.pop() {
            let before = open.len();
            let children = self.family.children.get(row).map(Vec::as_slice).unwrap_or_default();
            let below = if last || level == 0 { passing } else { passing | level_bit(level) };
            self.open(&mut open, children, level + 1, below);
            let has_children = open.len() > before;
            self.items.push(Item::Span { row, level, last, passing, has_children });
        }
    }

    /// Puts siblings on the stack, the first on top, and leaves out those that have a place.
    fn open(&mut self, open: &mut Vec<Open>, siblings: &[usize], level: usize, passing: u32) {
        let mut last = true;
        for &row in siblings.iter().rev() {
            let Some(placed) = self.placed.get_mut(row) else { continue };
            if std::mem::replace(placed, true) {
                continue;
            }
            open.push(Open { row, level, last, passing });
            last = false;
        }
    }

    fn is_placed(&self, row: usize) -> bool {
        self.placed.get(row).copied().unwrap_or(true)
    }
}

/// A span that is to be placed.
struct Open {
    row: usize,
    level: usize,
    last: bool,
    passing: u32,
}

/// The bit of a level; none beyond those that are drawn.
pub(crate) fn level_bit(level: usize) -> u32 {
    if level < LEVELS_MAX { 1 << level } else { 0 }
}

#[cfg(test)]
mod tests;
