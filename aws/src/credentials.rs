//! A key pair, and until when it can be used.

use std::time::{Duration, SystemTime};

/// An access key with its secret, and the token of temporary ones. Clones share them; the memory is wiped with the last one.
///
/// There is no `Debug`: nothing of it may be logged.
#[derive(Clone)]
pub struct Credentials(aws_credential_types::Credentials);

/// Credentials as a source gave them out.
#[derive(Clone)]
pub(crate) struct Lease {
    pub(crate) credentials: Credentials,
    pub(crate) lasts: Lasts,
}

/// How long credentials can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// As long as the process: they were given to it.
    Forever,
    /// Until somebody writes other ones to the file, which is read again now and then.
    UntilRewritten,
    /// Until this time.
    Until(SystemTime),
    /// Until this time, and beyond it when no new ones can be had: AWS takes an instance's old credentials while its metadata service is
    /// out of order ("static stability").
    UntilAtLeast(SystemTime),
}

impl Credentials {
    /// Credentials of these parts. A token that is empty is none.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        let token = session_token.filter(|token| !token.is_empty()).map(str::to_owned);
        let source = "hikyaku";
        Self(aws_credential_types::Credentials::new(
            access_key_id,
            secret_access_key,
            token,
            None,
            source,
        ))
    }

    /// The access key's id, which AWS's logs show, too.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }

    /// Whether these are temporary credentials.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.session_token().is_some()
    }

    pub(crate) fn for_signing(&self) -> aws_credential_types::Credentials {
        self.0.clone()
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> (&str, &str, Option<&str>) {
        (self.0.access_key_id(), self.0.secret_access_key(), self.0.session_token())
    }
}

/// How old a lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Good.
    Fresh,
    /// Still good, and time to ask for another one.
    Ageing,
    /// Not good any more.
    Expired,
}

/// How long before their end new credentials are asked for. An instance has its next ones five minutes before.
const ASK_EARLY: Duration = Duration::from_secs(5 * 60);
/// A request that is signed now arrives a little later.
const ON_THE_WAY: Duration = Duration::from_secs(10);
/// How often a file is read again.
const READ_AGAIN: Duration = Duration::from_secs(5 * 60);

impl Lease {
    /// How old the lease, which was had at `since`, is `now`. Clocks may have been set meanwhile, forward or back.
    pub(crate) fn age(&self, since: SystemTime, now: SystemTime) -> Age {
        let end = match self.lasts {
            Lasts::Forever => return Age::Fresh,
            Lasts::UntilRewritten => {
                let is_recent = now.duration_since(since).is_ok_and(|age| age < READ_AGAIN);
                return if is_recent { Age::Fresh } else { Age::Ageing };
            }
            Lasts::Until(end) | Lasts::UntilAtLeast(end) => end,
        };
        let Ok(left) = end.duration_since(now) else { return Age::Expired };
        // Of credentials that last ten minutes in all, half of the time is early enough.
        let lifetime = end.duration_since(since).unwrap_or_default();
        let early = ASK_EARLY.min(lifetime / 2);
        match left {
            left if left <= ON_THE_WAY => Age::Expired,
            left if left <= early => Age::Ageing,
            _ => Age::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn lease(lasts: Lasts) -> Lease {
        Lease { credentials: Credentials::new("AKID", "secret", None), lasts }
    }

    #[test]
    fn temporary_credentials_age_before_they_expire() {
        let hour = lease(Lasts::Until(at(3600)));
        for (now, age) in [
            (0, Age::Fresh),
            (3299, Age::Fresh),
            (3300, Age::Ageing),
            (3589, Age::Ageing),
            (3590, Age::Expired),
            (3600, Age::Expired),
            (90_000, Age::Expired),
        ] {
            assert_eq!(hour.age(at(0), at(now)), age, "{now}");
        }
        let short = lease(Lasts::UntilAtLeast(at(120)));
        assert_eq!(short.age(at(0), at(59)), Age::Fresh);
        assert_eq!(short.age(at(0), at(60)), Age::Ageing);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_file_from_being_read_again() {
        let file = lease(Lasts::UntilRewritten);
        assert_eq!(file.age(at(1000), at(1299)), Age::Fresh);
        assert_eq!(file.age(at(1000), at(1300)), Age::Ageing);
        assert_eq!(file.age(at(1000), at(0)), Age::Ageing);
        assert_eq!(lease(Lasts::Forever).age(at(0), at(u64::from(u32::MAX))), Age::Fresh);
    }

    #[test]
    fn an_empty_token_is_none() {
        assert!(!Credentials::new("AKID", "secret", Some("")).is_temporary());
        assert!(Credentials::new("AKID", "secret", Some("token")).is_temporary());
    }
}
