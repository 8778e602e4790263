use proptest::prelude::*;

use super::*;
use crate::fixtures;
use crate::records::service_name;

const PLAIN: Style = Style { color: false, width: None };

/// The spans of a payload by trace, in the order of first sight.
fn pictures(payload: &pdata::Payload) -> Vec<Picture> {
    let mut pictures: Vec<Picture> = Vec::new();
    for resource in payload.resource_spans() {
        let service: Arc<str> = service_name(&resource.resource).into();
        for span in resource.scope_spans.iter().flat_map(|scope| scope.spans) {
            let trace = Key::new(span.trace_id);
            let row = Row::new(&span, service.clone());
            match pictures.iter_mut().find(|picture| picture.trace == trace) {
                Some(picture) => picture.rows.push(row),
                None => pictures.push(Picture { trace, rows: vec![row], earlier: None }),
            }
        }
    }
    pictures
}

fn span() -> Row {
    pictures(&fixtures::input(&fixtures::cases("tree")[0])).remove(0).rows.remove(0)
}

#[test]
fn every_trace_is_drawn_as_on_file() {
    for case in fixtures::cases("tree") {
        let pictures = pictures(&fixtures::input(&case));
        let draw =
            |style| pictures.iter().map(|picture| render(picture, style)).collect::<String>();
        fixtures::check(&case, "plain.txt", draw(PLAIN).as_bytes());
        fixtures::check(
            &case,
            "80_columns.txt",
            draw(Style { color: false, width: Some(80) }).as_bytes(),
        );
        fixtures::check(
            &case,
            "color.txt",
            draw(Style { color: true, width: Some(120) }).as_bytes(),
        );
    }
}

#[test]
fn late_spans_name_the_trace_and_the_spans_they_belong_to() {
    let picture = pictures(&fixtures::input(&fixtures::cases("tree")[0])).remove(0);
    let (mut rows, mut earlier) = (picture.rows, Earlier::default());
    rows.retain(|row| matches!(&*row.name, "SELECT carts" | "reserve stock"));
    earlier.name = "POST /checkout".into();
    earlier.parents = [(rows[0].parent.unwrap(), "GET /cart/{id}".into())].into();
    let picture = Picture { trace: picture.trace, rows, earlier: Some(earlier) };
    let text = render(&picture, Style { color: false, width: Some(120) });
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "",
            "trace 5b8efff798038103d269b633813fc60c  2 late spans of POST /checkout  cart, shipping  12:00:01.262Z",
            "(under GET /cart/{id}, shown before)",
            "22.1 ms  ╸                         └─ SELECT carts  [cart] client · postgresql · SELECT id, sku, quantity FROM carts …",
            "(missing parent 000000000000000b)",
            "600 ms          ━━━━━━━━━━━━━━━━  └─ reserve stock  [shipping] warehouse=fra-1",
        ]
    );
}

proptest! {
    #[test]
    fn bar_is_as_wide_as_its_room_and_never_empty(
        start in 0u64..1_000, length in 0u64..1_000, from in 0u64..1_000, duration in 0u64..1_000
    ) {
        let (start, scale) = (start + 1, Scale { start: start + 1, length });
        let from = from.min(length);
        let duration = duration.min(length - from);
        let row = Row { start: start + from, end: start + from + duration, ..span() };
        let (before, bar, after) = scale.bar(&row, WIDE.1).unwrap();
        prop_assert_eq!(before + bar.chars().count() + after, WIDE.1);
        prop_assert!(!bar.is_empty());
    }
}

#[test]
fn the_front_page_shows_what_is_drawn() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let case =
        fixtures::cases("tree").into_iter().find(|case| case.ends_with("front_page")).unwrap();
    let drawn = std::fs::read_to_string(case.join("plain.txt")).unwrap();
    assert!(page.contains(drawn.trim_start()), "README.md shows something else than\n{drawn}");
}
