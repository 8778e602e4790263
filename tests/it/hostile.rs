//! Hostile and unlucky input: the answer is a clear error, and the agent goes on.

mod bodies;
mod configs;
mod connections;
mod ids;

use tests::agent::Agent;
use tests::gateway::Gateway;
use tests::otlp::OtlpBackend;
use tests::{send, spans};

/// More than a debug build needs for anything below, and less than any bomb would take.
const MEMORY_BYTES_MAX: u64 = 160 << 20;

/// An agent in front of a good backend.
struct Target {
    gateway: Gateway,
    agent: Agent,
    backend: OtlpBackend,
}

impl Target {
    fn start() -> Self {
        let backend = OtlpBackend::start();
        let exporter = format!("{{ endpoint: \"http://127.0.0.1:{}\" }}", backend.port());
        let gateway = Gateway::new().exporter("otlphttp", &exporter);
        let agent = gateway.start();
        Self { gateway, agent, backend }
    }

    /// Checks that the agent still delivers over both transports, has not panicked, and is as small as it should be; then
    /// stops it.
    fn assert_unharmed(mut self) {
        let (grpc, http) = (spans::request(1), spans::request(1));
        assert_eq!(send::traces_grpc(self.gateway.grpc, &grpc).code, 0);
        assert_eq!(send::traces_http(self.gateway.http, &http).status, 200);
        self.backend.wait_for_spans(&[spans::ids(&grpc), spans::ids(&http)].concat());
        let memory = self.agent.process().peak_memory_bytes();
        assert!(memory < MEMORY_BYTES_MAX, "a peak of {memory} bytes");
        let ended = self.agent.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}
