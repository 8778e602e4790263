//! Reads what references name: each once, those of one place together, all places at the same time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use confmap::{BoxFuture, ProviderError, Reference, Retrieved, join_all};

use crate::held::Held;
use crate::{At, Aws, Failure, Place, describe};

/// Reads values `V` by their names `N`, and keeps them for the time when AWS can't be reached.
pub struct Reader<N, V> {
    aws: Aws,
    held: Held<(At, N), V>,
}

/// What was read of some names.
pub type Answers<N, V> = Vec<(N, Result<V, Failure>)>;

/// A value, as new as could be.
#[derive(Clone)]
pub struct Reading<V> {
    /// The value.
    pub value: V,
    /// Why it is not new, and how old it is.
    pub(crate) stale: Option<(Failure, Duration)>,
}

impl<N: Clone + Eq + Hash, V: Clone> Reader<N, V> {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { aws, held: Held::new() }
    }

    /// A resolution begins.
    pub fn begin(&self) {
        self.aws.begin();
    }

    /// What references yield, in that order: each is parsed, what it asks for is read with the rest, and an answer made of the reading.
    /// `ask` gets the names of one place, none of them twice. A reference that makes no sense asks nothing.
    pub async fn retrieve<'a, S>(
        &'a self,
        references: &[Reference],
        parse: impl Fn(&Reference) -> Result<S, ProviderError>,
        question: impl Fn(&S) -> (Place, N),
        ask: impl Fn(&'a Aws, At, Vec<N>) -> BoxFuture<'a, Answers<N, V>>,
        answer: impl Fn(&Reference, &S, Result<Reading<V>, Failure>) -> Result<Retrieved, ProviderError>,
    ) -> Vec<Result<Retrieved, ProviderError>> {
        let specs: Vec<_> = references.iter().map(parse).collect();
        let questions = specs.iter().flatten().map(question).collect();
        let mut readings = self.read(questions, ask).await.into_iter();
        let answers = references.iter().zip(specs).map(|(reference, spec)| {
            let spec = spec?;
            let reading = readings.next().unwrap_or_else(|| Err(Failure::unanswered()));
            answer(reference, &spec, reading)
        });
        answers.collect()
    }

    /// Reads what is asked for, in that order.
    async fn read<'a>(
        &'a self,
        questions: Vec<(Place, N)>,
        ask: impl Fn(&'a Aws, At, Vec<N>) -> BoxFuture<'a, Answers<N, V>>,
    ) -> Vec<Result<Reading<V>, Failure>> {
        let places: Vec<&Place> = questions.iter().map(|(place, _)| place).collect();
        let located = self.aws.locate(&places).await;
        let names = questions.into_iter().map(|(_, name)| name);
        let questions: Vec<Result<(At, N), Failure>> =
            located.into_iter().zip(names).map(|(at, name)| Ok((at?, name))).collect();
        let groups = group(questions.iter().flatten());
        let asked = groups.iter().map(|(at, names)| ask(&self.aws, at.clone(), names.clone()));
        let answers = join_all(asked.collect()).await;
        let mut readings = HashMap::new();
        for ((at, _), answers) in groups.iter().zip(answers) {
            for (name, answer) in answers {
                let question = (at.clone(), name);
                let reading = self.held.settle(question.clone(), answer);
                readings.insert(question, reading);
            }
        }
        let reading = |question: Result<(At, N), Failure>| {
            readings.get(&question?).cloned().unwrap_or_else(|| Err(Failure::unanswered()))
        };
        questions.into_iter().map(reading).collect()
    }
}

impl<V> Reading<V> {
    /// A value that was read now.
    #[must_use]
    pub fn new(value: V) -> Self {
        Self { value, stale: None }
    }

    /// Says of what it yields that it is not new, if so.
    #[must_use]
    pub fn warn(&self, reference: &Reference, retrieved: Retrieved) -> Retrieved {
        match &self.stale {
            None => retrieved,
            Some((failure, age)) => retrieved.warning(format!(
                "{}; the value read {} s ago stays in use",
                describe(reference, failure),
                age.as_secs()
            )),
        }
    }
}

/// Puts names in order of their places, each once.
fn group<'a, N: Clone + Eq + 'a>(
    questions: impl Iterator<Item = &'a (At, N)>,
) -> Vec<(At, Vec<N>)> {
    let mut groups: Vec<(At, Vec<N>)> = Vec::new();
    for (at, name) in questions {
        match groups.iter_mut().find(|(known, _)| known == at) {
            Some((_, names)) if names.contains(name) => {}
            Some((_, names)) => names.push(name.clone()),
            None => groups.push((at.clone(), vec![name.clone()])),
        }
    }
    groups
}

/// Without names and values.
impl<N, V> fmt::Debug for Reader<N, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws::{Cause, Environment};

    use super::*;

    fn place(region: &str) -> Place {
        Place { region: (!region.is_empty()).then(|| region.to_owned()), role: None }
    }

    #[tokio::test]
    async fn each_name_is_asked_for_once_with_the_others_of_its_place() {
        let environment = Environment::of([("AWS_REGION", "eu-west-1"), ("HOME", "/nonexistent")]);
        let reader: Reader<u8, u8> = Reader::new(Aws::new(environment));
        let asked = Mutex::new(Vec::new());
        let question = |region: &str, name| (place(region), name);
        // The region that is named is the one that is not.
        let questions = vec![
            question("", 1),
            question("eu-north-1", 1),
            question("eu-west-1", 2),
            question("", 1),
            question("Ireland", 3),
        ];
        let read = reader.read(questions, |_, _, names| {
            asked.lock().unwrap().push(names.clone());
            Box::pin(std::future::ready(
                names.into_iter().map(|name| (name, Ok(name * 10))).collect(),
            ))
        });
        let read: Vec<_> =
            read.await.into_iter().map(|read| read.ok().map(|read| read.value)).collect();
        assert_eq!(read, [Some(10), Some(10), Some(20), Some(10), None]);
        assert_eq!(*asked.lock().unwrap(), [vec![1, 2], vec![1]]);
    }

    #[tokio::test]
    async fn a_value_is_kept_for_the_time_when_it_cannot_be_read_and_said_to_be_old() {
        let reader: Reader<u8, &str> =
            Reader::new(Aws::new(Environment::of([("HOME", "/nonexistent")])));
        let refused = |code: &str| {
            let cause = Cause::Refused { code: code.to_owned(), message: String::new() };
            Failure::of_call("ssm", "GetParameters", cause)
        };
        let answers = [Ok("canary"), Err(refused("Throttling")), Err(refused("AccessDenied"))];
        let mut readings = Vec::new();
        for answer in answers {
            let questions = vec![(place("eu-west-1"), 1)];
            let answers = vec![(1, answer)];
            let ask = |_: &Aws, _, _| -> BoxFuture<'_, _> {
                Box::pin(std::future::ready(answers.clone()))
            };
            readings.extend(reader.read(questions, ask).await);
        }
        let reference = Reference::parse("ssm:/a").unwrap();
        let [Ok(new), Ok(old), Err(_denied)] = readings.as_slice() else {
            panic!("three readings")
        };
        assert_eq!((new.value, old.value), ("canary", "canary"));
        let stale = old.stale.as_ref().map(|(failure, _)| failure.to_string());
        assert!(new.stale.is_none() && stale.unwrap().contains("throttles"));
        assert!(
            !format!("{reader:?} {:?}", old.warn(&reference, Retrieved::yaml("x")))
                .contains("canary")
        );
    }
}
