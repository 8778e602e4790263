package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/DataDog/agent-payload/v5/gogen"
	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/proto"

	"hikyaku/parity"
)

// The series that the exporter sends about itself, at the time of its own clock.
var ownSeries = regexp.MustCompile(`^(otel\.datadog_exporter|datadog\.otel)\.`)

// recordTraces keeps what arrives of the case's spans, and of the statistics that the connector computes from them.
func recordTraces(c *parity.Case, recorded map[string]any) error {
	sink := newSink()
	defer sink.Close()
	started := time.Now()
	if err := throughTraces(c, sink); err != nil {
		return err
	}
	traces, err := decoded(sink, "/api/v0.2/traces", func(r parity.Request) (any, error) { return agentPayload(r, started) })
	if err != nil {
		return err
	}
	recorded["traces"] = merged(traces, "tracerPayloads")

	metrics, err := throughConnector(c)
	if err != nil {
		return err
	}
	statsSink := newSink()
	defer statsSink.Close()
	for _, points := range metrics {
		if err := throughMetrics(c, points, statsSink); err != nil {
			return err
		}
	}
	stats, err := decoded(statsSink, "/api/v0.2/stats", func(r parity.Request) (any, error) { return statsPayload(r, started) })
	if err != nil {
		return err
	}
	recorded["stats"] = merged(stats, "stats")
	return nil
}

func recordMetrics(c *parity.Case, recorded map[string]any) error {
	points, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(c.Input)
	if err != nil {
		return err
	}
	sink := newSink()
	defer sink.Close()
	if err := throughMetrics(c, points, sink); err != nil {
		return err
	}
	series, err := decoded(sink, "/api/v2/series", seriesPayload)
	if err != nil {
		return err
	}
	sketches, err := decoded(sink, "/api/beta/sketches", sketchPayload)
	if err != nil {
		return err
	}
	recorded["series"] = parity.Sorted(flat(series))
	recorded["sketches"] = parity.Sorted(flat(sketches))
	return nil
}

func recordLogs(c *parity.Case, recorded map[string]any) error {
	sink := newSink()
	defer sink.Close()
	started := time.Now()
	if err := throughLogs(c, sink); err != nil {
		return err
	}
	logs, err := decoded(sink, "/api/v2/logs", func(r parity.Request) (any, error) { return logItems(r, started) })
	if err != nil {
		return err
	}
	recorded["logs"] = flat(logs)
	return nil
}

func newSink() *parity.Sink { return parity.NewSink(nil) }

// decoded shows every request to a path.
func decoded(sink *parity.Sink, path string, decode func(parity.Request) (any, error)) ([]any, error) {
	requests, err := sink.Requests()
	if err != nil {
		return nil, err
	}
	values := []any{}
	for _, request := range requests {
		if request.Path != path || len(request.Body) == 0 {
			continue
		}
		value, err := decode(request)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		values = append(values, value)
	}
	return values, nil
}

// agentPayload shows a payload of spans. The exporter starts a span with an impossible start at its own clock: "now".
func agentPayload(request parity.Request, started time.Time) (any, error) {
	var payload pb.AgentPayload
	if err := proto.Unmarshal(request.Body, &payload); err != nil {
		return nil, err
	}
	shown := fields(payload.ProtoReflect())
	for _, tracer := range list(shown["tracerPayloads"]) {
		chunks := list(tracer.(map[string]any)["chunks"])
		for _, chunk := range chunks {
			for _, span := range list(chunk.(map[string]any)["spans"]) {
				span := span.(map[string]any)
				if start, ok := span["start"].(int64); ok && isNow(time.Unix(0, start), started) {
					span["start"] = "now"
				}
			}
		}
		tracer.(map[string]any)["chunks"] = parity.Sorted(chunks)
		if tags, ok := tracer.(map[string]any)["tags"].(map[string]any); ok {
			sortTags(tags, "_dd.tags.container")
		}
	}
	return shown, nil
}

// statsPayload shows a payload of statistics. A bucket that starts at the time of the recording got its place from the
// clock and not from its spans: its start is "now".
func statsPayload(request parity.Request, started time.Time) (any, error) {
	var payload pb.StatsPayload
	if _, err := payload.UnmarshalMsg(request.Body); err != nil {
		return nil, err
	}
	shown := fields(payload.ProtoReflect())
	for _, client := range list(shown["stats"]) {
		client := client.(map[string]any)
		for _, bucket := range list(client["stats"]) {
			bucket := bucket.(map[string]any)
			if start, ok := bucket["start"].(uint64); ok && isNow(time.Unix(0, int64(start)), started) {
				bucket["start"] = "now"
			}
			for _, group := range list(bucket["stats"]) {
				group := group.(map[string]any)
				if tags := list(group["peerTags"]); tags != nil {
					group["peerTags"] = parity.Sorted(tags)
				}
			}
			bucket["stats"] = parity.Sorted(list(bucket["stats"]))
		}
		client["stats"] = parity.Sorted(list(client["stats"]))
	}
	return shown, nil
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
		value, err := throughJSON(one)
		if err != nil {
			return nil, err
		}
		value.(map[string]any)["type"] = one.Type.String()
		shown = append(shown, value)
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
		value, err := throughJSON(one)
		if err != nil {
			return nil, err
		}
		delete(value.(map[string]any), "distributions") // a field of old that is never filled
		shown = append(shown, value)
	}
	return shown, nil
}

// logItems shows the entries of one request. A message that holds a JSON object is shown as that.
func logItems(request parity.Request, started time.Time) (any, error) {
	value, err := parsed(request.Body)
	if err != nil {
		return nil, err
	}
	items := list(value)
	for _, item := range items {
		item := item.(map[string]any)
		sortTags(item, "ddtags")
		if text, ok := item["message"].(string); ok && strings.HasPrefix(text, "{") {
			if inner, err := parsed([]byte(text)); err == nil {
				item["message"] = inner
			}
		}
		if number, ok := item["timestamp"].(json.Number); ok {
			if ms, err := number.Int64(); err == nil && isNow(time.UnixMilli(ms), started) {
				item["timestamp"] = "now"
			}
		}
	}
	return items, nil
}

// merged joins payloads that differ in one list only, whose order is an accident.
func merged(payloads []any, key string) []any {
	joined := map[string]map[string]any{}
	lists := map[string][]any{}
	for _, payload := range payloads {
		payload := payload.(map[string]any)
		members := list(payload[key])
		delete(payload, key)
		envelope, err := json.Marshal(payload)
		if err != nil {
			panic(err) // only plain values get here
		}
		joined[string(envelope)] = payload
		lists[string(envelope)] = append(lists[string(envelope)], members...)
	}
	all := []any{}
	for envelope, payload := range joined {
		payload[key] = parity.Sorted(lists[envelope])
		all = append(all, payload)
	}
	return parity.Sorted(all)
}

// sortTags puts the tags of a text like `a:b,c:d` in order; the order they have is that of a hash map.
func sortTags(holder map[string]any, key string) {
	if text, ok := holder[key].(string); ok {
		tags := strings.Split(text, ",")
		sort.Strings(tags)
		holder[key] = strings.Join(tags, ",")
	}
}

func isNow(moment, started time.Time) bool {
	return moment.After(started.Add(-time.Minute)) && moment.Before(time.Now().Add(time.Minute))
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

func flat(lists []any) []any {
	all := []any{}
	for _, one := range lists {
		all = append(all, list(one)...)
	}
	return all
}
