use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Template;
use crate::ids;
use crate::sink::decode::otlp_span_ids;

fn copies(count: u64) -> Vec<u8> {
    let templates: Vec<Template> = (0..64).map(|seed| Template::new(100, seed)).collect();
    let mut out = Vec::new();
    for (copy, template) in (0..count).zip(templates.iter().cycle()) {
        template.append_to(&mut out, 1, copy * 100);
    }
    out
}

#[test]
fn a_copy_bears_the_ids_it_was_asked_for_and_parents_among_them() {
    let template = Template::new(100, 3);
    let mut copy = Vec::new();
    template.append_to(&mut copy, 9, 5000);
    let mut numbers = Vec::new();
    assert!(otlp_span_ids(&copy, &mut |id| numbers.push(ids::number(9, id))));
    assert_eq!(numbers, (5000..5100).map(Some).collect::<Vec<_>>());
    assert_eq!(template.parents.len(), 100 - 100_usize.div_ceil(8));
}

/// The yardstick's requests have 36 kB, and deflate to about 50 bytes a span at level 6; figures taken with other
/// requests could not be compared with its own.
#[test]
fn requests_weigh_and_compress_as_the_yardstick_s_do() {
    let plain = copies(80);
    let a_span = plain.len() as f64 / 8000.0;
    assert!((350.0..372.0).contains(&a_span), "{a_span} bytes a span");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&plain).expect("writing to memory cannot fail");
    let packed = encoder.finish().expect("writing to memory cannot fail").len() as f64 / 8000.0;
    assert!((44.0..58.0).contains(&packed), "{packed} bytes a span after gzip");
}
