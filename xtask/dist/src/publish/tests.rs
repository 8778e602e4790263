use super::*;

fn layer() -> Layer {
    Layer {
        name: "hikyaku".to_owned(),
        arch: Arch::Amd64,
        zip: PathBuf::from("target/dist/it's here.zip"),
        description: "hikyaku 1".to_owned(),
    }
}

fn printed(layers: &[Layer], regions: &[&str], audience: &Audience) -> Vec<String> {
    let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
    Publication { layers, regions: &regions, audience }.printed()
}

#[test]
fn calls_are_printed_for_each_region_as_a_shell_takes_them() {
    let lines = printed(&[layer()], &["eu-west-1", "us-east-1"], &Audience::Account);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[0],
        "aws lambda publish-layer-version --region eu-west-1 --layer-name hikyaku-amd64 \
         --description 'hikyaku 1' --license-info Apache-2.0 --compatible-architectures x86_64 \
         --zip-file 'fileb://target/dist/it'\\''s here.zip' --query LayerVersionArn --output text"
    );
    assert!(lines[1].contains("--region us-east-1"));
}

/// Runs lines in a shell whose `aws` notes its words, and returns the notes.
fn run(lines: &[String], answer: &str) -> String {
    let noted = r#"for word; do printf '<%s>' "$word" >&2; done; echo >&2"#;
    let script = format!("set -u\naws() {{ {noted}; {answer}; }}\n{}\n", lines.join("\n"));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_lines_let_others_use_the_version_that_aws_answers_with() {
    let dollar =
        Layer { name: "$HOME".to_owned(), description: "$HOME `x` \"y\"".to_owned(), ..layer() };
    let lines = printed(&[dollar], &["eu-west-1", "us-east-1"], &Audience::Everybody);
    assert_eq!(lines.len(), 4);
    let notes = run(&lines, "case $2 in publish*) echo 17;; esac");
    let notes: Vec<&str> = notes.lines().collect();
    let [publish, permit, _, other] = notes[..] else { panic!("{notes:?}") };
    assert!(publish.contains("<--description><$HOME `x` \"y\">"), "{publish}");
    assert!(
        publish.contains("<--query><Version>")
            && publish.contains("<fileb://target/dist/it's here.zip>")
    );
    assert!(permit.contains("<--layer-name><$HOME-amd64>"), "{permit}");
    assert!(permit.contains("<--principal><*>"), "{permit}");
    assert!(permit.ends_with("<--version-number><17>"), "{permit}");
    assert!(other.contains("<--region><us-east-1>"), "{other}");
}

#[test]
fn the_lines_let_nobody_in_where_there_is_no_version() {
    let lines = printed(&[layer()], &["eu-west-1"], &Audience::Everybody);
    let notes = run(&lines, "return 1");
    assert!(notes.contains("publish-layer-version") && !notes.contains("permission"), "{notes}");
}

#[test]
fn nobody_else_may_use_it_unless_asked_for() {
    let lines = printed(&[layer()], &["eu-west-1"], &Audience::Account);
    assert_eq!(lines.len(), 1);
    let organization = Audience::Organization("o-1".to_owned());
    let lines = printed(&[layer()], &["eu-west-1"], &organization);
    assert!(lines[1].contains("--principal '*' --organization-id o-1"), "{}", lines[1]);
}
