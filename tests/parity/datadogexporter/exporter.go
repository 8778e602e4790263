package main

import (
	"context"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/datadogexporter"
	datadogconfig "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"hikyaku/parity"
)

// What every case starts from: our own product as the distribution, and a host name, as its detection asks the network.
const (
	command  = "hikyaku"
	version  = "0.0.0"
	hostname = "parity-host"
	apiKey   = "0123456789abcdef0123456789abcdef"
)

// flushSeconds is how often the embedded trace agent sends.
const flushSeconds = 0.2

// quiet is how long nothing may arrive before a case counts as finished.
const quiet = 1500 * time.Millisecond

func section(factory exporter.Factory, sink *parity.Sink, own map[string]any) (*datadogconfig.Config, error) {
	merged := confmap.NewFromStringMap(map[string]any{
		"hostname":      hostname,
		"api":           map[string]any{"key": apiKey},
		"host_metadata": map[string]any{"enabled": false},
		"sending_queue": map[string]any{"enabled": false},
		"traces":        map[string]any{"endpoint": sink.URL()},
		"metrics":       map[string]any{"endpoint": sink.URL()},
		"logs":          map[string]any{"endpoint": sink.URL(), "batch_wait": 1},
	})
	if err := merged.Merge(confmap.NewFromStringMap(own)); err != nil {
		return nil, err
	}
	config := factory.CreateDefaultConfig().(*datadogconfig.Config)
	if err := merged.Unmarshal(config); err != nil {
		return nil, err
	}
	config.Traces.SetFlushInterval(flushSeconds)
	return config, config.Validate()
}

// through exports a case to a sink, which the caller closes.
func through(c *parity.Case) (*parity.Sink, error) {
	sink := parity.NewSink(nil)
	factory := datadogexporter.NewFactory()
	config, err := section(factory, sink, c.Config)
	if err == nil {
		err = export(factory, config, c, sink)
	}
	if err != nil {
		sink.Close()
		return nil, err
	}
	return sink, nil
}

func export(factory exporter.Factory, config *datadogconfig.Config, c *parity.Case, sink *parity.Sink) error {
	signal, err := c.Signal()
	if err != nil {
		return err
	}
	ctx := context.Background()
	settings := exporter.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
		BuildInfo:         component.BuildInfo{Command: command, Version: version},
	}
	switch signal {
	case "traces":
		part, err := factory.CreateTraces(ctx, settings, config)
		if err != nil {
			return err
		}
		return run(ctx, part, c, sink, func(request []byte) error {
			spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(request)
			if err != nil {
				return err
			}
			return part.ConsumeTraces(ctx, spans)
		})
	case "metrics":
		part, err := factory.CreateMetrics(ctx, settings, config)
		if err != nil {
			return err
		}
		return run(ctx, part, c, sink, func(request []byte) error {
			points, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(request)
			if err != nil {
				return err
			}
			return part.ConsumeMetrics(ctx, points)
		})
	default:
		part, err := factory.CreateLogs(ctx, settings, config)
		if err != nil {
			return err
		}
		return run(ctx, part, c, sink, func(request []byte) error {
			records, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(request)
			if err != nil {
				return err
			}
			return part.ConsumeLogs(ctx, records)
		})
	}
}

func run(
	ctx context.Context, part component.Component, c *parity.Case, sink *parity.Sink, send func([]byte) error,
) error {
	if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	for _, request := range c.Requests {
		if err := send(request); err != nil {
			return err
		}
	}
	sink.WaitQuiet(quiet)
	if err := part.Shutdown(ctx); err != nil {
		return err
	}
	sink.WaitQuiet(quiet / 2)
	return nil
}
