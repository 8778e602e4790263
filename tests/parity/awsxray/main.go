// Command awsxray records the segment documents that the `awsxray` exporter makes of our cases.
//
//	go run . [-only PART] CASES
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"hikyaku/parity"
)

func main() {
	// The SDK signs its requests; a backend that takes everything does not look.
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "recorder", "AWS_SECRET_ACCESS_KEY": "recorder", "AWS_REGION": "eu-west-1",
	} {
		_ = os.Setenv(name, value)
	}
	parity.Main(record)
}

func record(c *parity.Case) (map[string]any, error) {
	sink := parity.NewSink(nil)
	defer sink.Close()
	factory := awsxrayexporter.NewFactory()
	section := confmap.NewFromStringMap(map[string]any{"endpoint": sink.URL(), "region": "eu-west-1"})
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
	for _, request := range c.Requests {
		spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(request)
		if err != nil {
			// No exporter gets to see it: the Collector's receiver answers 400.
			return map[string]any{"unreadable": true}, part.Shutdown(ctx)
		}
		if err := part.ConsumeTraces(ctx, spans); err != nil {
			return map[string]any{"refused": err.Error()}, part.Shutdown(ctx)
		}
	}
	if err := part.Shutdown(ctx); err != nil {
		return nil, err
	}
	bodies, err := parity.Decoded(sink, "/TraceSegments", documents)
	if err != nil {
		return nil, err
	}
	recorded := parity.Flat(bodies)
	nameDrawn(recorded, c.Requests)
	return map[string]any{"documents": recorded}, nil
}

// documents shows the segment documents of one request.
func documents(request parity.Request) (any, error) {
	var body struct{ TraceSegmentDocuments []string }
	if err := json.Unmarshal(request.Body, &body); err != nil {
		return nil, err
	}
	shown := []any{}
	for _, document := range body.TraceSegmentDocuments {
		value, err := parity.ParseJSON([]byte(document))
		if err != nil {
			return nil, err
		}
		shown = append(shown, value)
	}
	return shown, nil
}
