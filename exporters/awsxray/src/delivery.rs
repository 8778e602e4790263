//! How far a call has come: documents that are still to be sent, and those that X-Ray refused. A document goes again only if X-Ray said that
//! it may, or said nothing.

use std::collections::BTreeSet;

use exporter_helper::{Progress, Reason, SendError, Sent};
use pipeline::GrpcCode;

use crate::answer::{Unprocessed, Verdict};
use crate::translate::Call;

/// Calls that the search for a bad document may cost: enough to find one of fifty.
const SEARCH_CALLS_MAX: usize = 16;

/// How far a call has come.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Spans of the call.
    spans: usize,
    /// Documents that are to be sent, by their places in the call, in groups that are sent together. The last one comes next.
    waiting: Vec<Vec<usize>>,
    /// Documents that may be sent again, after a while.
    throttled: Vec<usize>,
    /// Spans of those documents, and of those that wait.
    open: BTreeSet<usize>,
    /// Spans of which a document was refused.
    refused: BTreeSet<usize>,
    /// Documents that were refused without a word on which they are.
    nameless: usize,
    /// The span of each document.
    span_of: Vec<usize>,
    /// What X-Ray said of the first that it refused, and how many it refused so.
    said: Option<(Reason, usize)>,
    /// The error that has documents wait.
    throttling: Option<Reason>,
    searched: usize,
    /// Whether new credentials have been tried since the last answer.
    renewed: bool,
}

impl Delivery {
    /// Nothing has been sent.
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            spans: call.spans,
            waiting: vec![(0..call.documents.len()).collect()],
            throttled: Vec::new(),
            open: (0..call.spans).collect(),
            refused: BTreeSet::new(),
            nameless: 0,
            span_of: call.documents.iter().map(|document| document.span).collect(),
            said: None,
            throttling: None,
            searched: 0,
            renewed: false,
        }
    }

    /// The documents to send next, if there are any.
    pub(crate) fn next(&mut self) -> Option<Vec<usize>> {
        if self.waiting.is_empty() && !self.throttled.is_empty() && self.throttling.is_none() {
            self.waiting.push(std::mem::take(&mut self.throttled));
        }
        self.waiting.last().cloned()
    }

    /// The credentials had expired: new ones are tried once at once, and then with the next attempt.
    pub(crate) fn expired(&mut self, error: &SendError) -> Result<(), SendError> {
        if std::mem::replace(&mut self.renewed, true) {
            self.renewed = false;
            return Err(error.clone());
        }
        Ok(())
    }

    /// Takes in what X-Ray said of documents that were sent. An error ends the attempt.
    pub(crate) fn heard(
        &mut self,
        call: &Call,
        documents: &[usize],
        verdict: Verdict,
    ) -> Result<(), SendError> {
        self.renewed = false;
        match verdict {
            Verdict::Taken(unprocessed) => {
                self.waiting.pop();
                self.sort(call, documents, unprocessed);
                Ok(())
            }
            // One of them is at fault: which one, its half will tell.
            Verdict::Refused(_) if documents.len() > 1 && self.searched < SEARCH_CALLS_MAX => {
                self.searched += 2;
                self.waiting.pop();
                let (first, second) = documents.split_at(documents.len() / 2);
                self.waiting.extend([second.to_vec(), first.to_vec()]);
                Ok(())
            }
            Verdict::Refused(error) if documents.len() < self.span_of.len() => {
                self.waiting.pop();
                self.refuse(documents, error.reason().clone());
                Ok(())
            }
            Verdict::Refused(error) | Verdict::Expired(error) | Verdict::Failed(error) => {
                Err(error)
            }
        }
    }

    /// Sorts documents of a call that was taken.
    fn sort(&mut self, call: &Call, documents: &[usize], unprocessed: Vec<Unprocessed>) {
        for one in unprocessed {
            let place = documents.iter().copied().find(|place| {
                let document = call.documents.get(*place);
                document.is_some_and(|document| call.id(document) == one.id.as_bytes())
            });
            match place {
                Some(place) if one.is_temporary() => {
                    self.throttled.push(place);
                    self.throttling = Some(text_of(&one, call, Some(place)));
                }
                Some(place) => self.refuse(&[place], text_of(&one, call, Some(place))),
                None => {
                    self.nameless += 1;
                    self.note(text_of(&one, call, None), 1);
                }
            }
        }
        self.close();
    }

    fn refuse(&mut self, documents: &[usize], reason: Reason) {
        let spans = documents.iter().filter_map(|document| self.span_of.get(*document));
        self.refused.extend(spans);
        self.note(reason, documents.len());
        self.close();
    }

    fn note(&mut self, reason: Reason, documents: usize) {
        match &mut self.said {
            Some((_, others)) => *others += documents,
            said @ None => *said = Some((reason, documents)),
        }
    }

    /// Sees which spans are done.
    fn close(&mut self) {
        let left = self.waiting.iter().flatten().chain(&self.throttled);
        self.open = left.filter_map(|document| self.span_of.get(*document)).copied().collect();
    }

    /// How an attempt ended in which everything was sent that was to be.
    pub(crate) fn outcome(&mut self) -> Result<Sent, SendError> {
        if let Some(reason) = self.throttling.take() {
            return Err(SendError::Retryable {
                code: Some(GrpcCode::ResourceExhausted),
                delay: None,
                reason,
            });
        }
        let said = self.said.take().map(|(reason, documents)| match documents {
            1 => reason,
            _ => Reason::new(format!("{documents} documents; the first: {reason}")),
        });
        Ok(Sent::partly(self.rejected(), said))
    }

    /// What has been achieved.
    pub(crate) fn progress(&self) -> Progress {
        let rejected = self.rejected();
        let open = self.open.difference(&self.refused).count();
        Progress { delivered: self.spans.saturating_sub(open + rejected), rejected }
    }

    /// Spans that X-Ray refused.
    fn rejected(&self) -> usize {
        let open = self.open.difference(&self.refused).count();
        (self.refused.len() + self.nameless).min(self.spans - open.min(self.spans))
    }
}

/// What X-Ray said of a document, with the ids by which it is found.
fn text_of(one: &Unprocessed, call: &Call, place: Option<usize>) -> Reason {
    let Unprocessed { id, error_code, message } = one;
    let document = place.and_then(|place| call.documents.get(place));
    let trace = document.map(|document| String::from_utf8_lossy(call.trace_id(document)));
    let of = match trace {
        Some(trace) => format!("segment {id} of trace {trace}"),
        None if id.is_empty() => "a segment without an id".to_owned(),
        None => format!("segment {id}, which was not sent"),
    };
    Reason::new(format!("X-Ray did not process {of}: {error_code}: {message}"))
}

#[cfg(test)]
mod tests;
