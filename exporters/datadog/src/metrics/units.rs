//! Units: from UCUM, which OTLP uses, to Datadog's words.
//!
//! The rules and the words are those of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/attributes/units.go` 0.85.

/// Datadog's word for a unit; empty when it has none.
pub(crate) fn unit(ucum: &str) -> String {
    // Of ratios Datadog knows simple ones.
    let mut parts = ucum.split('/');
    let (Some(first), second, None) = (parts.next(), parts.next(), parts.next()) else {
        return String::new();
    };
    let mapped = match second {
        None => component(first),
        Some(per) => component(first).zip(component(per)).map(|(of, per)| format!("{of}/{per}")),
    };
    mapped.unwrap_or_default()
}

/// One side of a ratio: `{request}`, or a unit with a prefix.
fn component(ucum: &str) -> Option<String> {
    if let Some(annotation) = ucum.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return match annotation {
            "datapoint" => Some("item".to_owned()),
            word => WORDS.binary_search(&word).is_ok().then(|| word.to_owned()),
        };
    }
    if let Some((word, _)) = base(ucum) {
        return Some(word.to_owned());
    }
    // The longer prefixes first: `Mi` is not `M`.
    PREFIXES.iter().find_map(|(symbol, prefix)| {
        let (word, prefixes) = base(ucum.strip_prefix(symbol)?)?;
        prefixes.contains(symbol).then(|| format!("{prefix}{word}"))
    })
}

/// A unit's word, and the prefixes with which Datadog knows it.
fn base(symbol: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match symbol {
        "By" => ("byte", &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "k", "M", "G", "T", "P", "E"]),
        "bit" => ("bit", &["k", "M", "G", "T", "P", "E"]),
        "s" => ("second", &["m", "u", "n"]),
        "h" => ("hour", &[]),
        "Hz" => ("hertz", &["k", "M", "G"]),
        "W" => ("watt", &["d", "m", "u", "n", "k", "M", "G", "T"]),
        "V" => ("volt", &["m"]),
        "J" => ("joule", &["n", "m", "k", "M"]),
        "A" => ("ampere", &["m"]),
        "Cel" => ("degree celsius", &["d"]),
        "%" => ("percent", &[]),
        _ => return None,
    })
}

const PREFIXES: [(&str, &str); 16] = [
    ("Ki", "kibi"),
    ("Mi", "mebi"),
    ("Gi", "gibi"),
    ("Ti", "tebi"),
    ("Pi", "pebi"),
    ("Ei", "exbi"),
    ("d", "deci"),
    ("m", "milli"),
    ("u", "micro"),
    ("n", "nano"),
    ("k", "kilo"),
    ("M", "mega"),
    ("G", "giga"),
    ("T", "tera"),
    ("P", "peta"),
    ("E", "exa"),
];

/// Annotations that are units of Datadog's, in order.
#[rustfmt::skip]
const WORDS: [&str; 116] = [
    "alert", "apdex", "assertion", "attempt", "block", "buffer", "build", "cent", "check", "collection", "column",
    "command", "commit", "connection", "container", "core", "cpu", "cursor", "datagram", "day", "decibel-milliwatt",
    "device", "document", "dollar", "email", "entity", "entry", "error", "euro", "event", "eviction", "exception",
    "execution", "fault", "fetch", "file", "flush", "fraction", "frame", "get", "heap", "hit", "hop", "host", "index",
    "inode", "instance", "invocation", "item", "job", "key", "location", "lock", "merge", "message", "method", "minute",
    "miss", "monitor", "node", "object", "occurrence", "offset", "operation", "packet", "page", "payload", "penny",
    "permille", "pound", "prediction", "process", "query", "question", "read", "record", "refresh", "request",
    "resource", "response", "route", "row", "run", "sample", "scan", "sector", "segment", "service", "session", "set",
    "shard", "span", "split", "stage", "step", "success", "table", "task", "thread", "throttle", "ticket", "time",
    "timeout", "token", "transaction", "unit", "update", "user", "vector", "view", "volume", "wait", "watt-hour",
    "week", "worker", "write",
];

#[cfg(test)]
mod tests {
    use super::{WORDS, unit};

    #[test]
    fn units_that_datadog_knows_are_put_into_its_words() {
        for (ucum, expected) in [
            ("s", "second"),
            ("ms", "millisecond"),
            ("us", "microsecond"),
            ("By", "byte"),
            ("KiBy", "kibibyte"),
            ("MBy", "megabyte"),
            ("MiBy", "mebibyte"),
            ("Cel", "degree celsius"),
            ("%", "percent"),
            ("{request}", "request"),
            ("{datapoint}", "item"),
            ("By/s", "byte/second"),
            ("{request}/s", "request/second"),
        ] {
            assert_eq!(unit(ucum), expected, "{ucum}");
        }
    }

    #[test]
    fn other_units_are_left_out() {
        for ucum in
            ["", "1", "mBy", "min", "{fault", "{zebra}", "By/s/s", "By/", "/s", "1/s", "k", "KiB"]
        {
            assert_eq!(unit(ucum), "", "{ucum}");
        }
    }

    #[test]
    fn words_are_in_order() {
        assert!(WORDS.is_sorted());
    }
}
