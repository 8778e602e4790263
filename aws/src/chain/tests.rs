use std::path::Path;

use crate::testing::{
    Fake, Folder, SECRET, SetClock, TOKEN, instance, json_credentials, session, sts, sts_answer,
};
use crate::{Environment, Error, Role, Session, Settings};

type Variables<'a> = Vec<(&'a str, &'a str)>;

async fn key(settings: Settings, variables: &[(&str, &str)]) -> Result<String, Error> {
    let credentials = session(settings, variables).credentials().await?;
    Ok(credentials.access_key_id().to_owned())
}

async fn error(settings: Settings, variables: &[(&str, &str)]) -> String {
    let error = key(settings, variables).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("not-to-be-seen"), "{shown}");
    error.to_string()
}

const NO_INSTANCE: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

#[tokio::test]
async fn the_first_source_that_is_set_up_is_asked() {
    let (instance, sts) = (instance("eu-west-1"), sts());
    let container = Fake::start(|_| (200, json_credentials("ASIACONTAINER", None)));
    let folder = Folder::new();
    let file = folder.file(
        "credentials",
        format!(
            "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = {SECRET}\n\
             [other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = {SECRET}\n\
             [empty]\nregion = eu-west-1\n"
        ),
    );
    let token = folder.file("token", "the-web-token\n");
    let (file, token) = (file.to_str().unwrap(), token.to_str().unwrap());
    // From the last to the first.
    let layers: [(&str, Variables<'_>); 6] = [
        ("ASIAINSTANCE1", vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())]),
        ("ASIACONTAINER", vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url())]),
        ("AKIAFILE", vec![("AWS_SHARED_CREDENTIALS_FILE", file)]),
        ("AKIAOTHER", vec![("AWS_PROFILE", "other")]),
        (
            "ASIAWEB",
            vec![
                ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
                ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/web"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL_STS", sts.url()),
            ],
        ),
        ("AKIAENV", vec![("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", SECRET)]),
    ];
    let mut variables = Vec::new();
    for (expected, more) in layers {
        variables.extend(more);
        assert_eq!(key(Settings::default(), &variables).await.unwrap(), expected);
    }
    // A profile of the settings comes before all of them; one without credentials leaves them to what needs no files.
    let profile = |name: &str| Settings { profile: Some(name.to_owned()), ..Settings::default() };
    assert_eq!(key(profile("other"), &variables).await.unwrap(), "AKIAOTHER");
    assert_eq!(key(profile("empty"), &variables).await.unwrap(), "ASIACONTAINER");
}

#[tokio::test]
async fn nothing_is_asked_or_read_before_credentials_are_needed() {
    let instance = instance("eu-west-1");
    let session =
        session(Settings::default(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())]);
    let signer = session.signer(crate::Service::XRAY);
    tokio::task::yield_now().await;
    assert!(instance.seen().is_empty());
    drop(signer);
    session.credentials().await.unwrap();
    assert_eq!(instance.seen().len(), 3);
}

#[tokio::test]
async fn an_instances_credentials_are_asked_for_with_a_token_and_renewed() {
    let instance = instance("eu-west-1");
    let clock = SetClock::new();
    let environment = Environment::of([("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())]);
    let session = Session::with_clock(Settings::default(), environment, clock.clock());
    for (at, expected) in [(0, "ASIAINSTANCE1"), (1800, "ASIAINSTANCE1"), (3400, "ASIAINSTANCE2")] {
        clock.set(at);
        let credentials = session.credentials().await.unwrap();
        assert_eq!(credentials.parts(), (expected, SECRET, Some(TOKEN)));
    }
    let seen = instance.seen();
    assert_eq!(seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "300");
    let paths: Vec<&str> = seen.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths[2], "/latest/meta-data/iam/security-credentials/web");
}

#[tokio::test]
async fn a_container_is_asked_with_its_token_read_anew_each_time() {
    let container = Fake::start(|request| match request.header("authorization") {
        "first" | "second" => {
            (200, json_credentials("ASIACONTAINER", Some("2001-09-09T02:46:40Z")))
        }
        _ => (403, "AccessDenied".to_owned()),
    });
    let folder = Folder::new();
    let token = folder.file("token", "first\n");
    let url = format!("{}/v1/credentials", container.url());
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the file wins"),
    ];
    let clock = SetClock::new();
    let session =
        Session::with_clock(Settings::default(), Environment::of(variables), clock.clock());
    session.credentials().await.unwrap();
    folder.file("token", "second");
    clock.set(3400);
    session.credentials().await.unwrap();
    let tokens: Vec<String> =
        container.seen().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(tokens, ["first", "second"]);
    assert_eq!(container.seen()[0].path, "/v1/credentials");
}

#[tokio::test]
async fn a_role_is_assumed_with_ones_own_credentials() {
    let sts = sts();
    let role = Role {
        arn: "arn:aws:iam::111122223333:role/metrics".to_owned(),
        session_name: Some("me@home".to_owned()),
        external_id: Some("third & party".to_owned()),
        duration_seconds: Some(900),
        ..Role::default()
    };
    let settings = Settings { role: Some(role), ..Settings::default() };
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL_STS", sts.url()),
    ];
    assert_eq!(key(settings, &variables).await.unwrap(), "ASIAMETRICS");
    let seen = &sts.seen()[0];
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::111122223333:role/metrics"),
        ("RoleSessionName", "me@home"),
        ("ExternalId", "third & party"),
        ("DurationSeconds", "900"),
    ] {
        assert_eq!(seen.form(name).as_deref(), Some(value));
    }
    let signed_for = "Credential=AKIAENV/20010909/eu-west-1/sts/aws4_request";
    assert!(seen.header("authorization").contains(signed_for));
}

