//! The zipkin exporter: spans to a Zipkin server, as v2 JSON or protobuf over HTTP.

pub mod translate;
