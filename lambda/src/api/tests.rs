use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use net::ReplyBody;
use net::server::{Listener, Server, ServerSettings, handler_fn};

use super::*;

/// What a platform was asked.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// A platform with scripted answers, in their order; the last one is given again and again.
struct Platform {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _server: Server,
}

impl Platform {
    fn answering(answers: &'static [(u16, &'static str)]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let handler = handler_fn(move |request: http::Request<_>, _peer| {
            let log: Arc<Mutex<Vec<Asked>>> = log.clone();
            async move {
                let (head, body) = request.into_parts();
                let limits = net::body::BodyLimits::of(1 << 20);
                let none = config::Compression::None;
                let body = net::body::read_body(body, none, &limits, |_| Ok(())).await;
                let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
                let line = format!("{} {}", head.method, head.uri.path());
                let mut log = log.lock().unwrap();
                let (status, text) = answers[log.len().min(answers.len() - 1)];
                log.push(Asked { line, headers: head.headers, body });
                let mut response = http::Response::new(ReplyBody::from(text));
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                let id = HeaderValue::from_static("the-id");
                response.headers_mut().insert("lambda-extension-identifier", id);
                response
            }
        });
        let listeners = vec![Listener::Tcp(listener)];
        let server = Server::serve(listeners, ServerSettings::new("test"), handler).unwrap();
        Self { address, asked, _server: server }
    }

    fn api(&self) -> Api {
        Api::new(&self.address.to_string())
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    async fn registered(&self, mode: Mode) -> Registered {
        let registered = within("an answer", self.api().register("hikyaku", mode)).await;
        registered.map_err(|(_, error)| error).unwrap()
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let wait = tokio::time::timeout(Duration::from_secs(20), future).await;
    wait.unwrap_or_else(|_| panic!("waited 20 s for {what}"))
}

const REGISTERED: (u16, &str) =
    (200, r#"{"functionName":"f","functionVersion":"7","handler":"h","accountId":"123456789012"}"#);
const SHUTDOWN: (u16, &str) =
    (200, r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1}"#);

#[tokio::test]
async fn registering_names_the_file_asks_for_the_account_and_keeps_the_identifier() {
    let platform = Platform::answering(&[REGISTERED]);
    let registered = platform.registered(Mode::OnDemand).await;
    assert_eq!(registered.identifier(), "the-id");
    assert_eq!(registered.mode, Mode::OnDemand);
    let account_id = Some("123456789012".to_owned());
    let expected = Registration { name: "f".to_owned(), version: "7".to_owned(), account_id };
    assert_eq!(registered.function, expected);
    let asked = &platform.asked()[0];
    assert_eq!(asked.line, "POST /2020-01-01/extension/register");
    assert_eq!(asked.headers["lambda-extension-name"], "hikyaku");
    assert_eq!(asked.headers["lambda-extension-accept-feature"], "accountId");
    assert_eq!(asked.body, r#"{"events":["INVOKE","SHUTDOWN"]}"#);
}

#[tokio::test]
async fn an_address_may_have_a_scheme() {
    let platform = Platform::answering(&[REGISTERED]);
    let api = Api::new(&format!("http://{}/", platform.address));
    assert!(within("an answer", api.register("x", Mode::OnDemand)).await.is_ok());
}

#[tokio::test]
async fn managed_instances_are_registered_for_the_end_alone() {
    let platform = Platform::answering(&[REGISTERED]);
    let _registered = platform.registered(Mode::ManagedInstances).await;
    assert_eq!(platform.asked()[0].body, r#"{"events":["SHUTDOWN"]}"#);
}

#[tokio::test]
async fn an_environment_that_refuses_invoke_events_is_one_of_managed_instances() {
    const NO_INVOKE: (u16, &str) =
        (403, r#"{"errorType":"Extension.InvalidEventType","errorMessage":"INVOKE"}"#);
    let platform = Platform::answering(&[NO_INVOKE, REGISTERED]);
    assert_eq!(platform.registered(Mode::OnDemand).await.mode, Mode::ManagedInstances);
    assert_eq!(platform.asked()[1].body, r#"{"events":["SHUTDOWN"]}"#);
}

#[tokio::test]
async fn a_refusal_says_in_the_platforms_words_why() {
    const CLOSED: (u16, &str) =
        (403, r#"{"errorType":"Extension.RegistrationClosed","errorMessage":"late"}"#);
    let platform = Platform::answering(&[CLOSED]);
    let refused = within("an answer", platform.api().register("x", Mode::OnDemand)).await;
    let Err((_, error)) = refused else { panic!("the platform said no") };
    let text = error.to_string();
    assert!(text.contains("403") && text.contains("Extension.RegistrationClosed"), "{text}");
    assert_eq!(platform.asked().len(), 1);
}

#[tokio::test]
async fn next_is_asked_with_the_identifier_and_again_until_there_is_an_event() {
    let platform = Platform::answering(&[
        REGISTERED,
        (500, "oops"),
        (200, "no event"),
        (200, r#"{"eventType":"INVOKE","deadlineMs":1000,"requestId":"r-1"}"#),
        SHUTDOWN,
    ]);
    let registered = platform.registered(Mode::OnDemand).await;
    let Event::Invoke(invoke) = within("an event", registered.next()).await else {
        panic!("the first event is an invocation")
    };
    assert_eq!(invoke.request_id, "r-1");
    assert_eq!(invoke.deadline, SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    assert!(matches!(within("the end", registered.next()).await, Event::Shutdown(_)));
    let asked = platform.asked();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[1].line, "GET /2020-01-01/extension/event/next");
    assert_eq!(asked[1].headers["lambda-extension-identifier"], "the-id");
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_gone_for_a_minute_is_the_end() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let registered = Registered {
        api: Api::new(&nobody.to_string()),
        identifier: HeaderValue::from_static("the-id"),
        function: Registration::default(),
        mode: Mode::OnDemand,
    };
    let begun = Instant::now();
    let Event::Shutdown(shutdown) = registered.next().await else { panic!("nobody is there") };
    assert_eq!(shutdown.reason, "the platform is gone");
    assert!(begun.elapsed() > Duration::from_secs(40));
}
