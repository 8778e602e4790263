// A function with the OpenTelemetry SDK and nothing of any vendor: the extension listens on localhost:4318.
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

// Simple rather than batched: the hand-over to the extension is local, and the environment may be frozen after the answer.
const exporter = new OTLPTraceExporter({ url: "http://localhost:4318/v1/traces" });
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
const tracer = trace.getTracer("orders");

export const handler = async (event) => {
  const answer = await tracer.startActiveSpan("take order", async (span) => {
    span.setAttribute("order.items", event.items?.length ?? 0);
    span.end();
    return { statusCode: 200, body: "taken" };
  });
  await provider.forceFlush();
  return answer;
};
