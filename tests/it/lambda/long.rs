//! Many invocations: memory must not grow with their number.

use tests::lambda::Mode;

use super::bed::{Bed, rounds};

/// What the extension may hold at the end.
const RESIDENT_MAX: u64 = 20 << 20;

/// `HIKYAKU_LAMBDA_INVOCATIONS` sets the number.
#[test]
fn memory_does_not_grow_with_the_number_of_invocations() {
    let bed = Bed::new().with_events();
    let setup = bed.setup(Mode::OnDemand).variable("HIKYAKU_FLUSH_STRATEGY", "auto");
    let mut sandbox = setup.start();
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
    let resident = sandbox.process().resident_bytes();
    let gone = sandbox.shutdown();
    assert_eq!(gone.code, Some(0), "{}", gone.log);
    bed.backend.assert_delivered_once(&ids);
    assert!(resident <= RESIDENT_MAX, "{:.1} MiB after {count}", resident as f64 / 1048576.0);
}
