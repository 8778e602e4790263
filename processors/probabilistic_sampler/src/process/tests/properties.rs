//! What holds for all items: fair shares, the same items everywhere, no input that it cannot bear.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use super::*;
use crate::sampler::{Arriving, Item};
use crate::trace_state::TraceState;
use crate::value::{Randomness, Threshold};

const MODES: [&str; 3] = ["hash_seed", "equalizing", "proportional"];

/// Trace ids that are the same in every run.
fn traces(count: usize) -> Vec<[u8; 16]> {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    (0..count).map(|_| random.u128(1..).to_be_bytes()).collect()
}

fn sampler(mode: &str, percentage: f64) -> Config {
    config(&format!("{{mode: {mode}, sampling_percentage: {percentage}, hash_seed: 9}}"))
}

fn spans(ids: &[[u8; 16]], state: &str) -> Payload {
    request(Signal::Traces, ids.iter().map(|id| span(id, state)))
}

fn records(ids: &[[u8; 16]]) -> Payload {
    request(Signal::Logs, ids.iter().map(|id| record(id)))
}

fn after(config: &Config, mut payload: Payload) -> Payload {
    sample(config, &mut payload);
    payload
}

/// What the spans that are left stand for, by their thresholds.
fn adjusted_count(payload: &Payload) -> f64 {
    let states = states(payload);
    let thresholds =
        states.iter().map(|state| TraceState::parse(state.as_bytes()).unwrap().threshold);
    thresholds.map(|threshold| 1.0 / threshold.unwrap().probability()).sum()
}

#[test]
fn share_that_is_kept_is_the_percentage() {
    const TRACES: usize = 40_000;
    let ids = traces(TRACES);
    for mode in MODES {
        for percentage in [1.0, 15.3, 50.0, 90.0] {
            let config = sampler(mode, percentage);
            let kept = after(&config, spans(&ids, "")).items() as f64;
            let (p, n) = (percentage / 100.0, TRACES as f64);
            let (expected, deviation) = (n * p, (n * p * (1.0 - p)).sqrt());
            let off = (kept - expected).abs() / deviation;
            assert!(off < 4.0, "{mode} {percentage}: {kept} are {off} deviations off {expected}");
        }
    }
}

#[test]
fn what_is_kept_stands_for_what_came() {
    const TRACES: usize = 20_000;
    let ids = traces(TRACES);
    for mode in MODES {
        for percentage in [5.0, 33.3] {
            let kept = after(&sampler(mode, percentage), spans(&ids, ""));
            let counted = adjusted_count(&kept);
            // Each of n items is counted as 1/p with probability p.
            let deviation = (TRACES as f64 * (100.0 / percentage - 1.0)).sqrt();
            let off = (counted - TRACES as f64).abs() / deviation;
            assert!(off < 4.0, "{mode} {percentage}: {counted} are {off} deviations off");
        }
    }
}

#[test]
fn spans_and_log_records_of_a_trace_share_its_fate_in_every_mode() {
    let ids = traces(2000);
    for mode in MODES {
        let config = sampler(mode, 30.0);
        let of_spans = kept(&after(&config, spans(&ids, "")));
        assert_eq!(of_spans, kept(&after(&config, records(&ids))), "{mode}");
        assert!(of_spans.len() > 500, "{mode}");
    }
}

#[test]
fn equalizing_and_proportional_agree_on_what_was_not_sampled_before() {
    let ids = traces(2000);
    for state in ["", "ot=th:0", "a=1,ot=rv:4fffffffffffff"] {
        let [equalizing, proportional] = ["equalizing", "proportional"]
            .map(|mode| after(&sampler(mode, 30.0), spans(&ids, state)));
        assert_eq!(equalizing.to_bytes(), proportional.to_bytes());
    }
}

#[test]
fn equalizing_twice_is_equalizing_to_the_smaller_share() {
    let ids = traces(2000);
    for (first, second) in [(50.0, 10.0), (10.0, 50.0), (33.3, 33.3), (100.0, 20.0)] {
        let once = after(&sampler("equalizing", f64::min(first, second)), spans(&ids, ""));
        let twice = after(&sampler("equalizing", first), spans(&ids, ""));
        let twice = after(&sampler("equalizing", second), twice);
        assert_eq!((kept(&once), states(&once)), (kept(&twice), states(&twice)));
    }
}