#[tokio::test]
async fn a_role_has_a_session_name_and_a_region_of_its_own_if_it_says_so() {
    let sts = sts();
    let role = Role { sts_region: Some("us-east-2".to_owned()), ..Role::new("r/plain") };
    let settings = Settings { role: Some(role), ..Settings::default() };
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", sts.url()),
    ];
    assert_eq!(key(settings, &variables).await.unwrap(), "ASIAPLAIN");
    let seen = &sts.seen()[0];
    assert!(seen.header("authorization").contains("/us-east-2/sts/"));
    assert_eq!(seen.form("RoleSessionName").as_deref(), Some("hikyaku-1000000000"));
    assert_eq!(seen.form("ExternalId").or(seen.form("DurationSeconds")), None);
}

#[tokio::test]
async fn a_web_identity_is_traded_without_a_signature() {
    let sts = sts();
    let folder = Folder::new();
    let token = folder.file("token", "a.b.c\n");
    let role = Role { web_identity_token_file: Some(token), ..Role::new("r/onprem") };
    let settings = Settings { role: Some(role), ..Settings::default() };
    let variables = [("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", sts.url())];
    assert_eq!(key(settings, &variables).await.unwrap(), "ASIAONPREM");
    let seen = &sts.seen()[0];
    assert_eq!(seen.form("Action").as_deref(), Some("AssumeRoleWithWebIdentity"));
    assert_eq!(seen.form("WebIdentityToken").as_deref(), Some("a.b.c"));
    assert_eq!(seen.header("authorization"), "");
}

#[tokio::test]
async fn profiles_lead_to_roles_through_all_their_sources() {
    let (instance, sts) = (instance("eu-west-1"), sts());
    let container = Fake::start(|_| (200, json_credentials("ASIACONTAINER", None)));
    let folder = Folder::new();
    let token = folder.file("token", "t");
    let config = folder.file(
        "config",
        format!(
            "[profile chain]\nrole_arn = r/outer\nsource_profile = middle\nregion = eu-west-1\n\
             [profile middle]\nrole_arn = r/inner\nsource_profile = keys\n\
             [profile keys]\naws_access_key_id = AKIAFILE\naws_secret_access_key = {SECRET}\n\
             [profile env]\nrole_arn = r/env\ncredential_source = Environment\n\
             [profile ecs]\nrole_arn = r/ecs\ncredential_source = EcsContainer\n\
             [profile ec2]\nrole_arn = r/ec2\ncredential_source = Ec2InstanceMetadata\n\
             [profile web]\nrole_arn = r/web\nweb_identity_token_file = {}\n",
            token.display()
        ),
    );
    let variables = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_ENDPOINT_URL_STS", sts.url()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url()),
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "eu-west-1"),
    ];
    let asked_as = |profile: &str| {
        let settings = Settings { profile: Some(profile.to_owned()), ..Settings::default() };
        let (variables, sts) = (&variables, &sts);
        async move {
            let before = sts.seen().len();
            let key = key(settings, variables).await.unwrap();
            let seen = sts.seen().split_off(before);
            let who = |seen: &crate::testing::Seen| {
                let authorization = seen.header("authorization").to_owned();
                let key = authorization.split_once("Credential=").map(|(_, rest)| rest.to_owned());
                key.and_then(|key| key.split('/').next().map(str::to_owned)).unwrap_or_default()
            };
            (key, seen.iter().map(who).collect::<Vec<_>>())
        }
    };
    for (profile, expected, signed_as) in [
        ("keys", "AKIAFILE", &[][..]),
        ("chain", "ASIAOUTER", &["AKIAFILE", "ASIAINNER"]),
        ("env", "ASIAENV", &["AKIAENV"]),
        ("ecs", "ASIAECS", &["ASIACONTAINER"]),
        ("ec2", "ASIAEC2", &["ASIAINSTANCE1"]),
        ("web", "ASIAWEB", &[""]),
    ] {
        let (key, who) = asked_as(profile).await;
        assert_eq!(key, expected);
        assert_eq!(who, signed_as, "{profile}");
    }
}

