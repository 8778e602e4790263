use exporter_helper::About;
use pdata::sample;

use super::*;
use crate::translate::{Options, translate};

fn call(spans: u64) -> Call {
    translate(&sample::traces(spans), &Options::default()).calls.remove(0)
}

fn unprocessed(call: &Call, documents: &[usize], code: &str) -> Verdict {
    let one = |place: &usize| Unprocessed {
        id: String::from_utf8(call.id(&call.documents[*place]).to_vec()).unwrap(),
        error_code: code.to_owned(),
        message: "m".to_owned(),
    };
    Verdict::Taken(documents.iter().map(one).collect())
}

fn refused() -> SendError {
    let reason = Reason::new("bad request");
    SendError::Permanent { about: About::Request, code: None, reason }
}

#[test]
fn all_documents_go_at_once_and_are_done() {
    let call = call(5);
    let mut delivery = Delivery::of(&call);
    let documents = delivery.next().unwrap();
    assert_eq!(documents, [0, 1, 2, 3, 4]);
    delivery.heard(&call, &documents, Verdict::Taken(Vec::new())).unwrap();
    assert_eq!(delivery.next(), None);
    assert_eq!(delivery.outcome(), Ok(Sent::all()));
    assert_eq!(delivery.progress(), Progress { delivered: 5, rejected: 0 });
}

#[test]
fn refused_documents_are_counted_and_throttled_ones_go_again() {
    let call = call(5);
    let mut delivery = Delivery::of(&call);
    let all = delivery.next().unwrap();
    let Verdict::Taken(mut said) = unprocessed(&call, &[1], "InvalidSegment") else { panic!() };
    let Verdict::Taken(more) = unprocessed(&call, &[3, 4], "ThrottlingException") else { panic!() };
    said.extend(more);
    delivery.heard(&call, &all, Verdict::Taken(said)).unwrap();
    assert_eq!(delivery.next(), None, "not before a while");
    let error = delivery.outcome().unwrap_err();
    assert!(error.is_retryable());
    let id = String::from_utf8_lossy(call.id(&call.documents[4])).into_owned();
    assert!(error.to_string().contains(&format!("segment {id} of trace 1-")), "{error}");
    assert!(error.to_string().contains("ThrottlingException: m"), "{error}");
    assert_eq!(delivery.progress(), Progress { delivered: 2, rejected: 1 });

    assert_eq!(delivery.next(), Some(vec![3, 4]));
    delivery.heard(&call, &[3, 4], Verdict::Taken(Vec::new())).unwrap();
    let sent = delivery.outcome().unwrap();
    assert_eq!(sent.rejected, 1);
    let said = sent.message.unwrap();
    assert!(said.as_str().contains("InvalidSegment: m"), "{said}");
    assert_eq!(delivery.progress(), Progress { delivered: 4, rejected: 1 });
}

#[test]
fn what_is_refused_without_an_id_is_counted() {
    let call = call(3);
    let mut delivery = Delivery::of(&call);
    let all = delivery.next().unwrap();
    let error_code = "JSONFormatError".to_owned();
    let nameless = Unprocessed { error_code, ..Unprocessed::default() };
    let said = vec![nameless.clone(), nameless];
    delivery.heard(&call, &all, Verdict::Taken(said)).unwrap();
    let sent = delivery.outcome().unwrap();
    assert_eq!(sent.rejected, 2);
    let text = sent.message.unwrap();
    assert!(text.as_str().starts_with("2 documents; the first: "), "{text}");
    assert!(text.as_str().contains("a segment without an id: JSONFormatError"), "{text}");
}

#[test]
fn more_refusals_than_documents_are_not_more_than_all_spans() {
    let call = call(2);
    let mut delivery = Delivery::of(&call);
    let all = delivery.next().unwrap();
    let said = vec![Unprocessed::default(); 9];
    delivery.heard(&call, &all, Verdict::Taken(said)).unwrap();
    assert_eq!(delivery.outcome().unwrap().rejected, 2);
}

#[test]
fn documents_of_a_refused_call_are_searched_for_the_one_at_fault() {
    let call = call(8);
    let mut delivery = Delivery::of(&call);
    let mut calls = 0;
    while let Some(documents) = delivery.next() {
        calls += 1;
        let verdict = match documents.contains(&5) {
            true => Verdict::Refused(refused()),
            false => Verdict::Taken(Vec::new()),
        };
        delivery.heard(&call, &documents, verdict).unwrap();
    }
    assert_eq!(calls, 7);
    let sent = delivery.outcome().unwrap();
    assert_eq!(sent.rejected, 1);
    assert_eq!(sent.message.unwrap().as_str(), "bad request");
}

#[test]
fn search_has_an_end_and_an_only_document_none() {
    let big = call(50);
    let mut delivery = Delivery::of(&big);
    let mut calls = 0;
    while let Some(documents) = delivery.next() {
        calls += 1;
        delivery.heard(&big, &documents, Verdict::Refused(refused())).unwrap();
    }
    assert!(calls <= SEARCH_CALLS_MAX + 1, "{calls} calls");
    assert_eq!(delivery.outcome().unwrap().rejected, 50);

    let small = call(1);
    let mut delivery = Delivery::of(&small);
    let error = delivery.heard(&small, &[0], Verdict::Refused(refused())).unwrap_err();
    assert_eq!(error, refused());
}

#[test]
fn a_failed_call_goes_again_as_it_was() {
    let call = call(4);
    let mut delivery = Delivery::of(&call);
    let all = delivery.next().unwrap();
    let failed = Verdict::Failed(SendError::network(Reason::new("down")));
    assert!(delivery.heard(&call, &all, failed).is_err());
    assert_eq!(delivery.progress(), Progress::default());
    assert_eq!(delivery.next(), Some(all));
}

#[test]
fn new_credentials_are_tried_once_at_once() {
    let call = call(1);
    let mut delivery = Delivery::of(&call);
    let error = SendError::network(Reason::new("expired"));
    assert!(delivery.expired(&error).is_ok());
    assert!(delivery.expired(&error).is_err());
    assert!(delivery.expired(&error).is_ok(), "with the next attempt, again");
}
