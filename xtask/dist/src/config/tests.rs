use super::*;

const AGENT: &str = "description = 'a test'
builds = ['agent', 'lambda']
receivers = ['otlp']
processors = ['memory_limiter']
exporters = ['otlphttp']
extensions = ['health_check']
";

const FITS: &str = "extensions: { health_check: }
receivers: { otlp: }
processors: { memory_limiter/second: }
exporters: { otlphttp: { endpoint: '${env:BACKEND:-http://backend:4318}' } }
service: { extensions: [health_check] }
";

/// A distribution in a folder of its own.
fn distribution(list: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Distribution) {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    for (name, text) in [("components.toml", list)].iter().chain(files) {
        std::fs::write(mine.join(name), text).unwrap();
    }
    let distribution = Distribution::read(mine.to_str().unwrap()).unwrap();
    (folder, distribution)
}

fn config(text: &str) -> Config {
    Config {
        path: PathBuf::from("image.yaml"),
        root: yaml::parse(text).unwrap(),
        text: text.to_owned(),
    }
}

#[test]
fn a_file_of_the_distribution_is_run_when_the_distribution_has_all_it_needs() {
    let (_folder, distribution) = distribution(AGENT, &[("image.yaml", FITS)]);
    let default = Default::of(&distribution, Binary::Agent).unwrap();
    assert_eq!(default.own().unwrap().text, FITS);
}

#[test]
fn a_file_that_needs_more_than_the_distribution_has_is_refused() {
    let text = FITS
        .replace("otlphttp:", "otlp/backend:")
        .replace("receivers: { otlp", "receivers: { zipkin");
    for (binary, name) in [(Binary::Agent, "image.yaml"), (Binary::Lambda, "layer.yaml")] {
        let (_folder, distribution) = distribution(AGENT, &[(name, &text)]);
        let refused = Default::of(&distribution, binary).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("{name} needs the exporter otlp and the receiver zipkin")),
            "{refused}"
        );
        assert!(refused.contains("components.toml"), "{refused}");
    }
}

#[test]
fn without_a_file_there_is_an_artefact_only_if_the_built_in_config_is_of_use() {
    let why = |list: &str, binary| {
        let (_folder, distribution) = distribution(list, &[]);
        match Default::of(&distribution, binary).unwrap() {
            Default::None(why) => Some(why),
            Default::BuiltIn => None,
            Default::Own(config) => panic!("{config}"),
        }
    };
    for binary in Binary::ALL {
        let why = why(AGENT, binary).unwrap();
        assert!(why.contains("needs") && why.contains("the exporter debug"), "{why}");
        assert!(why.contains("; write ") && why.ends_with(binary.config()), "{why}");
    }
    let more = AGENT.replace("'otlphttp'", "'awsxray', 'debug'");
    assert_eq!(why(&more, Binary::Lambda), None);
    // It starts, where nobody but the container itself reaches it.
    assert!(why(&more, Binary::Agent).unwrap().contains("127.0.0.1"));
}

#[test]
fn every_distribution_of_ours_has_what_its_artefacts_run() {
    for name in ["agent", "lambda", "zipkin-debug"] {
        let distribution = Distribution::read(name).unwrap();
        for binary in distribution.binaries.keys() {
            assert!(Default::of(&distribution, *binary).unwrap().own().is_some(), "{name}");
        }
    }
}

#[test]
fn an_image_has_a_health_check_when_its_config_answers_it() {
    let with = |health: &str, service: &str| {
        config(&format!("extensions: {{ {health} }}\nservice: {{ {service} }}\n"))
            .has_health_check()
    };
    assert!(with("health_check: ", "extensions: [health_check]"));
    assert!(with(
        "health_check/a: { endpoint: '0.0.0.0:13133' }",
        "extensions: [sigv4auth, health_check/a]"
    ));
    assert!(!with("health_check: ", "extensions: []"));
    assert!(!with("health_check: ", "pipelines: "));
    assert!(!with("health_check: { endpoint: 'localhost:8080' }", "extensions: [health_check]"));
}

#[test]
fn what_the_binary_says_against_its_config_ends_the_task() {
    let config = config(FITS);
    let refused = config.validate(Path::new("/bin/false")).unwrap_err().to_string();
    assert!(refused.contains("would not start with image.yaml"), "{refused}");
    assert_eq!(config.validate(Path::new("/bin/true")).unwrap(), Validated::Yes);
}

#[test]
fn a_config_that_says_less_than_the_place_where_it_runs_is_not_judged_here() {
    let program = Path::new("/bin/false");
    for reference in [
        "${env:DD_API_KEY}",
        "${NAME}",
        "${ssm:/a}",
        "${env:A:-${env:B}}",
        "a ${env:A:-b} ${file:c}",
    ] {
        let config = config(&format!("# ${{in a comment}}\na: [{{ b: '{reference}' }}]\n"));
        let Validated::Not(why) = config.validate(program).unwrap() else { panic!("{reference}") };
        assert!(why.contains("is known only where it runs"), "{why}");
    }
    assert!(config("# ${env:X}\na: ${env:A:-b}\n").validate(program).is_err());
}
