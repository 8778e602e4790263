use crate::fixtures;

#[test]
fn payload_is_printed_as_the_collector_prints_it() {
    // The texts on file were printed by the Collector's exporter 0.164 (`use_internal_logger: false`).
    for case in fixtures::cases("format") {
        let payload = fixtures::input(&case);
        let text = crate::print::with_summary(&payload, crate::config::Verbosity::Normal);
        fixtures::check(&case, "normal.txt", &text);
    }
}
