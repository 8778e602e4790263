use tests::lambda::Mode;

use super::client::{
    NAME, json, next, next_meanwhile, platform, post, refusal, register, registered,
};

const BOTH: &str = "\"INVOKE\",\"SHUTDOWN\"";

#[test]
fn a_registration_that_does_not_fit_is_refused_by_its_own_error() {
    let platform = platform(Mode::OnDemand);
    let cases = [
        ("", "{}", "Extension.InvalidExtensionName"),
        (NAME, "{", "InvalidRequestFormat"),
        (NAME, "{\"events\":7}", "InvalidRequestFormat"),
        (NAME, "{\"configurationKeys\":[\"a\"]}", "InvalidRequestFormat"),
        (NAME, "{\"events\":[\"RESTART\"]}", "Extension.InvalidEventType"),
        // A name that no file in the folder of extensions has is taken for a part of the runtime.
        ("hikyaku-lambda", "{\"events\":[\"SHUTDOWN\"]}", "Extension.InvalidEventType"),
    ];
    for (name, body, error) in cases {
        let reply = register(&platform, name, body);
        assert_eq!(refusal(&reply), (403, error.to_owned()), "{name} {body}");
    }
    registered(&platform, NAME, BOTH);
    let again = register(&platform, NAME, "{\"events\":[]}");
    assert_eq!(refusal(&again), (403, "Extension.InvalidExtensionState".to_owned()));
}

#[test]
fn there_is_room_for_ten_and_a_time_to_register() {
    let platform = platform(Mode::OnDemand);
    for number in 0..10 {
        registered(&platform, &format!("part-{number}"), "\"INVOKE\"");
    }
    let reply = register(&platform, "part-10", "{}");
    assert_eq!(refusal(&reply), (403, "Extension.TooManyExtensions".to_owned()));
    platform.close_init();
    let reply = register(&platform, "part-11", "{}");
    assert_eq!(refusal(&reply), (403, "Extension.RegistrationClosed".to_owned()));
}

#[test]
fn managed_instances_know_no_invoke() {
    let platform = platform(Mode::ManagedInstances);
    let reply = register(&platform, NAME, "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}");
    assert_eq!(refusal(&reply), (403, "Extension.InvalidEventType".to_owned()));
    registered(&platform, NAME, "\"SHUTDOWN\"");
}

#[test]
fn the_account_is_told_to_those_who_ask() {
    let platform = platform(Mode::OnDemand);
    let asked = |name, feature| {
        let headers =
            [("lambda-extension-name", name), ("lambda-extension-accept-feature", feature)];
        json(&post(&platform, "/2020-01-01/extension/register", &headers, "{}"))
    };
    let with = asked(NAME, "other, accountId");
    assert_eq!(with["accountId"], "123456789012");
    assert_eq!(with["functionName"], "orders");
    assert_eq!(with["functionVersion"], "$LATEST");
    assert_eq!(with["handler"], "app.handler");
    assert_eq!(asked("other", "somethingElse").get("accountId"), None);
}

#[test]
fn next_wants_an_identifier_that_is_known_and_not_waiting_already() {
    let platform = platform(Mode::OnDemand);
    let id = registered(&platform, NAME, BOTH);
    let cases = [
        ("", "Extension.MissingExtensionIdentifier"),
        ("me", "Extension.InvalidExtensionIdentifier"),
        ("00000000-0000-4000-8000-000000000000", "Extension.UnknownExtensionIdentifier"),
    ];
    for (id, error) in cases {
        assert_eq!(refusal(&next(&platform, id)), (403, error.to_owned()), "{id}");
    }
    let first = next_meanwhile(&platform, &id);
    let second = next(&platform, &id);
    assert_eq!(refusal(&second), (403, "Extension.InvalidExtensionState".to_owned()));
    platform.announce_invocation("11111111-0000-4000-8000-000000000000");
    let invoke = first.join().unwrap();
    assert!(invoke.headers.contains_key("lambda-extension-event-identifier"));
    assert_eq!(invoke.headers["content-type"], "application/json");
    let body = json(&invoke);
    assert_eq!(body["eventType"], "INVOKE");
    assert_eq!(body["requestId"], "11111111-0000-4000-8000-000000000000");
    assert!(body["deadlineMs"].is_u64(), "{body}");
    assert!(body["invokedFunctionArn"].as_str().unwrap().ends_with(":function:orders"), "{body}");
}

#[test]
fn shutdown_comes_as_plain_text_to_those_who_asked_for_it() {
    let platform = platform(Mode::OnDemand);
    let (all, some) =
        (registered(&platform, NAME, BOTH), registered(&platform, "other", "\"INVOKE\""));
    let (all, some) = (next_meanwhile(&platform, &all), next_meanwhile(&platform, &some));
    platform.announce_shutdown("spindown");
    let event = all.join().unwrap();
    assert_eq!(event.headers["content-type"], "text/plain; charset=utf-8");
    let body = json(&event);
    assert_eq!(
        (body["eventType"].as_str(), body["shutdownReason"].as_str()),
        (Some("SHUTDOWN"), Some("spindown"))
    );
    assert!(body["deadlineMs"].is_u64(), "{body}");
    assert!(!some.is_finished());
    platform.announce_invocation("22222222-0000-4000-8000-000000000000");
    assert_eq!(json(&some.join().unwrap())["eventType"], "INVOKE");
}

#[test]
fn errors_are_reported_with_a_type_and_in_time() {
    let platform = platform(Mode::OnDemand);
    let report = |kind: &str, id: &str, error: &str| {
        let headers =
            [("lambda-extension-identifier", id), ("lambda-extension-function-error-type", error)];
        post(&platform, &format!("/2020-01-01/extension/{kind}/error"), &headers, "")
    };
    let id = registered(&platform, NAME, BOTH);
    assert_eq!(refusal(&report("init", &id, "")), (403, "Extension.MissingHeader".to_owned()));
    let accepted = report("init", &id, "Extension.ConfigInvalid");
    assert_eq!((accepted.status, json(&accepted)["status"].as_str()), (202, Some("OK")));
    // The first error counts, and there is no way on from it.
    assert_eq!(report("init", &id, "Extension.Other").status, 202);
    let state = "Extension.InvalidExtensionState".to_owned();
    assert_eq!(refusal(&next(&platform, &id)), (403, state.clone()));
    assert_eq!(refusal(&report("exit", &id, "Extension.Other")), (403, state.clone()));
    // After the first call of next it is too late for an error of Init.
    let second = registered(&platform, "other", BOTH);
    let waiting = next_meanwhile(&platform, &second);
    assert_eq!(refusal(&report("init", &second, "Extension.Late")), (403, state.clone()));
    platform.announce_invocation("33333333-0000-4000-8000-000000000000");
    waiting.join().unwrap();
    assert_eq!(report("exit", &second, "Extension.Crashed").status, 202);
    assert_eq!(refusal(&next(&platform, &second)), (403, state));
}
