//! gRPC status codes as instrumentations write them.

/// The status code that a text stands for: a number, or a name in any case, with or without underscores where upstream knows it so, and
/// with or without `StatusCode.` in front. The rule is that of DataDog/datadog-agent `pkg/trace/stats/aggregation.go`.
pub fn grpc_status_code(text: &str) -> Option<u32> {
    const NAMES: [(&str, u32); 27] = [
        ("OK", 0),
        ("CANCELLED", 1),
        ("CANCELED", 1),
        ("UNKNOWN", 2),
        ("INVALID_ARGUMENT", 3),
        ("INVALIDARGUMENT", 3),
        ("DEADLINE_EXCEEDED", 4),
        ("DEADLINEEXCEEDED", 4),
        ("NOT_FOUND", 5),
        ("NOTFOUND", 5),
        ("ALREADY_EXISTS", 6),
        ("ALREADYEXISTS", 6),
        ("PERMISSION_DENIED", 7),
        ("PERMISSIONDENIED", 7),
        ("RESOURCE_EXHAUSTED", 8),
        ("RESOURCEEXHAUSTED", 8),
        ("FAILED_PRECONDITION", 9),
        ("FAILEDPRECONDITION", 9),
        ("ABORTED", 10),
        ("OUT_OF_RANGE", 11),
        ("OUTOFRANGE", 11),
        ("UNIMPLEMENTED", 12),
        ("INTERNAL", 13),
        ("UNAVAILABLE", 14),
        ("DATA_LOSS", 15),
        ("DATALOSS", 15),
        ("UNAUTHENTICATED", 16),
    ];
    // `parse` takes a sign, which is no code.
    if text.bytes().all(|c| c.is_ascii_digit()) {
        return text.parse().ok();
    }
    let name = text.strip_prefix("StatusCode.").unwrap_or(text);
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_in_their_usual_spellings_are_codes() {
        let cases = [
            ("0", Some(0)),
            ("14", Some(14)),
            ("4294967295", Some(u32::MAX)),
            ("OK", Some(0)),
            ("Canceled", Some(1)),
            ("StatusCode.DeadlineExceeded", Some(4)),
            ("DEADLINE_EXCEEDED", Some(4)),
            ("unauthenticated", Some(16)),
            ("", None),
            ("+1", None),
            ("4294967296", None),
            ("1.5", None),
            ("no such code", None),
        ];
        for (text, code) in cases {
            assert_eq!(grpc_status_code(text), code, "{text}");
        }
    }
}
