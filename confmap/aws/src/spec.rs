//! How a reference is written: `name?region=…&role_arn=…#key:-default`.

use std::time::Duration;

use aws::Role;
use confmap::{ProviderError, Reference, Retrieved, closest};

/// The shortest time between two looks at the same value.
const REFRESH_MIN: Duration = Duration::from_secs(1);

/// Options that every provider knows.
const COMMON: [&str; 4] = ["external_id", "refresh", "region", "role_arn"];

/// A reference, taken apart. Has no `Debug`: its parts may have come from a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    /// The name or ARN, with all that belongs to it.
    pub name: String,
    /// What stands behind `?`.
    pub options: Options,
    /// The field of a JSON value, behind `#`.
    pub key: Option<String>,
    /// What is used if there is no value, behind `:-`.
    pub default: Option<String>,
}

/// What stands behind the `?` of a reference.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Who asks, and where.
    pub place: Place,
    /// How long until the value is to be read again.
    pub refresh: Option<Duration>,
    /// Options of one provider, in the order of their names there.
    pub own: Vec<Option<String>>,
}

/// Who asks, and in which region.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The region, if not that of the process.
    pub region: Option<String>,
    /// The role to assume, if any.
    pub role: Option<Role>,
}

/// Why a reference can't be one. Names options, and none of their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// There is no name.
    #[error("has no name")]
    NoName,
    /// The name can't be one; the text says what it should look like.
    #[error("{0}")]
    Name(&'static str),
    /// An option that nobody knows.
    #[error("has the unknown option {0:?}")]
    Unknown(String),
    /// An option without a value, or given twice.
    #[error("has the option {0:?} twice or without a value")]
    Value(String),
    /// A time that is none, or too short.
    #[error("has a refresh that is no time of a second or more, such as 5m")]
    Refresh,
    /// One option that needs another.
    #[error("has external_id without role_arn")]
    NoRole,
    /// A role that is none.
    #[error("has a role_arn that is not written arn:aws:iam::…:role/…")]
    Role,
    /// The ARN and the option name different regions.
    #[error("names one region in its ARN and another in its option")]
    Regions,
}

impl Spec {
    /// Takes a reference apart; `own` are the options that only its provider knows.
    ///
    /// # Errors
    /// What is wrong with it, with its name and how it is written.
    pub fn parse(reference: &Reference, own: &[&str]) -> Result<Self, ProviderError> {
        Self::read(reference.opaque(), own).map_err(|error| error.at(reference, own))
    }

    /// What the reference yields, to be read again if it says so.
    pub(crate) fn refreshed(&self, retrieved: Retrieved) -> Retrieved {
        self.options.refreshed(retrieved)
    }

    fn read(text: &str, own: &[&str]) -> Result<Self, SpecError> {
        let owned = |text: &str| text.to_owned();
        let (text, default) = split(text, ":-");
        let (text, key) = split(text, "#");
        let (name, query) = split(text, "?");
        let mut options = Options::parse(query.unwrap_or_default(), own)?;
        if let Some(region) = region_of_arn(name) {
            match &options.place.region {
                Some(named) if named != region => return Err(SpecError::Regions),
                _ => options.place.region = Some(region.to_owned()),
            }
        }
        let (key, default) = (key.map(owned), default.map(owned));
        Ok(Self { name: name.to_owned(), options, key, default })
    }
}

impl Options {
    /// Reads `a=b&c=d`. Nothing in it is decoded: no value needs characters that stand for themselves in no URL.
    ///
    /// # Errors
    /// An option that is unknown, or makes no sense.
    pub fn parse(query: &str, own: &[&str]) -> Result<Self, SpecError> {
        let mut found = Self { own: own.iter().map(|_| None).collect(), ..Self::default() };
        let (mut role_arn, mut external_id, mut refresh) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = split(pair, "=");
            let slot = match name {
                "region" => &mut found.place.region,
                "role_arn" => &mut role_arn,
                "external_id" => &mut external_id,
                "refresh" => &mut refresh,
                _ => {
                    let position = own.iter().position(|own| *own == name);
                    let slot = position.and_then(|position| found.own.get_mut(position));
                    slot.ok_or_else(|| SpecError::Unknown(name.to_owned()))?
                }
            };
            match value {
                Some(value) if !value.is_empty() && slot.is_none() => {
                    *slot = Some(value.to_owned())
                }
                _ => return Err(SpecError::Value(name.to_owned())),
            }
        }
        found.refresh = refresh.as_deref().map(parse_refresh).transpose()?;
        found.place.role = match (role_arn, external_id) {
            (None, None) => None,
            (None, Some(_)) => return Err(SpecError::NoRole),
            (Some(arn), _) if !(arn.starts_with("arn:") && arn.contains(":role/")) => {
                return Err(SpecError::Role);
            }
            (Some(arn), external_id) => Some(Role { external_id, ..Role::new(arn) }),
        };
        Ok(found)
    }
}

