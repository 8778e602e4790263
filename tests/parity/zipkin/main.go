// Command zipkin records what the `zipkin` exporter makes of our cases, in both of its formats.
//
//	go run . [-only PART] CASES
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/zipkinexporter"
	"github.com/openzipkin/zipkin-go/proto/zipkin_proto3"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"hikyaku/parity"
)

const path = "/api/v2/spans"

func main() { parity.Main(record) }

func record(c *parity.Case) (map[string]any, error) {
	inJSON, err := through(c, "json")
	if err != nil {
		return nil, err
	}
	inProto, err := through(c, "proto")
	if err != nil {
		return nil, err
	}
	return map[string]any{"json": inJSON, "proto": inProto}, nil
}

// through exports a case in one format. A payload that the exporter refuses as a whole is shown by its error.
func through(c *parity.Case, format string) (any, error) {
	spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(c.Input)
	if err != nil {
		return nil, err
	}
	sink := parity.NewSink(func(w http.ResponseWriter, _ parity.Request) { w.WriteHeader(http.StatusAccepted) })
	defer sink.Close()
	factory := zipkinexporter.NewFactory()
	section := confmap.NewFromStringMap(map[string]any{
		"endpoint":      sink.URL() + path,
		"format":        format,
		"sending_queue": map[string]any{"enabled": false},
	})
	if err := section.Merge(confmap.NewFromStringMap(c.Config)); err != nil {
		return nil, err
	}
	config := factory.CreateDefaultConfig()
	if err := section.Unmarshal(config); err != nil {
		return nil, err
	}
	ctx := context.Background()
	settings := exporter.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	part, err := factory.CreateTraces(ctx, settings, config)
	if err != nil {
		return nil, err
	}
	if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	if err := part.ConsumeTraces(ctx, spans); err != nil {
		return map[string]any{"refused": err.Error()}, part.Shutdown(ctx)
	}
	if err := part.Shutdown(ctx); err != nil {
		return nil, err
	}
	bodies, err := parity.Decoded(sink, path, decode)
	if err != nil {
		return nil, err
	}
	return parity.Flat(bodies), nil
}

// decode shows a body as the JSON of its spans. The other format is read by the library that wrote it.
func decode(request parity.Request) (any, error) {
	switch kind := request.Header.Get("Content-Type"); kind {
	case "application/json":
		return parity.ParseJSON(request.Body)
	case "application/x-protobuf":
		spans, err := zipkin_proto3.ParseSpans(request.Body, false)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(spans)
		if err != nil {
			return nil, err
		}
		return parity.ParseJSON(text)
	default:
		return nil, fmt.Errorf("a body of %q", kind)
	}
}
