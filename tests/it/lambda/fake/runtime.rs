use tests::lambda::Mode;
use tests::send;

use super::client::{platform, post, refusal};

const API: &str = "/2018-06-01/runtime";

#[test]
fn a_runtime_gets_its_invocations_one_after_the_other() {
    let platform = platform(Mode::OnDemand);
    let (first, second) = (platform.offer_invocation("{\"a\":1}"), platform.offer_invocation("2"));
    let next = || send::get(platform.port(), &format!("{API}/invocation/next"));
    let reply = next();
    assert_eq!(reply.headers["lambda-runtime-aws-request-id"], first.as_str());
    assert_eq!(reply.body, "{\"a\":1}");
    for header in ["lambda-runtime-deadline-ms", "lambda-runtime-invoked-function-arn"] {
        assert!(reply.headers.contains_key(header), "{header}");
    }
    let state = (403, "InvalidStateTransition".to_owned());
    assert_eq!(refusal(&next()), state, "the first is not answered yet");
    let answer = |id: &str, kind: &str| {
        post(&platform, &format!("{API}/invocation/{id}/{kind}"), &[], "done")
    };
    let unknown = (400, "InvalidRequestID".to_owned());
    assert_eq!(refusal(&answer(&second, "response")), unknown, "nobody has taken the second");
    assert_eq!(answer(&first, "response").status, 202);
    assert_eq!(refusal(&answer(&first, "error")), unknown, "the first is answered");
    assert_eq!(next().headers["lambda-runtime-aws-request-id"], second.as_str());
    assert_eq!(answer(&second, "error").status, 202);
    assert_eq!(post(&platform, &format!("{API}/init/error"), &[], "{}").status, 202);
    assert_eq!(send::get(platform.port(), "/2018-06-01/elsewhere").status, 404);
}

#[test]
fn managed_instances_give_several_at_once() {
    let platform = platform(Mode::ManagedInstances);
    let ids = [platform.offer_invocation("1"), platform.offer_invocation("2")];
    for id in ids {
        let reply = send::get(platform.port(), &format!("{API}/invocation/next"));
        assert_eq!(reply.headers["lambda-runtime-aws-request-id"], id.as_str());
    }
}
