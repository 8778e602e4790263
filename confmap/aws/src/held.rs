//! What was read last, for the time when AWS can't be reached.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::Failure;
use crate::reader::Reading;

/// The last answer to each question, for as long as the process lives. A configuration bounds its size.
pub(crate) struct Held<K, V> {
    values: Mutex<HashMap<K, (V, Instant)>>,
}

impl<K: Eq + Hash, V: Clone> Held<K, V> {
    /// Nothing is held yet.
    pub(crate) fn new() -> Self {
        Self { values: Mutex::default() }
    }

    /// Holds a new answer. In place of a failure that may pass by itself, gives the one that is held, if there is one.
    pub(crate) fn settle(
        &self,
        key: K,
        outcome: Result<V, Failure>,
    ) -> Result<Reading<V>, Failure> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(value) => {
                values.insert(key, (value.clone(), Instant::now()));
                Ok(Reading::new(value))
            }
            Err(failure) if failure.is_transient() => match values.get(&key) {
                Some((value, since)) => {
                    Ok(Reading { value: value.clone(), stale: Some((failure, since.elapsed())) })
                }
                None => Err(failure),
            },
            Err(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws::Cause;

    use super::*;

    fn refused(code: &str) -> Failure {
        let cause = Cause::Refused { code: code.to_owned(), message: String::new() };
        Failure::of_call("ssm", "GetParameters", cause)
    }

    #[test]
    fn only_a_passing_failure_is_bridged_and_only_by_what_was_read() {
        let held: Held<&str, u32> = Held::new();
        let settle = |key, outcome| {
            held.settle(key, outcome).map(|reading| (reading.value, reading.stale.is_some())).ok()
        };
        assert_eq!(settle("a", Err(refused("ThrottlingException"))), None);
        assert_eq!(settle("a", Ok(1)), Some((1, false)));
        assert_eq!(settle("a", Err(refused("ThrottlingException"))), Some((1, true)));
        assert!(held.settle("b", Err(refused("ThrottlingException"))).is_err());
        assert!(held.settle("a", Err(refused("AccessDeniedException"))).is_err());
        assert!(held.settle("a", Err(refused("ParameterNotFound"))).is_err());
    }
}
