//! The fakes themselves: a backend that takes what a real one would refuse, or a sender that misreads an answer, would let
//! every other test pass for the wrong reason.

mod datadog;
mod otlp;
mod real;
mod xray;
mod zipkin;
