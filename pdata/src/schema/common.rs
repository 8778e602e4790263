//! `opentelemetry.proto.common.v1` and `opentelemetry.proto.resource.v1`.

use super::{Kind, Message, many, one, oneof};

/// `AnyValue`.
pub static ANY_VALUE: Message = Message::new(
    "AnyValue",
    &[
        oneof(1, "string_value", "stringValue", Kind::String),
        oneof(2, "bool_value", "boolValue", Kind::Bool),
        oneof(3, "int_value", "intValue", Kind::Int64),
        oneof(4, "double_value", "doubleValue", Kind::Double),
        oneof(5, "array_value", "arrayValue", Kind::Message(&ARRAY_VALUE)),
        oneof(6, "kvlist_value", "kvlistValue", Kind::Message(&KEY_VALUE_LIST)),
        oneof(7, "bytes_value", "bytesValue", Kind::Bytes),
        oneof(8, "string_value_strindex", "stringValueStrindex", Kind::Int32),
    ],
);

/// `ArrayValue`.
pub static ARRAY_VALUE: Message =
    Message::new("ArrayValue", &[many(1, "values", "values", Kind::Message(&ANY_VALUE))]);

/// `KeyValueList`.
pub static KEY_VALUE_LIST: Message =
    Message::new("KeyValueList", &[many(1, "values", "values", Kind::Message(&KEY_VALUE))]);

/// `KeyValue`.
pub static KEY_VALUE: Message = Message::new(
    "KeyValue",
    &[
        one(1, "key", "key", Kind::String),
        one(2, "value", "value", Kind::Message(&ANY_VALUE)),
        one(3, "key_strindex", "keyStrindex", Kind::Int32),
    ],
);

/// `InstrumentationScope`.
pub static SCOPE: Message = Message::new(
    "InstrumentationScope",
    &[
        one(1, "name", "name", Kind::String),
        one(2, "version", "version", Kind::String),
        many(3, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", "droppedAttributesCount", Kind::Uint32),
    ],
);

/// `EntityRef`.
pub static ENTITY_REF: Message = Message::new(
    "EntityRef",
    &[
        one(1, "schema_url", "schemaUrl", Kind::String),
        one(2, "type", "type", Kind::String),
        many(3, "id_keys", "idKeys", Kind::String),
        many(4, "description_keys", "descriptionKeys", Kind::String),
    ],
);

/// `Resource`.
pub static RESOURCE: Message = Message::new(
    "Resource",
    &[
        many(1, "attributes", "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "dropped_attributes_count", "droppedAttributesCount", Kind::Uint32),
        many(3, "entity_refs", "entityRefs", Kind::Message(&ENTITY_REF)),
    ],
);
