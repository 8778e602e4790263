//! What people copy from pages.

use tests::agent::Setup;

use super::{assert_none, text_files};

/// What an example of an extension leaves out.
const PIPELINE: &str = "yaml:{receivers: {nop: }, exporters: {nop: }, service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}}";

#[test]
fn every_config_on_a_page_is_a_good_one() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for file in text_files() {
        if !file.path.ends_with(".md") {
            continue;
        }
        for (line, yaml) in blocks(&file.text) {
            if !yaml.lines().any(|line| line.starts_with("service:")) {
                continue;
            }
            seen += 1;
            let setup = Setup::bare().file("c.yaml", &yaml);
            let setup = variables(&yaml)
                .into_iter()
                .fold(setup, |setup, name| setup.variable(&name, "0123456789abcdef"));
            let setup = setup.arguments(["validate", "--config", "c.yaml"]);
            let is_whole = yaml.contains("pipelines:");
            let setup = if is_whole { setup } else { setup.arguments(["--config", PIPELINE]) };
            let ended = setup.run();
            if ended.code != Some(0) {
                complaints.push(format!("{}:{line}\n{}", file.path, ended.stderr));
            }
        }
    }
    assert_none("a config on a page that is refused", &complaints);
    assert!(seen >= 5, "there are more configs than {seen}");
}

/// The blocks of YAML on a page, each with its first line's number.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match &mut open {
            None if line == "```yaml" => open = Some((at + 2, String::new())),
            None => {}
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some((_, yaml)) => {
                yaml.push_str(line);
                yaml.push('\n');
            }
        }
    }
    blocks
}

/// The names in `${env:…}`.
fn variables(yaml: &str) -> Vec<String> {
    let behind = yaml.split("${env:").skip(1);
    behind.map(|rest| rest.split(['}', ':']).next().unwrap_or_default().to_owned()).collect()
}
