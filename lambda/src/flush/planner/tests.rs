use super::*;

const MS: Duration = Duration::from_millis(1);

fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(ms)
}

fn some(since: u64) -> Waiting {
    Waiting { items: 1, since: Some(at(since)), is_much: false }
}

const NOTHING: Waiting = Waiting { items: 0, since: None, is_much: false };

fn planner(strategy: Strategy) -> Planner {
    Planner::new(Settings { strategy, ..Settings::default() })
}

/// The end of a handler of ten milliseconds, with minutes until it times out.
fn ended(planner: &mut Planner, now: u64, waiting: Waiting) -> Holding {
    planner.ended(at(now), at(now + 180_000), Ended::Well, waiting, None)
}

/// A planner that has seen invocations every `gap` milliseconds, each of ten, with flushes of `flush` milliseconds. The last invocation
/// ended at the time that is returned.
fn used(strategy: Strategy, gap: u64, flush: u64) -> (Planner, u64) {
    let mut planner = planner(strategy);
    // Late enough for data that is older.
    let mut now = 1_000_000;
    for _ in 0..20 {
        planner.invoked(at(now), NOTHING);
        ended(&mut planner, now + 10, NOTHING);
        planner.flushed(at(now + 10), MS * u32::try_from(flush).unwrap());
        now += gap;
    }
    (planner, now - gap + 10)
}

#[test]
fn end_sends_beside_the_handler_and_waits_for_the_rest() {
    let mut planner = planner(Strategy::End);
    assert_eq!(planner.invoked(at(0), some(0)), Opening::Send);
    assert!(planner.look(at(50), some(20)));
    assert_eq!(ended(&mut planner, 60, some(20)), Holding::For(MS * 1000));
    assert_eq!(ended(&mut planner, 60, NOTHING), Holding::Not);
}

#[test]
fn auto_waits_while_it_does_not_know_when_the_next_invocation_comes() {
    let mut planner = planner(Strategy::Auto);
    assert_eq!(planner.invoked(at(0), NOTHING), Opening::Hold);
    assert!(planner.look(at(50), some(20)));
    assert_eq!(ended(&mut planner, 60, some(20)), Holding::For(MS * 1000));
    let (mut rare, now) = used(Strategy::Auto, 20_000, 5);
    assert_eq!(ended(&mut rare, now, some(now)), Holding::For(MS * 1000));
}

#[test]
fn auto_leaves_data_for_the_next_invocation_when_one_is_expected() {
    let (mut planner, now) = used(Strategy::Auto, 100, 20);
    assert!(!planner.look(at(now), some(now - 5)));
    assert_eq!(ended(&mut planner, now, some(now - 5)), Holding::Not);
    // A flush of 20 ms does not fit beside a handler of 10 ms.
    assert_eq!(planner.invoked(at(now + 90), some(now - 5)), Opening::Hold);
    let (mut planner, now) = used(Strategy::Auto, 100, 4);
    assert_eq!(planner.invoked(at(now + 90), some(now - 5)), Opening::Send);
}

#[test]
fn auto_waits_for_data_that_would_be_too_old_otherwise() {
    let (mut planner, now) = used(Strategy::Auto, 100, 20);
    let old = some(now - 9_850);
    assert_eq!(planner.invoked(at(now), old), Opening::Send);
    assert_eq!(ended(&mut planner, now + 10, old), Holding::For(MS * 1000));
    assert!(planner.look(at(now), Waiting { is_much: true, ..some(now) }));
}

#[test]
fn auto_waits_when_the_function_failed_or_much_is_held() {
    let (mut planner, now) = used(Strategy::Auto, 100, 20);
    let badly = planner.ended(at(now), at(now + 9_000), Ended::Badly, some(now - 5), None);
    assert_eq!(badly, Holding::For(MS * 1000));
    let much = Waiting { is_much: true, ..some(now - 5) };
    assert_eq!(ended(&mut planner, now, much), Holding::For(MS * 1000));
}

#[test]
fn auto_sends_beside_a_handler_that_runs_on_and_on() {
    let (mut planner, now) = used(Strategy::Auto, 100, 20);
    planner.invoked(at(now), NOTHING);
    assert!(!planner.look(at(now + 1_000), some(now + 50)));
    assert!(planner.look(at(now + 1_050), some(now + 50)));
}

#[test]
fn a_long_break_is_no_gap_and_what_was_known_before_it_is_forgotten() {
    let (mut planner, now) = used(Strategy::Auto, 100, 20);
    let later = now + 400_000;
    planner.invoked(at(later), NOTHING);
    assert_eq!(ended(&mut planner, later + 10, some(later)), Holding::For(MS * 1000));
}

#[test]
fn periodic_flushes_when_the_interval_is_over_and_waits_for_what_is_under_way() {
    let (mut planner, now) = used(Strategy::Periodic(MS * 5_000), 100, 20);
    assert_eq!(planner.invoked(at(now + 4_000), some(now)), Opening::Hold);
    assert_eq!(ended(&mut planner, now + 4_010, some(now)), Holding::Not);
    assert_eq!(planner.invoked(at(now + 5_000), some(now)), Opening::Send);
    let under_way = Some(at(now + 5_000));
    let holding =
        planner.ended(at(now + 5_010), at(now + 9_000), Ended::Well, some(now), under_way);
    assert_eq!(holding, Holding::For(MS * 1000));
}

