//! An X-Ray that is asked about sampling (`GetSamplingRules` and `GetSamplingTargets`, by the API's model in botocore), through a proxy that
//! signs.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::{Method, Request};
use serde_json::{Value, json};

use super::signature;
use crate::answer::Answer;
use crate::otlp::{self, header};
use crate::server::{self, Outcome, Server, Service};

/// The rule that there is.
pub const RULE: &str = "everything-of-the-shop";

/// A listening X-Ray with one rule, which samples everything.
#[derive(Debug)]
pub struct SamplingBackend {
    asked: Arc<Mutex<Vec<Question>>>,
    server: Server,
}

/// A question, as it arrived.
#[derive(Clone, Debug)]
pub struct Question {
    /// The path.
    pub path: String,
    /// The access key and the region it was signed with and for, or what is wrong with the signature.
    pub signature: Result<(String, String), String>,
    /// The user agent.
    pub user_agent: String,
    /// The body.
    pub body: Value,
}

impl SamplingBackend {
    /// Listens on any free port.
    pub fn start() -> Self {
        let asked: Arc<Mutex<Vec<Question>>> = Arc::default();
        let server = Server::start(0, Arc::new(Responder { asked: Arc::clone(&asked) }));
        Self { asked, server }
    }

    /// What `aws_endpoint` is set to.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// The questions at a path so far.
    pub fn questions(&self, path: &str) -> Vec<Question> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|question| question.path == path).cloned().collect()
    }
}

struct Responder {
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Service for Responder {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = otlp::read(body, Answer::Accept.reading_pause()).await.ok()?;
            let path = head.uri.path().to_owned();
            let signature = signature::read(&head);
            let is_signed = signature.is_ok();
            let question = Question {
                path: path.clone(),
                signature,
                user_agent: header(&head, "user-agent").unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(question.clone());
            let (status, answer) = match path.as_str() {
                _ if !is_signed => (403, json!({"__type": "MissingAuthenticationTokenException"})),
                _ if head.method != Method::POST => (405, json!({})),
                "/GetSamplingRules" => (200, rules()),
                "/SamplingTargets" => (200, targets(&question.body)),
                _ => (404, json!({"__type": "UnknownOperationException"})),
            };
            Some(server::json_reply(status, &answer.to_string()))
        })
    }
}

fn rules() -> Value {
    json!({"SamplingRuleRecords": [{
        "CreatedAt": 1_700_000_000.0, "ModifiedAt": 1_700_000_000.0,
        "SamplingRule": {
            "RuleName": RULE, "RuleARN": format!("arn:aws:xray:eu-west-1:1:sampling-rule/{RULE}"), "ResourceARN": "*",
            "Priority": 1, "FixedRate": 1.0, "ReservoirSize": 100, "ServiceName": "kaban-shop", "ServiceType": "*",
            "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1, "Attributes": {}
        }
    }]})
}

fn targets(question: &Value) -> Value {
    let documents = question.get("SamplingStatisticsDocuments").and_then(Value::as_array);
    let target = |document: &Value| {
        json!({"RuleName": document.get("RuleName"), "FixedRate": 1.0, "ReservoirQuota": 10,
            "ReservoirQuotaTTL": 1_900_000_000.0, "Interval": 10})
    };
    let targets: Vec<Value> = documents.into_iter().flatten().map(target).collect();
    json!({"SamplingTargetDocuments": targets, "LastRuleModification": 1_700_000_000.0, "UnprocessedStatistics": []})
}
