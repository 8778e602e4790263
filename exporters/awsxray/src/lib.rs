//! The `awsxray` exporter: spans to AWS X-Ray, as segment documents.

pub mod translate;

mod config;

#[cfg(test)]
mod testing;
