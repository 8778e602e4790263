use crate::testing::{Fake, Folder, SECRET, instance, session};
use crate::{Region, Service, Session, Settings};

async fn region(session: Session) -> Result<String, String> {
    let region = session.region().await;
    region.map(|region: Region| region.to_string()).map_err(|error| error.to_string())
}

fn of_config(region: &str) -> Settings {
    Settings { region: Some(region.to_owned()), ..Settings::default() }
}

#[tokio::test]
async fn the_region_comes_from_the_first_place_that_has_one() {
    let instance = instance("instance-1");
    let task = Fake::start(|_| {
        (200, r#"{"TaskARN":"arn:aws:ecs:task-1:111122223333:task/cluster/1"}"#.to_owned())
    });
    let folder = Folder::new();
    let config =
        folder.file("config", "[default]\nregion = profile-1\n[profile x]\nregion = x-1\n");
    // From the last to the first.
    let layers = [
        ("instance-1", ("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())),
        ("task-1", ("ECS_CONTAINER_METADATA_URI_V4", task.url())),
        ("profile-1", ("AWS_CONFIG_FILE", config.to_str().unwrap())),
        ("x-1", ("AWS_PROFILE", "x")),
        ("default-1", ("AWS_DEFAULT_REGION", "default-1")),
        ("env-1", ("AWS_REGION", "env-1")),
    ];
    let mut variables = Vec::new();
    for (expected, variable) in layers {
        variables.push(variable);
        assert_eq!(region(session(Settings::default(), &variables)).await.unwrap(), expected);
    }
    assert_eq!(region(session(of_config("config-1"), &variables)).await.unwrap(), "config-1");
    assert_eq!(task.seen()[0].path, "/task");
}

#[tokio::test]
async fn the_region_is_looked_for_once() {
    let instance = instance("eu-west-1");
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url())];
    let session = session(Settings::default(), &variables);
    let (a, b) = tokio::join!(session.region(), session.region());
    assert_eq!(a.unwrap(), b.unwrap());
    session.region().await.unwrap();
    assert_eq!(instance.seen().len(), 2);
}

#[tokio::test]
async fn without_a_region_the_error_says_where_was_looked_and_what_to_do() {
    let task = Fake::start(|_| (200, r#"{"TaskARN":"mystery"}"#.to_owned()));
    let variables =
        [("AWS_EC2_METADATA_DISABLED", "true"), ("ECS_CONTAINER_METADATA_URI_V4", task.url())];
    assert_eq!(
        region(session(Settings::default(), &variables)).await.unwrap_err(),
        "no AWS region: set AWS_REGION, such as AWS_REGION=eu-west-1, or region where the config says what it is for; \
         the ECS task: the answer has no TaskARN with a region; \
         the instance's metadata: AWS_EC2_METADATA_DISABLED is true; \
         not set: AWS_REGION, region in the profile"
    );
    let wrong = region(session(of_config("Ireland!"), &variables)).await.unwrap_err();
    assert!(wrong.starts_with("\"Ireland!\" of the settings is no AWS region; set"), "{wrong}");
}

#[tokio::test]
async fn an_endpoint_is_the_environments_the_profiles_or_the_regions() {
    let folder = Folder::new();
    let config = folder.file(
        "config",
        "[default]\nuse_fips_endpoint = true\n\
         [profile local]\nendpoint_url = http://127.0.0.1:1/\nservices = s\n[services s]\nxray =\n  endpoint_url = http://127.0.0.1:2/\n",
    );
    let endpoint = |service: Service, variables: &[(&str, &str)]| {
        let session = session(of_config("eu-west-1"), variables);
        async move {
            session.endpoint(service).await.map(|uri| uri.to_string()).map_err(|e| e.to_string())
        }
    };
    let file = ("AWS_CONFIG_FILE", config.to_str().unwrap());
    let local = ("AWS_PROFILE", "local");
    let all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:3/");
    let own = ("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:4/");
    let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    for (service, variables, expected) in [
        (Service::XRAY, vec![], "https://xray.eu-west-1.amazonaws.com/"),
        (
            Service::XRAY,
            vec![("AWS_USE_FIPS_ENDPOINT", "true")],
            "https://xray-fips.eu-west-1.amazonaws.com/",
        ),
        (
            Service::XRAY,
            vec![("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")],
            "https://xray.eu-west-1.api.aws/",
        ),
        (Service::XRAY, vec![file], "https://xray-fips.eu-west-1.amazonaws.com/"),
        (
            Service::XRAY,
            vec![file, ("AWS_USE_FIPS_ENDPOINT", "false")],
            "https://xray.eu-west-1.amazonaws.com/",
        ),
        (Service::STS, vec![file, local], "http://127.0.0.1:1/"),
        (Service::XRAY, vec![file, local], "http://127.0.0.1:2/"),
        (Service::XRAY, vec![file, local, all], "http://127.0.0.1:3/"),
        (Service::XRAY, vec![file, local, all, own], "http://127.0.0.1:4/"),
        (Service::STS, vec![all, own], "http://127.0.0.1:3/"),
        (
            Service::XRAY,
            vec![file, local, all, own, ignored],
            "https://xray.eu-west-1.amazonaws.com/",
        ),
    ] {
        assert_eq!(endpoint(service, &variables).await.unwrap(), expected, "{variables:?}");
    }
    let wrong = endpoint(Service::SSM, &[("AWS_ENDPOINT_URL_SSM", "localhost:4566")]).await;
    assert_eq!(
        wrong.unwrap_err(),
        "the endpoint of AWS_ENDPOINT_URL_SSM is no URL; write it as http://host:port"
    );
}

#[tokio::test]
async fn a_call_of_the_query_protocol_is_signed_for_its_service() {
    let ec2 = Fake::start(|request| {
        match request.form("Action").as_deref() {
        Some("DescribeTags") => (200, "<R><tagSet><item><key>Name</key><value>a&amp;b</value></item></tagSet></R>".to_owned()),
        _ => (400, "<Response><Errors><Error><Code>InvalidAction</Code><Message>no</Message></Error></Errors></Response>".to_owned()),
    }
    });
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ENDPOINT_URL_EC2", ec2.url()),
    ];
    let session = session(of_config("eu-west-1"), &variables);
    let call = |action| crate::query::Call {
        service: Service::EC2,
        version: "2016-11-15",
        action,
        parameters: vec![("Filter.1.Name", "resource-id".to_owned())],
    };
    let answer = session.query(&call("DescribeTags")).await.unwrap();
    let item = answer.find(&["tagSet", "item"]).unwrap();
    assert_eq!(item.text_of(&["value"]), Some("a&b"));
    assert!(ec2.seen()[0].header("authorization").contains("/eu-west-1/ec2/aws4_request"));
    let error = session.query(&call("Other")).await.unwrap_err();
    assert_eq!(error.to_string(), "ec2 Other: InvalidAction: no");
}
