//! Values, numbers and ids as text: the forms that the Collector, and Go below it, write.
//!
//! Exporters print attribute values into backends' formats with these, and processors compare by them.

mod escape;
mod number;
mod value;

pub use escape::{put_escaped, put_escaped_twice, put_lower_case};
pub use number::{put_double, put_hex, put_int, put_uint};
pub use value::{
    Escaping, put_base64, put_json, put_json_object, put_json_string, put_text, to_text,
};