#[test]
fn proportional_twice_is_proportional_to_the_product() {
    let ids = traces(2000);
    // Shares that four digits hold, so that nothing is rounded on the way.
    for (first, second, both) in [(50.0, 25.0, 12.5), (75.0, 50.0, 37.5), (100.0, 6.25, 6.25)] {
        let once = after(&sampler("proportional", both), spans(&ids, ""));
        let twice = after(&sampler("proportional", first), spans(&ids, ""));
        let twice = after(&sampler("proportional", second), twice);
        assert_eq!((kept(&once), states(&once)), (kept(&twice), states(&twice)));
    }
}

#[test]
fn what_hash_seed_kept_is_sampled_on_by_the_same_hash() {
    let ids = traces(2000);
    let once = kept(&after(&sampler("hash_seed", 12.5), spans(&ids, "")));
    let hashed = after(&sampler("hash_seed", 50.0), spans(&ids, ""));
    let on = after(&sampler("equalizing", 12.5), hashed.clone());
    assert_eq!(once, kept(&on));
    let on = after(&sampler("proportional", 25.0), hashed.clone());
    assert_eq!(once, kept(&on));
    // By another hash it would be no consistent sample.
    let tally = sample(&sampler("hash_seed", 100.0), &mut hashed.clone());
    assert_eq!(tally.faults, [(Fault::RandomnessInUse, 0, hashed.items() as u64)]);
}

#[test]
fn other_seeds_take_other_traces() {
    let ids = traces(2000);
    let [first, second] = [1, 2].map(|seed| {
        let yaml = format!("{{sampling_percentage: 50, hash_seed: {seed}}}");
        kept(&after(&config(&yaml), spans(&ids, "")))
    });
    let both = first.iter().filter(|id| second.contains(id)).count();
    assert!((400..600).contains(&both), "{both} of 2000 are in both halves");
}

fn percentage() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=110.0, 1e-13..1e-3, select(vec![0.0, 0.39, 6.25, 50.0, 93.75, 99.999, 100.0])]
}

fn trace_id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => any::<[u8; 16]>().prop_map(|id| id.to_vec()), 1 => Just(vec![0; 16]), 1 => vec(any::<u8>(), 0..20)]
}

/// Trace states that are nearly sound, and some that are far from it.
fn trace_state() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        "th:[0-9a-f]{1,14}",
        "rv:[0-9a-f]{14}",
        "th:[0-9a-gA-F]{0,15}",
        "[a-z][a-z0-9]{0,2}:[a-z0-9._-]{0,4}",
        Just(String::new()),
    ];
    let member = prop_oneof![
        3 => vec(field, 0..4).prop_map(|fields| format!("ot={}", fields.join(";"))),
        2 => "[a-z][a-z0-9_*/-]{0,3}=[!-+./-9a-z]{1,4}",
        1 => "[ \t]{0,2}[a-z0-9]{1,3}(@[a-z0-9]{0,15})?=.{0,4}",
        1 => ".{0,6}",
    ];
    let sound = "(ot=th:[0-9a-f]{1,4}(;rv:[0-9a-f]{14})?)?(,a=1)?";
    let any = vec(member, 0..35).prop_map(|members| members.join(","));
    prop_oneof![2 => sound, 2 => any, 1 => ".{0,40}"]
}

/// An encoded `AnyValue`.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof!["[0-9a-f]{0,15}", "[+-]?[0-9]{0,3}(\\.[0-9])?", "nan|inf|.{0,5}"];
    prop_oneof![
        text.prop_map(|text| {
            let mut value = Vec::new();
            put_len(&mut value, 1, text.as_bytes());
            value
        }),
        any::<i8>().prop_map(|int| {
            let mut value = Vec::new();
            pdata::wire::put_uint(&mut value, 3, i64::from(int) as u64);
            value
        }),
        any::<f64>().prop_map(|double| {
            let mut value = Vec::new();
            pdata::wire::put_fixed64(&mut value, 4, double.to_bits());
            value
        }),
        vec(any::<u8>(), 0..4).prop_map(|bytes| {
            let mut value = Vec::new();
            put_len(&mut value, 7, &bytes);
            value
        }),
        Just(Vec::new()),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    const KEYS: &[&str] =
        &["sampling.threshold", "sampling.randomness", "sampling.priority", "id", "prio"];
    vec((select(KEYS), value()), 0..5)
}