#[tokio::test]
async fn without_any_credentials_the_error_says_where_was_looked_and_what_to_do() {
    let shown = error(Settings::default(), &[("HOME", "/nowhere"), NO_INSTANCE]).await;
    assert_eq!(
        shown,
        "no AWS credentials: give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
         the instance's metadata: AWS_EC2_METADATA_DISABLED is true; \
         the profile \"default\": not in /nowhere/.aws/config, /nowhere/.aws/credentials; \
         not set: AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI"
    );
}

#[tokio::test]
async fn a_source_that_is_set_up_and_wrong_is_named() {
    let folder = Folder::new();
    let token = folder.file("token", "t");
    let empty = folder.file("empty", "\n");
    let multiline = folder.file("multiline", "a\nb\n");
    let file = folder.file("credentials", "[default]\naws_access_key_id = AKIA\n");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (token, empty, multiline, file) =
        (path(&token), path(&empty), path(&multiline), path(&file));
    let absent = folder.path("absent");
    let container = Fake::start(|_| (200, json_credentials("ASIACONTAINER", None)));
    let region = ("AWS_REGION", "eu-west-1");
    for (variables, expected, is_retryable) in [
        (
            vec![("AWS_ACCESS_KEY_ID", "AKIA")],
            "from the environment: AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
            false,
        ),
        (
            vec![("AWS_SECRET_ACCESS_KEY", SECRET)],
            "from the environment: AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not",
            false,
        ),
        (
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", &token)],
            "from the web identity: AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not",
            false,
        ),
        (
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", &absent), ("AWS_ROLE_ARN", "r"), region],
            "from the web identity: cannot read ",
            true,
        ),
        (
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", &empty), ("AWS_ROLE_ARN", "r"), region],
            "is empty or longer than 64 KiB, so it is no token",
            true,
        ),
        (
            vec![("AWS_PROFILE", "gone"), ("HOME", "/nowhere")],
            "from the profile \"gone\": it is not in /nowhere/.aws/config, /nowhere/.aws/credentials; check",
            true,
        ),
        (
            vec![("AWS_SHARED_CREDENTIALS_FILE", &file)],
            "from the profile \"default\": the profile \"default\" has aws_access_key_id without aws_secret_access_key",
            true,
        ),
        (
            vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.169.254/")],
            "from the container's endpoint: AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is not asked over http",
            false,
        ),
        (
            vec![
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url()),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &multiline),
            ],
            "the authorization token has characters that a header can't have",
            true,
        ),
    ] {
        let error = key(Settings::default(), &variables).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("not-to-be-seen"), "{shown}");
        assert_eq!(error.is_retryable(), is_retryable, "{shown}");
    }
}

