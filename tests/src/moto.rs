//! moto, a double of AWS that checks signatures and permissions, and botocore, AWS's own signer, from the part `moto`.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::parts::{part, project};
use crate::process::Process;
use crate::scripted::Seen;
use crate::{ports, send};

/// A running moto, shared by the tests that need one at the same time.
#[derive(Debug)]
pub struct Moto {
    port: u16,
    /// May call CloudWatch Logs, and nothing else.
    pub writer: Keys,
    /// May assume roles, and nothing else.
    pub assumer: Keys,
    /// May send traces to X-Ray and read them, and nothing else.
    pub tracer: Keys,
    /// May do anything with parameters, secrets, objects and keys.
    pub keeper: Keys,
    /// May read parameters, secrets and objects, by the calls that a configuration makes.
    pub reader: Keys,
    /// May read single parameters, which is not what a configuration does.
    pub single_reader: Keys,
    /// A role that may call CloudWatch Logs.
    pub role_arn: String,
    _process: Process,
}

/// An access key.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// Calls that are taken without a look at their signature: those that make the users and the role.
const FREE_CALLS: usize = 20;

impl Moto {
    /// Starts the server, or joins the one that runs.
    ///
    /// # Panics
    ///
    /// When the part is missing or the server does not come up.
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *running = Arc::downgrade(&server);
        server
    }

    fn start() -> Self {
        let port = ports::free();
        let mut command = Command::new(part("moto/bin/python"));
        command
            .arg(part("moto/bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", FREE_CALLS.to_string());
        let mut process = Process::start("moto", command);
        process.wait_for_output("Running on http://127.0.0.1:");
        let writer = user(port, "writer", &["logs:*"]);
        let assumer = user(port, "assumer", &["sts:AssumeRole"]);
        let tracer = user(port, "tracer", &["xray:*"]);
        let keeper = user(port, "keeper", &["ssm:*", "secretsmanager:*", "s3:*", "kms:*"]);
        let reader = ["ssm:GetParameters", "secretsmanager:GetSecretValue", "s3:GetObject"];
        let reader = user(port, "reader", &reader);
        let single_reader = user(port, "single_reader", &["ssm:GetParameter"]);
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ]});
        let role = iam(
            port,
            &[
                ("Action", "CreateRole"),
                ("RoleName", "writer"),
                ("AssumeRolePolicyDocument", &trust.to_string()),
            ],
        );
        iam(
            port,
            &[
                ("Action", "PutRolePolicy"),
                ("RoleName", "writer"),
                ("PolicyName", "may"),
                ("PolicyDocument", &policy(&["logs:*"])),
            ],
        );
        let role_arn = element(&role, "Arn");
        Self {
            port,
            writer,
            assumer,
            tracer,
            keeper,
            reader,
            single_reader,
            role_arn,
            _process: process,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes calls as the keeper, by boto3, one after the other: service, action, and its input.
    ///
    /// # Panics
    ///
    /// When the part is missing, or a call is refused.
    pub fn keep(&self, calls: &[(&str, &str, serde_json::Value)]) {
        let mut command = Command::new(part("moto/bin/python"));
        command.arg(project().join("tests/clients/moto/calls.py"));
        command.arg(format!("http://127.0.0.1:{}", self.port)).arg(json!(calls).to_string());
        command.env("AWS_ACCESS_KEY_ID", &self.keeper.id);
        command.env("AWS_SECRET_ACCESS_KEY", &self.keeper.secret);
        let ended = Process::start("boto3", command).wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

/// The signature that botocore comes to for a request to `http://127.0.0.1:port`, with the headers that its own `Authorization` names.
///
/// # Panics
///
/// When the part is missing, or the request is not signed at all.
pub fn botocore_signature(
    seen: &Seen,
    port: u16,
    keys: &Keys,
    (service, region): (&str, &str),
) -> String {
    let authorization = seen.header("authorization");
    let signed =
        authorization.split_once("SignedHeaders=").and_then(|(_, rest)| rest.split_once(','));
    let (signed, _) = signed.unwrap_or_else(|| panic!("no signature: {authorization:?}"));
    let headers: serde_json::Map<String, serde_json::Value> =
        signed.split(';').map(|name| (name.to_owned(), seen.header(name).into())).collect();
    let request = json!({
        "method": seen.method,
        "url": format!("http://127.0.0.1:{port}{}", seen.target),
        "headers": headers,
        "body": STANDARD.encode(&seen.body),
        "key": keys.id,
        "secret": keys.secret,
        "token": null,
        "region": region,
        "service": service,
    });
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
    let path = folder.path().join("request.json");
    std::fs::write(&path, request.to_string()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut command = Command::new(part("moto/bin/python"));
    command.arg(project().join("tests/clients/moto/signature.py")).arg(path);
    let ended = Process::start("botocore", command).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

/// The documents of a trace that moto has, by its id in X-Ray's form.
///
/// # Panics
///
/// When the part is missing, or moto does not let these keys read.
pub fn xray_trace(port: u16, keys: &Keys, trace_id: &str) -> Vec<serde_json::Value> {
    let mut command = Command::new(part("moto/bin/python"));
    command.arg(project().join("tests/clients/moto/traces.py"));
    command.args([format!("http://127.0.0.1:{port}").as_str(), trace_id]);
    command.env("AWS_ACCESS_KEY_ID", &keys.id).env("AWS_SECRET_ACCESS_KEY", &keys.secret);
    let ended = Process::start("boto3", command).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

fn user(port: u16, name: &str, actions: &[&str]) -> Keys {
    iam(port, &[("Action", "CreateUser"), ("UserName", name)]);
    let key = iam(port, &[("Action", "CreateAccessKey"), ("UserName", name)]);
    iam(
        port,
        &[
            ("Action", "PutUserPolicy"),
            ("UserName", name),
            ("PolicyName", "may"),
            ("PolicyDocument", &policy(actions)),
        ],
    );
    Keys { id: element(&key, "AccessKeyId"), secret: element(&key, "SecretAccessKey") }
}

fn policy(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        .to_string()
}

/// A call of IAM. The service is told by the scope of a signature that nobody looks at yet.
fn iam(port: u16, parameters: &[(&str, &str)]) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            byte if unreserved(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        bytes.collect::<String>()
    };
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value)));
    let form = pairs.chain(["Version=2010-05-08".to_owned()]).collect::<Vec<_>>().join("&");
    let scope = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none";
    let headers = [("authorization", scope), ("content-type", "application/x-www-form-urlencoded")];
    let reply = send::http(port, "/", &headers, form);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 200, "{parameters:?}: {text}");
    text
}

/// The text of the first element of a name.
fn element(document: &str, name: &str) -> String {
    let found = document
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    found.map(|(text, _)| text.to_owned()).unwrap_or_else(|| panic!("no {name} in {document}"))
}