#[test]
fn periodic_does_not_wait_for_a_clock_that_was_set_back() {
    let (mut planner, now) = used(Strategy::Periodic(MS * 5_000), 100, 20);
    assert_eq!(planner.invoked(at(now - 500_000), some(now - 500_000)), Opening::Send);
}

#[test]
fn continuous_waits_for_old_data_only_and_a_moment_for_what_is_under_way() {
    let (mut planner, now) = used(Strategy::Continuous, 100, 20);
    assert_eq!(planner.invoked(at(now), some(now)), Opening::Send);
    assert_eq!(ended(&mut planner, now + 10, some(now)), Holding::Not);
    let holding =
        planner.ended(at(now + 10), at(now + 9_000), Ended::Well, some(now), Some(at(now)));
    assert_eq!(holding, Holding::Briefly(MS * 50));
    assert_eq!(ended(&mut planner, now, some(now - 9_900)), Holding::For(MS * 1000));
}

#[test]
fn what_was_recalled_is_not_sent_beside_the_next_short_handler() {
    for strategy in [Strategy::Auto, Strategy::Continuous] {
        let (mut planner, now) = used(strategy, 100, 4);
        assert_eq!(planner.invoked(at(now), some(now)), Opening::Send, "{strategy:?}");
        planner.recalled();
        assert_eq!(planner.invoked(at(now + 100), some(now)), Opening::Hold, "{strategy:?}");
        assert!(!planner.look(at(now + 150), some(now)), "{strategy:?}");
        let old = some(now - 10_000);
        assert_eq!(planner.invoked(at(now + 200), old), Opening::Send, "{strategy:?}");
        planner.flushed(at(now + 210), MS * 4);
        assert_eq!(planner.invoked(at(now + 300), some(now)), Opening::Send, "{strategy:?}");
    }
}

#[test]
fn after_a_wait_in_vain_nobody_waits_for_a_time_that_doubles() {
    let mut planner = planner(Strategy::End);
    planner.invoked(at(0), NOTHING);
    assert!(planner.held_in_vain(at(0)));
    assert_eq!(ended(&mut planner, 1_999, some(0)), Holding::Not);
    assert_eq!(planner.invoked(at(1_999), some(0)), Opening::Hold);
    assert!(!planner.look(at(1_999), some(0)));
    assert_eq!(ended(&mut planner, 2_000, some(0)), Holding::For(MS * 1000));
    assert!(!planner.held_in_vain(at(3_000)));
    assert_eq!(ended(&mut planner, 6_999, some(0)), Holding::Not);
    for _ in 0..10 {
        planner.held_in_vain(at(10_000));
    }
    assert_eq!(ended(&mut planner, 70_000, some(0)), Holding::For(MS * 1000));
    planner.held_in_vain(at(100_000));
    // The clock was set back by a day.
    assert_eq!(planner.invoked(at(100_000) - MS * 86_400_000, some(0)), Opening::Send);
    planner.flushed(at(100_001), MS);
    assert_eq!(ended(&mut planner, 100_002, some(0)), Holding::For(MS * 1000));
}

#[test]
fn nobody_waits_into_the_functions_timeout() {
    let mut planner = planner(Strategy::End);
    let holding = |planner: &mut Planner, left: u64| {
        planner.ended(at(0), at(left), Ended::Well, some(0), None)
    };
    assert_eq!(holding(&mut planner, 400), Holding::For(MS * 250));
    assert_eq!(holding(&mut planner, 150), Holding::Not);
    assert_eq!(holding(&mut planner, 0), Holding::Not);
}

#[test]
fn an_unnoticed_end_is_waited_for_until_shortly_before_the_timeout() {
    let mut planner = planner(Strategy::End);
    assert_eq!(planner.end_of_waiting(at(0), at(3_000)), MS * 2_850);
    assert_eq!(planner.end_of_waiting(at(0), at(200)), MS * 100);
    assert_eq!(planner.end_of_waiting(at(5), at(0)), Duration::ZERO);
    planner.flushed(at(0), MS * 200);
    assert_eq!(planner.end_of_waiting(at(0), at(3_000)), MS * 2_400);
}

#[test]
fn a_flush_that_is_about_to_end_is_waited_for_and_one_that_hangs_is_not() {
    let holding = |flush: u64, since: u64| {
        let (mut planner, now) = used(Strategy::Auto, 100, flush);
        planner.ended(at(now), at(now + 9_000), Ended::Well, some(now), Some(at(now - since)))
    };
    // Three times what flushes take is the longest that one is given.
    assert_eq!(holding(4, 2), Holding::Briefly(MS * 10));
    assert_eq!(holding(4, 1_000), Holding::Briefly(MS * 3));
    assert_eq!(holding(400, 2), Holding::Briefly(MS * 50));
}

#[test]
fn connections_are_opened_where_something_is_likely_sent_at_the_end() {
    let mut rare = planner(Strategy::Auto);
    rare.invoked(at(0), NOTHING);
    assert!(rare.warms(at(0)), "the first invocation");
    rare.invoked(at(60_000), NOTHING);
    assert!(!rare.warms(at(60_000)), "nothing was sent");
    rare.flushed(at(60_010), MS);
    rare.invoked(at(120_000), NOTHING);
    assert!(rare.warms(at(120_000)));
    rare.flushed(at(120_010), MS);
    rare.held_in_vain(at(120_020));
    assert!(!rare.warms(at(120_030)), "the backend is down");
    let (mut frequent, now) = used(Strategy::Auto, 100, 20);
    frequent.invoked(at(now + 90), NOTHING);
    assert!(!frequent.warms(at(now + 90)), "nothing is sent at the end");
}