fn settings() -> impl Strategy<Value = String> {
    let rest = (any::<u32>(), any::<bool>(), 1..=14_u8, any::<bool>());
    (select(&MODES[..]), percentage(), rest).prop_map(
        |(mode, percentage, (seed, closed, precision, by_trace))| {
            let source = if by_trace { "traceID" } else { "record" };
            format!(
                "{{mode: {mode}, sampling_percentage: {percentage:e}, hash_seed: {seed}, fail_closed: {closed}, \
                 sampling_precision: {precision}, attribute_source: {source}, from_attribute: id, sampling_priority: prio}}"
            )
        },
    )
}

proptest! {
    #[test]
    fn what_a_small_share_keeps_a_larger_one_keeps_too(
        mode in select(&MODES[..]),
        a in percentage(),
        b in percentage(),
        state in prop_oneof!["(ot=th:[0-9a-f]{1,3})?", "ot=rv:[0-9a-f]{14}"],
    ) {
        let ids = traces(60);
        let state = if mode == "hash_seed" { "" } else { &state };
        let small = kept(&after(&sampler(mode, a.min(b)), spans(&ids, state)));
        let large = kept(&after(&sampler(mode, a.max(b)), spans(&ids, state)));
        prop_assert!(small.iter().all(|id| large.contains(id)), "{mode} {a} {b} {state}");
    }

    #[test]
    fn threshold_never_falls_and_never_rejects_what_bears_it(
        yaml in settings(),
        trace_id in any::<[u8; 16]>(),
        threshold in proptest::option::of(0_u64..1 << 56),
        randomness in proptest::option::of(any::<u64>()),
    ) {
        let threshold = threshold.map(|t| Threshold::parse(format!("{t:014x}").as_bytes()).unwrap());
        let arriving = Arriving { threshold, randomness: randomness.map(Randomness::of_bits) };
        let item = Item { arriving: Ok(arriving), trace_id: Some(trace_id), attribute: None, priority: None };
        let config = config(&yaml);
        let decision = config.sampler.decide(&item, config.fail_closed);
        let Some(mark) = decision.mark else { return Ok(()) };
        prop_assert!(decision.sampled);
        let randomness = mark.randomness.or(arriving.randomness).unwrap_or(Randomness::of_trace_id(&trace_id));
        let stands = mark.threshold.or(threshold).unwrap();
        prop_assert!(stands.takes(randomness));
        if decision.fault.is_none() {
            prop_assert!(threshold.is_none_or(|before| before <= stands));
        }
    }

    #[test]
    fn no_span_is_too_odd(
        yaml in settings(),
        items in vec((trace_id(), trace_state(), attributes()), 0..6),
    ) {
        let spans = items.iter().map(|(id, state, attributes)| {
            let mut span = span(id, state);
            put_attributes(&mut span, 9, attributes);
            span
        });
        let payload = after(&config(&yaml), request(Signal::Traces, spans));
        let again = Payload::decode(Signal::Traces, payload.to_bytes()).unwrap().payload;
        prop_assert_eq!(again.items(), payload.items());
        for (text, (_, before, _)) in states(&payload).iter().zip(&items) {
            // What was written can be read, unless it grew too long; what could not be read was not written.
            let is_long = text.len() > 1024 || text.split(',').count() > 31;
            let is_sound = is_long || TraceState::parse(text.as_bytes()).is_ok();
            prop_assert!(is_sound || items.iter().any(|(_, state, _)| state == text), "{before:?} became {text:?}");
        }
    }

    #[test]
    fn no_log_record_is_too_odd(
        yaml in settings(),
        items in vec((trace_id(), attributes()), 0..6),
    ) {
        let records = items.iter().map(|(id, attributes)| {
            let mut record = record(id);
            put_attributes(&mut record, 6, attributes);
            record
        });
        let payload = after(&config(&yaml), request(Signal::Logs, records));
        let again = Payload::decode(Signal::Logs, payload.to_bytes()).unwrap().payload;
        prop_assert_eq!(again.items(), payload.items());
    }
}

fn put_attributes(out: &mut Vec<u8>, number: u32, attributes: &[(&str, Vec<u8>)]) {
    for (key, value) in attributes {
        put_message(out, number, |attribute| {
            put_len(attribute, 1, key.as_bytes());
            put_len(attribute, 2, value);
        });
    }
}
