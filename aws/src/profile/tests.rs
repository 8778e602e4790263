use super::*;
use crate::files::Places;
use crate::testing::Folder;

async fn plan(config: &str, profile: &str) -> Result<Plan, (String, ProfileFault)> {
    let folder = Folder::new();
    let config = Some(folder.file("config", config));
    let profiles = Places { config, credentials: Vec::new() }.read().await.unwrap();
    Plan::of(&profiles, profile)
}

const KEYS: &str = "aws_access_key_id = KEY\naws_secret_access_key = secret\n";

fn base(plan: &Plan) -> String {
    match &plan.base {
        Base::Keys(keys) => keys.access_key_id().to_owned(),
        Base::WebIdentity(role) => {
            format!("{} by {:?}", role.arn, role.web_identity_token_file.as_deref().unwrap())
        }
        Base::Named(named) => format!("{named:?}"),
        Base::Rest => "the rest".to_owned(),
    }
}

fn arns(plan: &Plan) -> Vec<&str> {
    plan.roles.iter().map(|role| role.arn.as_str()).collect()
}

#[tokio::test]
async fn a_profile_says_where_its_credentials_come_from() {
    for (lines, expected, roles) in [
        (KEYS, "KEY", &[][..]),
        ("region = eu-west-1", "the rest", &[]),
        ("role_arn = r", "the rest", &["r"]),
        ("role_arn = r\ncredential_source = Environment", "Environment", &["r"]),
        ("role_arn = r\ncredential_source = EcsContainer", "Container", &["r"]),
        ("role_arn = r\ncredential_source = Ec2InstanceMetadata", "Instance", &["r"]),
        ("role_arn = r\nweb_identity_token_file = /t", "r by \"/t\"", &[]),
        // Its own keys are the source of its role.
        (&format!("role_arn = r\nsource_profile = default\n{KEYS}"), "KEY", &["r"]),
        // Keys win over ways to get others.
        (&format!("sso_session = s\n{KEYS}"), "KEY", &[]),
    ] {
        let plan =
            plan(&format!("[default]\n{lines}\n"), "default").await.map_err(|e| e.1).unwrap();
        assert_eq!((base(&plan).as_str(), arns(&plan).as_slice()), (expected, roles), "{lines}");
    }
}

#[tokio::test]
async fn roles_are_assumed_from_the_source_on() {
    let config = format!(
        "[profile a]\nrole_arn = ra\nsource_profile = b\nexternal_id = x\nrole_session_name = s\nduration_seconds = 900\n\
         [profile b]\nrole_arn = rb\nsource_profile = c\n[profile c]\n{KEYS}"
    );
    let plan = plan(&config, "a").await.map_err(|e| e.1).unwrap();
    assert_eq!((base(&plan).as_str(), arns(&plan)), ("KEY", vec!["rb", "ra"]));
    let last = plan.roles.last().unwrap();
    assert_eq!(last.external_id.as_deref(), Some("x"));
    assert_eq!(last.session_name.as_deref(), Some("s"));
    assert_eq!(last.duration_seconds, Some(900));
}

#[tokio::test]
async fn what_makes_no_sense_is_named_with_its_profile() {
    let long: String = (0..10)
        .map(|n| format!("[profile p{n}]\nrole_arn = r\nsource_profile = p{}\n", n + 1))
        .collect();
    let long = format!("[default]\nrole_arn = r\nsource_profile = p0\n{long}[profile p10]\n{KEYS}");
    for (config, profile, expected) in [
        (
            "[default]\naws_access_key_id = A\n",
            "default",
            "has aws_access_key_id without aws_secret_access_key",
        ),
        (
            "[default]\naws_secret_access_key = A\n",
            "default",
            "has aws_secret_access_key without aws_access_key_id",
        ),
        (
            "[default]\nsource_profile = a\n[profile a]\n",
            "default",
            "has source_profile without role_arn",
        ),
        (
            "[default]\ncredential_source = Environment\n",
            "default",
            "has credential_source without role_arn",
        ),
        (
            "[default]\nweb_identity_token_file = t\n",
            "default",
            "has web_identity_token_file without role_arn",
        ),
        ("[default]\nrole_arn = r\ncredential_source = Disk\n", "default", "none of Environment"),
        (
            "[default]\nrole_arn = r\nsource_profile = gone\n",
            "default",
            "source_profile = gone, which does not exist",
        ),
        (
            "[default]\nrole_arn = r\nsource_profile = a\n[profile a]\nregion = r\n",
            "a",
            "is a source_profile and has no credentials",
        ),
        ("[default]\nrole_arn = r\nsource_profile = default\n", "default", "leads back to itself"),
        (
            "[default]\nrole_arn = r\nsource_profile = a\n[profile a]\nrole_arn = r\nsource_profile = default\n",
            "default",
            "leads back to itself",
        ),
        (
            "[default]\nrole_arn = r\nsource_profile = a\ncredential_source = Environment\n",
            "default",
            "has both source_profile and credential_source",
        ),
        (
            "[default]\nrole_arn = r\nsource_profile = a\nmfa_serial = m\n",
            "default",
            "uses mfa_serial, which is not supported",
        ),
        (
            "[default]\nrole_arn = r\nduration_seconds = soon\n",
            "default",
            "duration_seconds that is no number",
        ),
        (
            "[default]\nsso_session = s\n",
            "default",
            "uses sso_session, which is not supported; export",
        ),
        ("[default]\nsso_start_url = s\n", "default", "uses sso_start_url"),
        ("[default]\ncredential_process = c\n", "default", "uses credential_process"),
        ("[default]\nlogin_session = l\n", "default", "uses login_session"),
        (&long, "p8", "has a chain of more than 8 source profiles"),
    ] {
        let (named, fault) = plan(config, "default").await.map(drop).unwrap_err();
        assert_eq!(named, profile, "{config}");
        assert!(fault.to_string().contains(expected), "{config}: {fault}");
    }
}
