// Command zipkin records what the `zipkin` exporter makes of our cases, in both of its formats.
//
//	go run . [-only PART] CASES
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/zipkinexporter"
	"github.com/openzipkin/zipkin-go/proto/zipkin_proto3"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/proto"

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
	bodies, err := parity.Decoded(sink, path, decode)
	if err != nil {
		return nil, err
	}
	return parity.Flat(bodies), nil
}

// decode shows a body as the JSON of its spans.
func decode(request parity.Request) (any, error) {
	switch kind := request.Header.Get("Content-Type"); kind {
	case "application/json":
		return parity.ParseJSON(request.Body)
	case "application/x-protobuf":
		var list zipkin_proto3.ListOfSpans
		if err := proto.Unmarshal(request.Body, &list); err != nil {
			return nil, err
		}
		spans := []any{}
		for _, span := range list.GetSpans() {
			spans = append(spans, inJSON(parity.Fields(span.ProtoReflect(), text)))
		}
		return spans, nil
	default:
		return nil, fmt.Errorf("a body of %q", kind)
	}
}

// text shows ids in hexadecimal and addresses as text.
func text(name string, value []byte) any {
	switch name {
	case "ipv4", "ipv6":
		return net.IP(value).String()
	default:
		return hex.EncodeToString(value)
	}
}

// inJSON gives the fields of a message the names that they have in Zipkin's JSON. Eight zeros are no parent.
func inJSON(fields map[string]any) map[string]any {
	renamed := map[string]any{}
	for name, value := range fields {
		switch inner := value.(type) {
		case map[string]any:
			if name != "tags" {
				value = inJSON(inner)
			}
		case []any:
			for i, member := range inner {
				inner[i] = inJSON(member.(map[string]any))
			}
		}
		head, rest, _ := strings.Cut(name, "_")
		if rest != "" {
			head += strings.ToUpper(rest[:1]) + rest[1:]
		}
		renamed[head] = value
	}
	if strings.Trim(fmt.Sprint(renamed["parentId"]), "0") == "" {
		delete(renamed, "parentId")
	}
	return renamed
}
