//! Invocations under way.

use lambda::TraceContext;
use std::collections::VecDeque;

use crate::ids;

/// Invocations that are remembered at most. On-demand there are two, on Managed Instances as many as run at once.
const REMEMBERED_MAX: usize = 1024;

/// The invocations that have begun and whose report has not come, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    known: VecDeque<(String, Invocation)>,
}

/// What is known of an invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Invocation {
    /// When it began, in nanoseconds since 1970.
    pub(crate) start: Option<u64>,
    /// The trace that it belongs to.
    pub(crate) trace: Option<TraceContext>,
    /// The id of its span.
    pub(crate) span_id: [u8; 8],
    /// Whether the id is the platform's own, which X-Ray knows already.
    pub(crate) is_platforms_span: bool,
    /// Whether its end has been counted.
    pub(crate) is_done: bool,
}

impl Invocations {
    /// The invocation of this request, which is begun with `begin` if it is new.
    pub(crate) fn of(
        &mut self,
        request_id: &str,
        begin: impl FnOnce() -> Invocation,
    ) -> &mut Invocation {
        let place = match self.place(request_id) {
            Some(place) => place,
            None => {
                if self.known.len() >= REMEMBERED_MAX {
                    self.known.pop_front();
                }
                self.known.push_back((request_id.to_owned(), begin()));
                self.known.len() - 1
            }
        };
        &mut self.known.get_mut(place).expect("the place was found or made above").1
    }

    /// The invocation of this request, which is forgotten.
    pub(crate) fn take(&mut self, request_id: &str) -> Option<Invocation> {
        let place = self.place(request_id)?;
        self.known.remove(place).map(|(_, invocation)| invocation)
    }

    fn place(&self, request_id: &str) -> Option<usize> {
        self.known.iter().rposition(|(known, _)| known == request_id)
    }
}

impl Invocation {
    /// An invocation that begins now, in this trace, with the platform's span where it has told one.
    pub(crate) fn new(
        start: Option<u64>,
        trace: Option<TraceContext>,
        platforms_span: Option<[u8; 8]>,
    ) -> Self {
        Self {
            start,
            trace,
            span_id: platforms_span.unwrap_or_else(ids::random),
            is_platforms_span: platforms_span.is_some(),
            is_done: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_are_found_until_they_are_taken_and_the_oldest_give_way() {
        let mut invocations = Invocations::default();
        let begin = |start: u64| move || Invocation::new(Some(start), None, None);
        invocations.of("a", begin(1)).is_done = true;
        assert!(invocations.of("a", begin(2)).is_done, "it is the same one");
        assert_eq!(invocations.take("a").unwrap().start, Some(1));
        assert_eq!(invocations.take("a"), None);
        for number in 0..=REMEMBERED_MAX {
            let _new = invocations.of(&number.to_string(), begin(0));
        }
        assert_eq!(invocations.take("0"), None);
        assert!(invocations.take("1").is_some());
    }
}
