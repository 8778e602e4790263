use super::*;
use crate::binary::Binary;
use crate::config::Default;
use crate::selection::Distribution;

fn run(health: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    let list = "description = 'a test'\nreceivers = ['otlp']\nextensions = ['health_check']\n";
    std::fs::write(mine.join("components.toml"), list).unwrap();
    let yaml = format!("extensions: {{ health_check: }}\nservice: {{ extensions: [{health}] }}\n");
    std::fs::write(mine.join("image.yaml"), yaml).unwrap();
    let distribution = Distribution::read(mine.to_str().unwrap()).unwrap();
    let default = Default::of(&distribution, Binary::Agent).unwrap();
    image_run(default.own(), &BTreeMap::new())
}

#[test]
fn a_config_without_the_page_makes_an_image_without_the_check() {
    let (with, without) = (run("health_check"), run(""));
    assert_eq!(with["Healthcheck"]["Test"][1], "/hikyaku");
    assert!(with["ExposedPorts"].get("13133/tcp").is_some());
    assert!(without.get("Healthcheck").is_none(), "{without}");
    assert!(without["ExposedPorts"].get("13133/tcp").is_none());
    assert_eq!(without["Cmd"], json!(["--config", "/etc/hikyaku/config.yaml"]));
}
