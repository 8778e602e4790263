//! Many invocations: memory must not grow with their number.

use tests::lambda::Mode;

use super::bed::{Bed, rounds};

/// What the extension may hold at the end, with a binary of the size that ships.
const RESIDENT_MAX: u64 = 20 << 20;

/// What ships, at most. A debug build has more than that of itself in memory, which is no concern of this test's.
const BINARY_MAX: u64 = 8 << 20;

/// `HIKYAKU_LAMBDA_INVOCATIONS` sets the number.
#[test]
fn memory_does_not_grow_with_the_number_of_invocations() {
    let bed = Bed::new().with_events();
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_STRATEGY", "auto");
    let mut sandbox = setup.start();
    sandbox.deliver_at_once();
    let count = rounds("HIKYAKU_LAMBDA_INVOCATIONS", 2000);
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        ids.extend(sandbox.invoke(|invocation| {
            invocation.log(&format!("invocation {number}"));
            bed.send(1)
        }));
        if number % 500 == 499 {
            bed.backend.keep_spans_only();
        }
    }
    let own = sandbox.process().anonymous_bytes();
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    bed.assert_all_came(&ids);
    assert!(own <= RESIDENT_MAX - BINARY_MAX, "{own} bytes of its own after {count} invocations");
}
