use super::*;
use crate::testing::Folder;

async fn read(config: &str, credentials: &[&str]) -> Result<Profiles, Cause> {
    let folder = Folder::new();
    let config = Some(folder.file("config", config));
    let files = credentials.iter().enumerate();
    let credentials = files.map(|(at, text)| folder.file(&at.to_string(), text)).collect();
    Places { config, credentials }.read().await
}

#[tokio::test]
async fn files_are_read_as_awss_tools_read_them() {
    let config = "\
orphan = 1
# comment
; comment
[default]
REGION = eu-west-1 # Ireland
output=json
[ profile  team ] ; comment
region: \"us-west-2\"
credential_process = a
  b
s3 =
  max_concurrent_requests = 20
[profile 'two words']
region = ap-south-1
[sso-session x]
sso_region = us-east-1
[services local]
sts =
  endpoint_url = http://127.0.0.1:5555
[profile with-services]
services = local
endpoint_url = http://127.0.0.1:6666
[not a profile]
region = nowhere
";
    let profiles = read(config, &[]).await.unwrap();
    assert_eq!(profiles.get("default", "region"), Some("eu-west-1"));
    assert_eq!(profiles.get("team", "region"), Some("us-west-2"));
    assert_eq!(profiles.get("team", "credential_process"), Some("a\nb"));
    assert_eq!(profiles.get("team", "max_concurrent_requests"), None);
    assert_eq!(profiles.get("two words", "region"), Some("ap-south-1"));
    assert_eq!(profiles.endpoint_url("with-services", "sts"), Some("http://127.0.0.1:5555"));
    assert_eq!(profiles.endpoint_url("with-services", "xray"), Some("http://127.0.0.1:6666"));
    assert_eq!(profiles.endpoint_url("default", "sts"), None);
    for absent in ["x", "sso-session x", "not a profile", "local"] {
        assert!(!profiles.has(absent), "{absent}");
    }
}

#[tokio::test]
async fn a_later_file_wins_and_its_keys_replace_all_keys_of_an_earlier_one() {
    let config = "[default]\nregion = eu-west-1\naws_access_key_id = A\naws_secret_access_key = a\naws_session_token = t\n";
    let second =
        "[default]\naws_access_key_id = B\naws_secret_access_key = b\n[profile x]\nregion = r\n";
    let profiles = read(config, &["[other]\nregion = r\n", second]).await.unwrap();
    assert_eq!(profiles.get("default", "region"), Some("eu-west-1"));
    assert_eq!(profiles.get("default", "aws_access_key_id"), Some("B"));
    assert_eq!(profiles.get("default", "aws_session_token"), None);
    assert!(profiles.has("other") && !profiles.has("x"));
}

#[tokio::test]
async fn a_malformed_file_is_an_error_with_its_line_and_none_of_its_text() {
    let secret = "aws_secret_access_key not-to-be-seen";
    for (text, expected) in [
        (format!("[default]\n{secret}\n"), ":2: is neither \"[section]\" nor \"key = value\""),
        ("\n\n[default\n".to_owned(), ":3: a section has no \"]\""),
        ("[default]\n = value\n".to_owned(), ":2: is neither"),
    ] {
        let error = read("", &[&text]).await.map(drop).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("not-to-be-seen"), "{shown}");
    }
    let folder = Folder::new();
    let binary = folder.file("credentials", [0xff, 0xfe, 0x00]);
    let places = Places { config: None, credentials: vec![binary] };
    let error = places.read().await.map(drop).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("UTF-8"), "{error}");
    let large = folder.file("large", "#".repeat(FILE_BYTES_MAX as usize + 1));
    let places = Places { config: Some(large), credentials: Vec::new() };
    let error = places.read().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("larger than 1 MiB"), "{error}");
}

#[tokio::test]
async fn files_that_are_not_there_are_empty() {
    let folder = Folder::new();
    let places = Places {
        config: Some(folder.path("absent/config").into()),
        credentials: vec![folder.file("file", "").join("below-a-file")],
    };
    assert!(!places.read().await.unwrap().has("default"));
}

#[test]
fn files_are_where_the_settings_the_environment_or_the_home_folder_say() {
    let places = |variables: &[(&str, &str)], settings: Settings| {
        Places::of(&settings, &Environment::of(variables.iter().copied()))
    };
    let at = |config: &str, credentials: &str| Places {
        config: Some(config.into()),
        credentials: vec![credentials.into()],
    };
    let home = ("HOME", "/home/me");
    assert_eq!(
        places(&[home], Settings::default()),
        at("/home/me/.aws/config", "/home/me/.aws/credentials")
    );
    let variables =
        [home, ("AWS_CONFIG_FILE", "~/c"), ("AWS_SHARED_CREDENTIALS_FILE", "/etc/credentials")];
    assert_eq!(places(&variables, Settings::default()), at("/home/me/c", "/etc/credentials"));
    let settings = Settings {
        shared_credentials_files: vec!["/mounted/credentials".into()],
        ..Settings::default()
    };
    assert_eq!(places(&variables, settings), at("/home/me/c", "/mounted/credentials"));
    let nowhere = places(&[], Settings::default());
    assert_eq!(nowhere, Places { config: None, credentials: Vec::new() });
    assert_eq!(nowhere.names(), "no files, as HOME is not set");
}
