use super::*;

fn known() -> BTreeMap<Binary, BTreeSet<String>> {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let agent = ["receiver-otlp", "receiver-zipkin", "processor-memory-limiter", "confmap-http"];
    BTreeMap::from([
        (Binary::Agent, set(&agent)),
        (Binary::Lambda, set(&["receiver-otlp", "receiver-telemetryapi"])),
    ])
}

fn parse(text: &str) -> Result<Distribution, String> {
    let text = format!("description = \"x\"\n{text}");
    Distribution::parse("mine", Path::new("dist/mine"), &text, &known())
        .map_err(|failure| failure.to_string())
}

#[test]
fn components_become_features_of_the_binaries_that_have_them() {
    let both = parse(
        "receivers = ['otlp', 'telemetryapi']\nprocessors = ['memory_limiter']\nproviders = ['http']",
    )
    .unwrap();
    assert_eq!(
        both.features(Binary::Agent).as_deref(),
        Some("confmap-http,processor-memory-limiter,receiver-otlp,mimalloc")
    );
    assert_eq!(
        both.features(Binary::Lambda).as_deref(),
        Some("receiver-otlp,receiver-telemetryapi")
    );
    assert_eq!(both.notes.len(), 3, "{:?}", both.notes);
    let agent = parse("builds = ['agent']\nreceivers = ['otlp']").unwrap();
    assert_eq!(agent.features(Binary::Lambda), None);
    assert!(agent.notes.is_empty());
}

#[test]
fn all_is_what_each_binary_has_of_the_kind() {
    let all = parse("receivers = 'all'").unwrap();
    assert_eq!(
        all.features(Binary::Agent).as_deref(),
        Some("receiver-otlp,receiver-zipkin,mimalloc")
    );
    assert_eq!(
        all.features(Binary::Lambda).as_deref(),
        Some("receiver-otlp,receiver-telemetryapi")
    );
}

#[test]
fn the_agent_is_fast_unless_it_is_to_be_small_and_the_extension_is_small() {
    let fast = parse("receivers = ['otlp']").unwrap();
    assert_eq!(Binary::ALL.map(|binary| fast.profile(binary)), ["release", "lambda"]);
    let small = parse("optimize = 'size'\nreceivers = ['otlp']").unwrap();
    assert_eq!(Binary::ALL.map(|binary| small.profile(binary)), ["lambda", "lambda"]);
}

#[test]
fn what_there_is_not_is_named_with_what_there_is() {
    for (text, expected) in [
        ("receivers = ['otpl']", "did you mean otlp?"),
        ("receivers = ['kafka']", "there are otlp, telemetryapi, zipkin"),
        ("builds = ['agent']\nreceivers = ['telemetryapi']", "there is no telemetryapi"),
        ("reciever = ['otlp']", "reciever is not a kind"),
        ("builds = []", "builds is empty"),
        ("builds = ['layers']", "layers"),
        ("optimize = 'both'", "both"),
        ("receivers = 'some'", "receivers takes a list"),
        ("receivers = [1]", "receivers takes a list"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn every_distribution_of_the_project_can_be_read() {
    let names = names().unwrap();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        Distribution::read(&name).unwrap();
    }
    let error = Distribution::read("nothing").unwrap_err().to_string();
    assert!(error.contains("zipkin-debug"), "{error}");
}

#[test]
fn a_name_that_images_cannot_have_is_refused() {
    for name in
        ["Mine", "../X", "..", "../..", "/", "", ".", "a..b", "a--b", "-a", "a_", "a b", "ä", "a:1"]
    {
        let error = Distribution::read(name).unwrap_err().to_string();
        assert!(error.contains("cannot be a distribution's name"), "{name}: {error}");
    }
    for name in ["mine", "zipkin-debug", "a.b_c-1"] {
        assert!(is_name(name), "{name}");
    }
}

#[test]
fn the_distribution_agent_has_everything() {
    let agent = Distribution::read("agent").unwrap();
    let mut features = package_features(Binary::Agent).unwrap();
    features.retain(|feature| KINDS.iter().any(|(_, prefix)| is_of(feature, prefix)));
    assert_eq!(agent.binaries.get(&Binary::Agent), Some(&features));
}
