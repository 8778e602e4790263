use std::time::Duration;

use aws::{Environment, Service, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Aws, Caller, Failure, Kind, Place};

/// A service on loopback that gives one answer after the other, the last one again and again; none is silence.
struct Fake {
    port: u16,
    seen: watch::Sender<Vec<String>>,
    _tasks: JoinSet<()>,
}

type Answer = Option<(u16, &'static str)>;

const GOOD: Answer = Some((200, "{}"));
const THROTTLED: Answer =
    Some((400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#));
const EXPIRED: Answer = Some((400, r#"{"__type":"ExpiredTokenException"}"#));
const DENIED: Answer = Some((400, r#"{"__type":"AccessDeniedException"}"#));

impl Fake {
    async fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = watch::Sender::new(Vec::new());
        let mut tasks = JoinSet::new();
        let noted = seen.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let noted = noted.clone();
                connections.spawn(async move {
                    let mut bytes = Vec::new();
                    while !bytes.ends_with(b"{}") {
                        // Who asks may have no time left to finish.
                        let Ok(byte) = stream.read_u8().await else { return };
                        bytes.push(byte);
                    }
                    noted.send_modify(|noted| {
                        noted.push(String::from_utf8(bytes).unwrap().to_ascii_lowercase());
                    });
                    let number = noted.borrow().len() - 1;
                    let answer = answers.get(number).or(answers.last()).unwrap();
                    let Some((status, body)) = answer else { return std::future::pending().await };
                    let text = format!(
                        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _written = stream.write_all(text.as_bytes()).await;
                    let _closed = stream.shutdown().await;
                });
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    /// Makes a call, whose budget is spent as soon as this many requests have come.
    async fn call_until(&self, requests: usize) -> Failure {
        // Less than one attempt may take, and more than any answer does.
        let call = self.call(Duration::from_secs(2), &[]);
        let spend = async {
            let mut seen = self.seen.subscribe();
            let _enough = seen.wait_for(|seen| seen.len() >= requests).await.unwrap();
            // From here on the clock goes to the next deadline at once.
            tokio::time::pause();
        };
        let (outcome, ()) = tokio::join!(call, spend);
        outcome.unwrap_err()
    }

    /// Makes one call with this budget.
    async fn call(&self, budget: Duration, more: &[(&str, &str)]) -> Result<(), Failure> {
        let url = format!("http://127.0.0.1:{}", self.port);
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_SSM", &url),
            ("HOME", "/nonexistent"),
        ];
        let environment = Environment::of(variables.into_iter().chain(more.iter().copied()));
        let aws = Aws::with_budget(environment, budget);
        let place = Place { region: Some("eu-north-1".to_owned()), role: None };
        let at = aws.locate(&[&place]).await.remove(0)?;
        let caller = Caller::new(&aws, &at, Service::SSM, 1000);
        let endpoint = caller.endpoint().await?;
        let request = json::request(endpoint, "AmazonSSM.GetParameters", &serde_json::json!({}));
        let answer = caller.call("GetParameters", &request, json::answer).await;
        caller.close().await;
        answer.map(drop)
    }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_call_is_signed_for_the_region_of_its_reference() {
    let fake = Fake::start(&[GOOD]).await;
    fake.call(LONG, &[]).await.unwrap();
    let seen = fake.seen().remove(0);
    assert!(seen.starts_with("post / http/1.1\r\n"), "{seen}");
    assert!(seen.contains("/eu-north-1/ssm/aws4_request"), "{seen}");
    assert!(seen.contains("x-amz-target: amazonssm.getparameters"), "{seen}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    for (answers, calls, kind) in [
        (&[THROTTLED, Some((503, "")), GOOD][..], 3, None),
        (&[DENIED], 1, Some(Kind::Denied)),
        (&[EXPIRED, GOOD], 2, None),
        // Once is enough: the credentials were asked for anew.
        (&[EXPIRED], 2, Some(Kind::Expired)),
    ] {
        let fake = Fake::start(answers).await;
        let outcome = fake.call(LONG, &[]).await;
        assert_eq!(outcome.err().map(|failure| failure.kind()), kind);
        assert_eq!(fake.seen().len(), calls);
    }
}

#[tokio::test]
async fn the_budget_ends_all_attempts_and_the_error_counts_them() {
    let fake = Fake::start(&[THROTTLED, THROTTLED, None]).await;
    let failure = fake.call_until(3).await;
    assert_eq!((failure.kind(), fake.seen().len()), (Kind::Unavailable, 3));
    let said = failure.to_string();
    assert!(said.contains("timed out") && said.contains("(tried 3 times in "), "{said}");
}

#[tokio::test]
async fn there_is_no_attempt_after_the_budget() {
    let fake = Fake::start(&[THROTTLED]).await;
    // Attempts without an end would be cut off here.
    let call = tokio::time::timeout(LONG, fake.call(Duration::from_secs(1), &[])).await;
    let failure = call.expect("waited in vain for the last attempt").unwrap_err();
    assert!(failure.to_string().contains("(tried "), "{failure}");
    assert!(matches!(failure.kind(), Kind::Throttled | Kind::Unavailable), "{failure}");
}

#[tokio::test]
async fn a_source_of_credentials_that_is_silent_ends_with_the_budget_too() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", silent.local_addr().unwrap().port());
    let fake = Fake::start(&[GOOD]).await;
    let more = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
    ];
    let failure = fake.call(Duration::from_millis(100), &more).await.unwrap_err();
    assert!(failure.to_string().contains("while waiting for AWS credentials"), "{failure}");
    assert!(fake.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_calls_of_a_resolution_share_its_budget_and_the_next_has_its_own() {
    let aws = Aws::with_budget(Environment::of([("A", "b")]), LONG);
    aws.begin();
    let first = aws.deadline();
    tokio::time::advance(Duration::from_secs(7)).await;
    assert_eq!(aws.deadline(), first);
    aws.begin();
    assert_eq!(aws.deadline(), first + Duration::from_secs(7));
    let in_lambda = Aws::new(Environment::of([("AWS_LAMBDA_FUNCTION_NAME", "f")]));
    let elsewhere = Aws::new(Environment::of([("A", "b")]));
    assert!(in_lambda.deadline() < elsewhere.deadline());
}

#[tokio::test]
async fn a_region_that_is_none_is_refused_before_anybody_is_asked() {
    let aws = Aws::with_budget(
        Environment::of([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")]),
        LONG,
    );
    let place = Place { region: Some("evil.example/".to_owned()), role: None };
    let mut located = aws.locate(&[&place, &Place::default()]).await;
    let failure = located.remove(0).unwrap_err();
    assert!(failure.to_string().contains("of the reference is no AWS region"), "{failure}");
    let failure = located.remove(0).unwrap_err();
    assert_eq!(failure.kind(), Kind::Setup);
    assert!(failure.to_string().starts_with("no AWS region"), "{failure}");
}
