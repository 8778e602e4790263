use super::*;

fn parse_words(words: &str) -> Result<Invocation, Error> {
    let words = std::iter::once("hikyaku").chain(words.split_whitespace());
    parse(words.map(OsString::from))
}

#[test]
fn flags_may_stand_before_and_behind_a_command_and_repeat() {
    let run = parse_words("--config a --config=b --set x.y=1").unwrap();
    assert!(matches!(run.command, Command::Run));
    assert_eq!(run.sources.locations, ["a", "b"]);
    assert_eq!(run.sources.sets, ["x.y=1"]);
    for words in ["validate --config a", "--config a validate"] {
        let validate = parse_words(words).unwrap();
        assert!(matches!(validate.command, Command::Validate), "{words}");
        assert_eq!(validate.sources.locations, ["a"], "{words}");
    }
}

#[test]
fn print_config_has_upstreams_name_flags_and_defaults() {
    let how = |words: &str| match parse_words(words).unwrap().command {
        Command::PrintConfig(how) => how,
        other => panic!("{words}: {other:?}"),
    };
    let default = PrintConfig { json: false, unredacted: false, validate: true };
    assert_eq!(how("print-config"), default);
    assert_eq!(how("print-initial-config --validate"), default);
    let other = PrintConfig { json: true, unredacted: true, validate: false };
    assert_eq!(how("print-config --format json --mode=unredacted --validate=false"), other);
}

#[test]
fn wrong_command_lines_end_with_2_and_help_with_0() {
    for words in [
        "--confg a",
        "valdate",
        "--config",
        "print-config --format xml",
        "healthcheck --timeout soon",
        "healthcheck --endpoint https://h:1/",
        "healthcheck --endpoint h",
        "healthcheck --endpoint http:///x",
    ] {
        assert_eq!(parse_words(words).unwrap_err().exit_code(), 2, "{words}");
    }
    for words in ["--help", "--version", "validate --help"] {
        assert_eq!(parse_words(words).unwrap_err().exit_code(), 0, "{words}");
    }
}

#[test]
fn config_where_a_command_should_stand_is_told_its_flag() {
    for word in ["config.yaml", "./config", "yaml:{}", "s3://b/k"] {
        let error = parse_words(word).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{word}");
        let said = error.to_string();
        assert!(said.contains(&format!("write --config {word}")), "{said}");
    }
    assert!(!parse_words("valdate").unwrap_err().to_string().contains("--config valdate"));
}

#[test]
fn help_names_every_scheme_that_a_config_may_have() {
    let help = parse_words("--help").unwrap_err().to_string();
    for scheme in load::providers().schemes() {
        assert!(help.contains(&format!("{scheme}:")), "{scheme} is missing in:\n{help}");
    }
}

#[test]
fn gates_may_be_turned_off_with_a_hyphen() {
    let run = parse_words("--feature-gates -pdata.useProtoPooling,+service.partialReload").unwrap();
    assert_eq!(run.gates.len(), 2);
}

#[test]
fn health_check_takes_an_endpoint_and_a_timeout() {
    for (text, address, path) in [
        ("h:1", "h:1", "/"),
        ("h:1/live", "h:1", "/live"),
        ("http://[::1]:1/a?b=c", "[::1]:1", "/a?b=c"),
        ("http://[::1]", "[::1]:80", "/"),
        (":1", ":1", "/"),
    ] {
        let words = format!("healthcheck --endpoint {text} --timeout 250ms");
        let Command::HealthCheck(how) = parse_words(&words).unwrap().command else {
            panic!("no health check");
        };
        let endpoint = Endpoint { address: address.to_owned(), path: path.to_owned() };
        let timeout = Duration::from_millis(250);
        assert_eq!(how, HealthCheck { endpoint: Some(endpoint), timeout });
    }
}

#[test]
fn definition_of_the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
#[cfg(all(feature = "exporter-debug", feature = "receiver-otlp"))]
fn embedded_default_is_sound_and_takes_settings_on_top() {
    let runtime = service::runtime::build().unwrap();
    let load = |words| {
        let sources = parse_words(words).unwrap().sources;
        runtime.block_on(load::load(&sources))
    };
    let loaded = load("").unwrap();
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
    let wrong = load("--set exporters.debug.verbosity=nothing").err().unwrap();
    let summary = load::summary(&wrong);
    assert!(summary.contains("exporters.debug.verbosity"), "{summary}");
}
