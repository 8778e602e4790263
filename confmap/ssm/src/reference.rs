//! How a parameter is named.

use confmap::{ProviderError, Reference};
use confmap_aws::{Spec, SpecError};

/// The option of the proposed `parameterstore:` provider. Everything is decrypted here.
const WITH_DECRYPTION: &str = "withDecryption";

/// Takes a reference apart: `name`, `/path`, `name:version`, `name:label` or an ARN with options, a key and a default.
/// `///path` is `/path`, as URLs have it.
pub(crate) fn parse(reference: &Reference) -> Result<Spec, ProviderError> {
    let own = [WITH_DECRYPTION];
    let mut spec = Spec::parse(reference, &own)?;
    let name = spec.name.strip_prefix("//").unwrap_or(&spec.name);
    let wrong = if name.is_empty() {
        Some(SpecError::NoName)
    } else if name.len() < spec.name.len() && !name.starts_with('/') {
        Some(SpecError::Name(
            "begins with two slashes; a name has one, as in ssm:/path/to/parameter, or none",
        ))
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/:".contains(&b)) {
        Some(SpecError::Name("has characters in its name that no parameter's has"))
    } else if spec.options.own.iter().flatten().any(|with| with != "true") {
        Some(SpecError::Name("has withDecryption other than true; parameters are always decrypted"))
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Err(wrong.at(reference, &own));
    }
    spec.name = name.to_owned();
    Ok(spec)
}

/// A name without its version or label.
pub(crate) fn base(name: &str) -> &str {
    // `arn:partition:service:region:account:parameter/…` has five colons of its own.
    let own_colons = if name.starts_with("arn:") { 5 } else { 0 };
    name.match_indices(':').nth(own_colons).and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, String> {
        let reference = Reference::parse(text).unwrap();
        parse(&reference).map(|spec| spec.name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_parameter_is_named_by_path_by_name_or_by_arn() {
        for (text, expected) in [
            ("ssm:/a/b", "/a/b"),
            ("ssm:name", "name"),
            ("awsssm:///a/b:3", "/a/b:3"),
            ("ssm:/a:prod-1?region=eu-west-1#k:-d", "/a:prod-1"),
            (
                "ssm:arn:aws:ssm:eu-west-1:1:parameter/a/b:2",
                "arn:aws:ssm:eu-west-1:1:parameter/a/b:2",
            ),
            ("parameterstore:/a?withDecryption=true", "/a"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(expected));
        }
        for (text, said) in [
            ("ssm:", "ssm: has no name"),
            ("ssm://a/b", "begins with two slashes"),
            ("ssm:/a b", "characters"),
            ("ssm:/a%2Fb", "characters"),
            ("parameterstore:/a?withDecryption=false", "always decrypted"),
        ] {
            let error = name(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_without_its_version_or_label_is_its_base() {
        for (text, expected) in [
            ("/a", "/a"),
            ("/a:3", "/a"),
            ("arn:aws:ssm:r:1:parameter/a", "arn:aws:ssm:r:1:parameter/a"),
            ("arn:aws:ssm:r:1:parameter/a:prod", "arn:aws:ssm:r:1:parameter/a"),
        ] {
            assert_eq!(base(text), expected);
        }
    }
}
