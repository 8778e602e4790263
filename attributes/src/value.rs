//! Values of configuration as values of attributes: `pcommon.Value.FromRaw` of open-telemetry/opentelemetry-collector.

use confmap::{Mismatch, Node, Value};
use pdata::edit::ValueBuf;
use pdata::view::AnyValue;

/// The value of an attribute that a value of configuration stands for; null is the empty value.
///
/// # Errors
/// When it is an integer of more than 64 bits, or nests too deep.
pub fn from_node(node: &Node) -> Result<ValueBuf, Mismatch> {
    let too_deep = |_| Mismatch::new("nests too deep for an attribute");
    Ok(match node.value() {
        Value::Null => ValueBuf::from(AnyValue::Empty),
        Value::Bool(value) => ValueBuf::from(*value),
        Value::Int(value) => ValueBuf::from(i64::try_from(*value).map_err(|_| {
            Mismatch::new(format!("must be an integer from {} to {}", i64::MIN, i64::MAX))
        })?),
        Value::Float(value) => ValueBuf::from(*value),
        Value::String(value) => ValueBuf::from(&**value),
        Value::Seq(items) => {
            let values: Vec<ValueBuf> = items.iter().map(from_node).collect::<Result<_, _>>()?;
            let mut fits = Ok(());
            let list = ValueBuf::array(|list| {
                for value in &values {
                    fits = fits.and(list.push(|item| item.set(value)));
                }
            });
            fits.map_err(too_deep)?;
            list
        }
        Value::Map(map) => {
            let mut entries = Vec::new();
            for entry in map {
                entries.push((&*entry.key, from_node(&entry.node)?));
            }
            let mut fits = Ok(());
            let map = ValueBuf::map(|map| {
                for (key, value) in &entries {
                    fits = fits.and(map.set(key, value));
                }
            });
            fits.map_err(too_deep)?;
            map
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdata::text::to_text;

    fn text(yaml: &str) -> String {
        let node = Node::from_yaml("test.yaml", yaml).unwrap();
        to_text(&from_node(&node).unwrap().view())
    }

    #[test]
    fn every_type_of_configuration_is_a_type_of_attribute() {
        let list = "[null, true, 5, -0.5, text, [1], {a: {b: 1}}]";
        assert_eq!(text(list), r#"[null,true,5,-0.5,"text",[1],{"a":{"b":1}}]"#);
        assert_eq!(text("{b: 1, a: 2}"), r#"{"a":2,"b":1}"#);
        let node = Node::from_yaml("test.yaml", "5").unwrap();
        assert_eq!(from_node(&node).unwrap().view(), AnyValue::Int(5));
        let node = Node::from_yaml("test.yaml", "5.0").unwrap();
        assert_eq!(from_node(&node).unwrap().view(), AnyValue::Double(5.0));
    }

    #[test]
    fn integer_that_no_attribute_holds_is_refused() {
        let node = Node::from_yaml("test.yaml", "18446744073709551615").unwrap();
        assert!(from_node(&node).is_err());
    }
}
