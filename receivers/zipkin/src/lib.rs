//! The zipkin receiver: spans from Zipkin clients, as v2 JSON or protobuf over HTTP.

pub mod decode;