impl Options {
    /// What the reference yields, to be read again if it says so.
    #[must_use]
    pub fn refreshed(&self, retrieved: Retrieved) -> Retrieved {
        match self.refresh {
            Some(time) => retrieved.refresh_after(time),
            None => retrieved,
        }
    }
}

impl SpecError {
    /// The error of a reference, with what to write instead.
    #[must_use]
    pub fn at(self, reference: &Reference, own: &[&str]) -> ProviderError {
        let mut known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
        known.sort_unstable();
        let help = match &self {
            Self::Unknown(name) => {
                let meant = closest(name, known.iter().copied());
                let meant = meant.map_or(String::new(), |name| format!("did you mean {name:?}? "));
                format!("{meant}options: {}", known.join(", "))
            }
            _ => {
                let scheme = reference.scheme();
                format!(
                    "a reference is written {scheme}:name?region=eu-west-1#key:-default, all but the name if needed"
                )
            }
        };
        if is_hidden(reference) {
            // The option's name came from a secret, too.
            let how = "is not written as references are";
            return ProviderError::new(format!("{} {how}", label(reference)));
        }
        ProviderError::new(format!("{} {self}", label(reference))).help(help)
    }
}

/// What an error calls a reference: its default stays out of it.
#[must_use]
pub fn label(reference: &Reference) -> String {
    format!("{}:{}", reference.scheme(), split(reference.shown(), ":-").0)
}

/// Whether a part of a reference came from a secret.
pub(crate) fn is_hidden(reference: &Reference) -> bool {
    reference.shown() != reference.opaque()
}

fn split<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// The region of `arn:partition:service:region:account:…`.
fn region_of_arn(name: &str) -> Option<&str> {
    let mut fields = name.strip_prefix("arn:")?.split(':');
    fields.nth(2).filter(|region| !region.is_empty())
}

fn parse_refresh(text: &str) -> Result<Duration, SpecError> {
    let time = confmap::parse_duration(text).map_err(|_no_time| SpecError::Refresh)?;
    if time < REFRESH_MIN { Err(SpecError::Refresh) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Result<Spec, String> {
        let reference = Reference::parse(&format!("ssm:{text}")).unwrap();
        Spec::parse(&reference, &["stage"]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reference_is_a_name_options_a_key_and_a_default() {
        let found = spec("/a/b:3?region=eu-west-1&stage=x&refresh=90s#k.e?y:-d#e:-f").unwrap();
        assert_eq!(found.name, "/a/b:3");
        assert_eq!(found.options.place.region.as_deref(), Some("eu-west-1"));
        assert_eq!(found.options.own, [Some("x".to_owned())]);
        assert_eq!(found.options.refresh, Some(Duration::from_secs(90)));
        assert_eq!(
            (found.key.as_deref(), found.default.as_deref()),
            (Some("k.e?y"), Some("d#e:-f"))
        );
        let bare = spec("name").unwrap();
        assert!(
            bare.key.is_none() && bare.default.is_none() && bare.options.place == Place::default()
        );
        assert_eq!(spec("/a:-").unwrap().default.as_deref(), Some(""));
    }

    #[test]
    fn a_role_comes_with_what_its_owner_wants_to_see() {
        let role = "arn:aws:iam::111122223333:role/team+x/r";
        let found = spec(&format!("/a?role_arn={role}&external_id=x:y=z")).unwrap();
        let found = found.options.place.role.unwrap();
        assert_eq!((found.arn.as_str(), found.external_id.as_deref()), (role, Some("x:y=z")));
    }

    #[test]
    fn an_arn_says_its_region() {
        let arn = "arn:aws:ssm:eu-north-1:111122223333:parameter/a:2";
        let found = spec(arn).unwrap();
        assert_eq!(found.name, arn);
        assert_eq!(found.options.place.region.as_deref(), Some("eu-north-1"));
        assert!(spec(&format!("{arn}?region=eu-north-1")).is_ok());
        let other = spec(&format!("{arn}?region=eu-west-1")).map(|spec| spec.name);
        assert!(other.unwrap_err().contains("in its ARN and another in its option"));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, said) in [
            ("/a?regoin=x:-secret", "ssm:/a?regoin=x has the unknown option \"regoin\""),
            ("/a?region=", "ssm:/a?region= has the option \"region\" twice or without a value"),
            ("/a?stage=a&stage=b", "the option \"stage\" twice"),
            ("/a?refresh=10", "no time"),
            ("/a?refresh=10ms", "no time"),
            ("/a?external_id=x", "external_id without role_arn"),
            ("/a?role_arn=me", "role_arn that is not"),
        ] {
            let error = spec(text).map(|spec| spec.name).unwrap_err();
            assert!(error.contains(said) && !error.contains("secret"), "{text}: {error}");
        }
        let reference = Reference::parse("ssm:/a?regoin=x").unwrap();
        let error = Spec::parse(&reference, &["stage"]).map(|spec| spec.name).unwrap_err();
        let help =
            "did you mean \"region\"? options: external_id, refresh, region, role_arn, stage";
        assert_eq!(error.help_text(), Some(help));
    }
}