#[tokio::test]
async fn half_broken_endpoints_are_named_with_what_they_answer() {
    for (status, text, expected) in [
        (200, "not json", "the answer is no JSON"),
        (200, "[1]", "the answer is no JSON object"),
        (200, "{}", "the answer has no AccessKeyId or no SecretAccessKey"),
        (
            200,
            r#"{"AccessKeyId":"A","SecretAccessKey":"not-to-be-seen","Expiration":"soon"}"#,
            "the answer has an Expiration that is no time",
        ),
        (
            403,
            "AccessDenied for not-a-secret\nmore",
            "answered with status 403: AccessDenied for not-a-secret",
        ),
        (404, "<html>page</html>", "answered with status 404"),
        (503, r#"{"code":"x"}"#, "answered with status 503"),
    ] {
        let container = Fake::start(move |_| (status, text.to_owned()));
        let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url())];
        let shown = error(Settings::default(), &variables).await;
        assert!(shown.ends_with(expected), "{shown}");
        let asked = if status == 503 { 3 } else { 1 };
        assert_eq!(container.seen().len(), asked, "{shown}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_overrun_is_asked_again() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let container =
        Fake::start(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => (429, String::new()),
            1 => (500, String::new()),
            _ => (200, json_credentials("ASIACONTAINER", None)),
        });
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url())];
    assert_eq!(key(Settings::default(), &variables).await.unwrap(), "ASIACONTAINER");
}

#[tokio::test]
async fn an_instance_without_a_role_or_without_metadata_is_told_apart() {
    let without_role = Fake::start(|request| match request.path.as_str() {
        "/latest/api/token" => (200, "the-token".to_owned()),
        _ => (404, String::new()),
    });
    let refuses = Fake::start(|_| (403, String::new()));
    let failed_role = Fake::start(|request| match request.path.as_str() {
        "/latest/api/token" => (200, "the-token".to_owned()),
        "/latest/meta-data/iam/security-credentials/" => (200, "web".to_owned()),
        _ => (
            200,
            r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume"}"#.to_owned(),
        ),
    });
    for (fake, expected) in [
        (
            without_role,
            "; the instance's metadata: no role is attached to this instance; attach an instance profile; ",
        ),
        (refuses, "; the instance's metadata: answered with status 403; "),
        (
            failed_role,
            "; the instance's metadata: AssumeRoleUnauthorizedAccess: EC2 cannot assume; ",
        ),
    ] {
        let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url())];
        let shown = error(Settings::default(), &variables).await;
        assert!(shown.contains(expected), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_answers_is_given_up_with_a_hint_for_containers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
    let shown = error(Settings::default(), &variables).await;
    assert!(shown.contains("metadata hop limit has to be 2"), "{shown}");
}

#[tokio::test]
async fn an_sts_that_refuses_is_quoted_by_its_first_line() {
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\
        <Message>The request signature we calculated does not match the signature you provided.\n\nThe Canonical String is\nx-amz-security-token:not-to-be-seen</Message>\
        </Error></ErrorResponse>";
    let missing = sts_answer("AssumeRole", "ASIA").replace("<SessionToken>", "<Other>");
    let missing = missing.replace("</SessionToken>", "</Other>");
    for (status, text, expected) in [
        (
            403,
            refusal.to_owned(),
            "from the role r/x: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.",
        ),
        (500, "<html>".to_owned(), "from the role r/x: answered with status 500"),
        (200, "{}".to_owned(), "from the role r/x: the answer is no XML"),
        (200, "<a/>".to_owned(), "from the role r/x: the answer has no Credentials"),
        (200, missing, "the answer has Credentials without a key, a token or an end"),
    ] {
        let sts = Fake::start(move |_| (status, text.clone()));
        let settings = Settings { role: Some(Role::new("r/x")), ..Settings::default() };
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AKIAENV"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_STS", sts.url()),
        ];
        let shown = error(settings, &variables).await;
        assert!(shown.ends_with(expected), "{shown}");
    }
}

#[tokio::test]
async fn credentials_of_a_file_are_read_again_after_a_while_and_on_demand() {
    let folder = Folder::new();
    let write = |key: &str| {
        let text = format!("[default]\naws_access_key_id={key}\naws_secret_access_key={SECRET}\n");
        folder.file("credentials", text)
    };
    let file = write("AKIA1");
    let clock = SetClock::new();
    let environment = Environment::of([("AWS_SHARED_CREDENTIALS_FILE", file)]);
    let session = Session::with_clock(Settings::default(), environment, clock.clock());
    let key = async || session.credentials().await.unwrap().access_key_id().to_owned();
    assert_eq!(key().await, "AKIA1");
    write("AKIA2");
    clock.set(299);
    assert_eq!(key().await, "AKIA1");
    clock.set(300);
    assert_eq!(key().await, "AKIA2");
    write("AKIA3");
    session.forget_credentials();
    assert_eq!(key().await, "AKIA3");
    folder.file("credentials", "[default\n");
    clock.set(900);
    assert_eq!(key().await, "AKIA3", "a file that is being written does no harm");
}
