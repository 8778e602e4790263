package main

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/DataDog/agent-payload/v5/gogen"
	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	"google.golang.org/protobuf/proto"

	"hikyaku/parity"
)

// The series that the exporter sends about itself, at the time of its own clock.
var ownSeries = regexp.MustCompile(`^(otel\.datadog_exporter|datadog\.otel)\.`)

// payloads exports a case, and shows what arrives as a reference does.
func payloads(c *parity.Case) (map[string]any, error) {
	signal, err := c.Signal()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	sink, err := through(c)
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	switch signal {
	case "traces":
		traces, err := parity.Decoded(sink, "/api/v0.2/traces", agentPayload)
		for _, payload := range traces {
			parity.SettleSpans(payload.(map[string]any), started)
		}
		return map[string]any{"traces": parity.Merged(traces, "tracerPayloads")}, err
	case "metrics":
		series, err := parity.Decoded(sink, "/api/v2/series", seriesPayload)
		if err != nil {
			return nil, err
		}
		sketches, err := parity.Decoded(sink, "/api/beta/sketches", sketchPayload)
		return map[string]any{
			"series":   parity.Sorted(parity.Flat(series)),
			"sketches": parity.Sorted(parity.Flat(sketches)),
		}, err
	default:
		logs, err := parity.Decoded(sink, "/api/v2/logs", func(r parity.Request) (any, error) {
			return logItems(r, started)
		})
		return map[string]any{"logs": parity.Flat(logs)}, err
	}
}

func agentPayload(request parity.Request) (any, error) {
	var payload pb.AgentPayload
	if err := proto.Unmarshal(request.Body, &payload); err != nil {
		return nil, err
	}
	return parity.Fields(payload.ProtoReflect(), func(_ string, value []byte) any { return value }), nil
}

func seriesPayload(request parity.Request) (any, error) {
	if strings.Contains(request.Header.Get("Content-Type"), "json") {
		return []any{}, nil // nothing but the exporter's series about itself
	}
	var payload gogen.MetricPayload
	if err := payload.Unmarshal(request.Body); err != nil {
		return nil, err
	}
	shown := []any{}
	for _, one := range payload.Series {
		if ownSeries.MatchString(one.Metric) {
			continue
		}
		sort.Strings(one.Tags)
		value, err := parity.ThroughJSON(one)
		if err != nil {
			return nil, err
		}
		fields := value.(map[string]any)
		fields["type"] = one.Type.String()
		shown = append(shown, fields)
	}
	return shown, nil
}

func sketchPayload(request parity.Request) (any, error) {
	var payload gogen.SketchPayload
	if err := payload.Unmarshal(request.Body); err != nil {
		return nil, err
	}
	shown := []any{}
	for _, one := range payload.Sketches {
		sort.Strings(one.Tags)
		value, err := parity.ThroughJSON(one)
		if err != nil {
			return nil, err
		}
		fields := value.(map[string]any)
		delete(fields, "distributions") // a field of old that is never filled
		shown = append(shown, fields)
	}
	return shown, nil
}

// logItems shows the entries of one request. A message that holds a JSON object is shown as that.
func logItems(request parity.Request, started time.Time) (any, error) {
	value, err := parity.ParseJSON(request.Body)
	if err != nil {
		return nil, err
	}
	items := parity.List(value)
	for _, item := range items {
		item := item.(map[string]any)
		parity.SortTags(item, "ddtags")
		if text, ok := item["message"].(string); ok && strings.HasPrefix(text, "{") {
			if inner, err := parity.ParseJSON([]byte(text)); err == nil {
				item["message"] = inner
			}
		}
		if number, ok := item["timestamp"].(json.Number); ok {
			if ms, err := number.Int64(); err == nil && parity.IsNow(time.UnixMilli(ms), started) {
				item["timestamp"] = "now"
			}
		}
	}
	return items, nil
}
