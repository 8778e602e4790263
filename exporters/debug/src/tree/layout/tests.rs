use pdata::view::SpanKind;
use proptest::prelude::*;

use super::*;

fn row(id: u8, parent: u8, start: u64) -> Row {
    Row {
        id: Key::new(&[id]),
        parent: Key::new(&[parent]),
        start,
        end: start,
        name: "x".into(),
        service: "s".into(),
        kind: SpanKind::Internal,
        failed: false,
        facts: "".into(),
        errors: Vec::new(),
    }
}

/// The lines as text: indentation and index, `?` for a missing parent, `@` for a cycle.
fn drawn(rows: &[Row]) -> Vec<String> {
    let line = |item| match item {
        Item::Span { row, level, .. } => format!("{}{row}", " ".repeat(level)),
        Item::Missing(parent) => format!("? {:?}", parent.bytes()),
        Item::Cycle => "@".to_owned(),
    };
    layout(rows).into_iter().map(line).collect()
}

#[test]
fn children_stand_below_their_parent_in_the_order_of_time() {
    let rows = [row(3, 1, 30), row(1, 0, 10), row(2, 1, 20), row(4, 2, 25), row(5, 0, 5)];
    assert_eq!(drawn(&rows), ["4", "1", " 2", "  3", " 0"]);
}

#[test]
fn children_of_a_missing_span_stand_together() {
    let rows = [row(1, 9, 10), row(2, 8, 5), row(3, 9, 20)];
    assert_eq!(drawn(&rows), ["? [8]", " 1", "? [9]", " 0", " 2"]);
}

#[test]
fn span_that_is_there_twice_has_its_children_once() {
    let rows = [row(1, 0, 20), row(1, 0, 10), row(2, 1, 30)];
    assert_eq!(drawn(&rows), ["1", " 2", "0"]);
}

#[test]
fn parents_in_a_circle_are_cut_open_at_the_earliest() {
    let rows = [row(1, 3, 30), row(2, 1, 10), row(3, 2, 20), row(4, 4, 5)];
    assert_eq!(drawn(&rows), ["@", " 3", "@", " 1", "  2", "   0"]);
}

#[test]
fn guides_pass_by_where_an_ancestor_has_later_children() {
    let rows = [row(1, 0, 1), row(2, 1, 2), row(3, 2, 3), row(4, 1, 4)];
    let passing: Vec<u32> = layout(&rows)
        .into_iter()
        .map(|item| match item {
            Item::Span { passing, .. } => passing,
            _ => unreachable!("there is no other line"),
        })
        .collect();
    assert_eq!(passing, [0, 0, level_bit(1), 0]);
}

#[test]
fn chain_of_any_length_is_placed() {
    let rows: Vec<Row> = (0..100_000u64)
        .map(|i| Row {
            id: Key::new(&(i + 1).to_be_bytes()),
            parent: Key::new(&i.to_be_bytes()),
            ..row(0, 0, i)
        })
        .collect();
    assert_eq!(layout(&rows).len(), rows.len());
}

proptest! {
    #[test]
    fn any_set_of_spans_has_every_span_exactly_once(
        spans in proptest::collection::vec((0u8..12, 0u8..12, 0u64..5), 0..40)
    ) {
        let rows: Vec<Row> = spans.iter().map(|(id, parent, start)| row(*id, *parent, *start)).collect();
        let mut seen = vec![0; rows.len()];
        let mut last_level = 0;
        for item in layout(&rows) {
            match item {
                Item::Span { row, level, .. } => {
                    seen[row] += 1;
                    prop_assert!(level <= last_level + 1, "a level is left out");
                    last_level = level;
                }
                Item::Missing(parent) => {
                    prop_assert!(rows.iter().all(|row| row.id != Some(parent)));
                    last_level = 0;
                }
                Item::Cycle => last_level = 0,
            }
        }
        prop_assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    }
}
