// Command datadog records what the `datadog` exporter and connector make of our cases. The connector and the trace agent
// inside the exporter are whole, and send to a backend on loopback; of the exporter's metrics and logs it is the
// translators.
//
//	go run . [-only PART] [-connector] CASES
package main

import (
	"flag"
	"time"

	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	"google.golang.org/protobuf/proto"

	"hikyaku/parity"
)

// The connector's payloads as it hands them on, before the exporter sends them.
var connectorAlone = flag.Bool("connector", false, "record what the connector alone makes of spans")

func main() { parity.Main(record) }

func record(c *parity.Case) (map[string]any, error) {
	signal, err := c.Signal()
	if err != nil {
		return nil, err
	}
	if *connectorAlone {
		return recordConnector(c)
	}
	switch signal {
	case "metrics":
		return recordMetrics(c)
	case "logs":
		return recordLogs(c)
	default:
		return recordTraces(c)
	}
}

func recordTraces(c *parity.Case) (map[string]any, error) {
	started := time.Now()
	traces, err := throughAgent(c)
	if err != nil {
		return nil, err
	}
	for _, payload := range traces {
		parity.SettleSpans(payload.(map[string]any), started)
	}
	stats, err := throughConnector(c)
	if err != nil {
		return nil, err
	}
	for _, payload := range stats {
		settleStats(payload.(map[string]any), started)
	}
	return map[string]any{
		"traces": parity.Merged(traces, "tracerPayloads"),
		"stats":  parity.Merged(stats, "stats"),
	}, nil
}

func recordConnector(c *parity.Case) (map[string]any, error) {
	started := time.Now()
	made, err := statistics(c)
	if err != nil {
		return nil, err
	}
	payloads := []any{}
	for _, payload := range made {
		shown := parity.Fields(payload.ProtoReflect(), shownBytes)
		settleStats(shown, started)
		payloads = append(payloads, shown)
	}
	return map[string]any{"stats": parity.Merged(payloads, "stats")}, nil
}

func agentPayload(request parity.Request) (any, error) {
	var payload pb.AgentPayload
	if err := proto.Unmarshal(request.Body, &payload); err != nil {
		return nil, err
	}
	return parity.Fields(payload.ProtoReflect(), shownBytes), nil
}

func statsPayload(request parity.Request) (any, error) {
	var payload pb.StatsPayload
	if _, err := payload.UnmarshalMsg(request.Body); err != nil {
		return nil, err
	}
	return parity.Fields(payload.ProtoReflect(), shownBytes), nil
}

func shownBytes(name string, value []byte) any {
	if name == "okSummary" || name == "errorSummary" {
		return sketch(value)
	}
	return value
}

// settleStats takes what is an accident out of a payload of statistics. Spans of long ago are counted in the bucket of the moment: "now".
func settleStats(payload map[string]any, started time.Time) {
	for _, client := range parity.List(payload["stats"]) {
		client := client.(map[string]any)
		for _, bucket := range parity.List(client["stats"]) {
			bucket := bucket.(map[string]any)
			if start, ok := bucket["start"].(uint64); ok && parity.IsNow(time.Unix(0, int64(start)), started) {
				bucket["start"] = "now"
			}
			bucket["stats"] = parity.Sorted(parity.List(bucket["stats"]))
		}
		client["stats"] = parity.Sorted(parity.List(client["stats"]))
	}
}
