//! Regions.

use std::fmt;

use crate::error::{Error, first_line};

/// What to do about a region that is missing or wrong.
pub(crate) const REGION_REMEDY: &str =
    "set AWS_REGION, such as AWS_REGION=eu-west-1, or region where the config says what it is for";

/// A region's name, such as `eu-west-1`. It may become part of a host name, so it has nothing in it that a label of one can't have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// The region of this name. `origin` says where it stands, for the error.
    ///
    /// # Errors
    /// When it can't be one.
    pub fn new(name: &str, origin: &'static str) -> Result<Self, Error> {
        let is_label = !name.is_empty()
            && name.len() <= 63
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if is_label {
            return Ok(Self(name.to_owned()));
        }
        Err(Error::InvalidRegion { region: first_line(name), origin })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region in an ARN: its fourth field.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        let mut fields = arn.split(':');
        let is_arn = fields.next() == Some("arn");
        let region = fields.nth(2).filter(|_| is_arn)?;
        Self::new(region, "an ARN").ok()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_cannot_change_the_host_that_it_becomes_part_of() {
        for name in ["eu-west-1", "us-gov-east-1", "eusc-de-east-1", "local"] {
            assert_eq!(Region::new(name, "a test").unwrap().as_str(), name);
        }
        for name in
            ["", "evil.example/", "eu west", "EU-WEST-1", "-a", "a-", "a.b", "é", &"a".repeat(64)]
        {
            let error = Region::new(name, "AWS_REGION").unwrap_err();
            assert!(!error.is_retryable());
            assert!(error.to_string().contains("AWS_REGION is no AWS region"), "{error}");
        }
    }

    #[test]
    fn arns_have_their_region_in_the_fourth_field() {
        let of = |arn| Region::of_arn(arn).map(|region| region.to_string());
        assert_eq!(of("arn:aws:ecs:us-west-2:111122223333:task/a").as_deref(), Some("us-west-2"));
        assert_eq!(of("arn:aws:iam::111122223333:role/a"), None);
        assert_eq!(of("urn:aws:ecs:us-west-2:x"), None);
        assert_eq!(of("arn"), None);
    }
}
