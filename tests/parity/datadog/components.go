package main

import (
	"context"
	"os"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/datadogexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/apmstats"
	datadogconfig "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"hikyaku/parity"
)

// What every case starts from: our own product as the distribution, and a host name, as its detection asks the network.
const (
	command  = "hikyaku"
	version  = "0.0.0"
	hostname = "parity-host"
)

// flushSeconds is how often the embedded trace agent sends.
const flushSeconds = 0.2

// quiet is how long nothing may arrive before a case counts as finished.
const quiet = 1500 * time.Millisecond

var datadogType = component.MustNewType("datadog")

func exporterConfig(factory exporter.Factory, sink *parity.Sink, section map[string]any) (*datadogconfig.Config, error) {
	base := map[string]any{
		"hostname":      hostname,
		"api":           map[string]any{"key": "0123456789abcdef0123456789abcdef"},
		"host_metadata": map[string]any{"enabled": false},
		"sending_queue": map[string]any{"enabled": false},
		"traces":        map[string]any{"endpoint": sink.URL()},
		"metrics":       map[string]any{"endpoint": sink.URL()},
		"logs":          map[string]any{"endpoint": sink.URL(), "batch_wait": 1},
	}
	merged := confmap.NewFromStringMap(base)
	if err := merged.Merge(confmap.NewFromStringMap(section)); err != nil {
		return nil, err
	}
	config := factory.CreateDefaultConfig().(*datadogconfig.Config)
	if err := merged.Unmarshal(config); err != nil {
		return nil, err
	}
	config.Traces.SetFlushInterval(flushSeconds)
	return config, config.Validate()
}

func telemetry() component.TelemetrySettings {
	settings := componenttest.NewNopTelemetrySettings()
	if os.Getenv("PARITY_LOG") != "" {
		settings.Logger, _ = zap.NewDevelopment()
	}
	return settings
}

func exporterSettings() exporter.Settings {
	return exporter.Settings{
		ID:                component.NewID(datadogType),
		TelemetrySettings: telemetry(),
		BuildInfo:         component.BuildInfo{Command: command, Version: version},
	}
}

// throughTraces exports the case's spans.
func throughTraces(c *parity.Case, sink *parity.Sink) error {
	spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(c.Input)
	if err != nil {
		return err
	}
	factory := datadogexporter.NewFactory()
	config, err := exporterConfig(factory, sink, c.Config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	traces, err := factory.CreateTraces(ctx, exporterSettings(), config)
	if err != nil {
		return err
	}
	return run(ctx, traces, func() error { return traces.ConsumeTraces(ctx, spans) }, sink)
}

// throughMetrics exports points: the case's own, or those that the connector made.
func throughMetrics(c *parity.Case, points pmetric.Metrics, sink *parity.Sink) error {
	factory := datadogexporter.NewFactory()
	config, err := exporterConfig(factory, sink, c.Config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	metrics, err := factory.CreateMetrics(ctx, exporterSettings(), config)
	if err != nil {
		return err
	}
	return run(ctx, metrics, func() error { return metrics.ConsumeMetrics(ctx, points) }, sink)
}

// throughLogs exports the case's log records.
func throughLogs(c *parity.Case, sink *parity.Sink) error {
	records, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(c.Input)
	if err != nil {
		return err
	}
	factory := datadogexporter.NewFactory()
	config, err := exporterConfig(factory, sink, c.Config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	logs, err := factory.CreateLogs(ctx, exporterSettings(), config)
	if err != nil {
		return err
	}
	return run(ctx, logs, func() error { return logs.ConsumeLogs(ctx, records) }, sink)
}

// throughConnector computes the statistics of the case's spans, as the metrics that the connector hands on.
//
// The connector hands on what it holds when it stops, but may also lose it then; hence the repetition.
func throughConnector(c *parity.Case) ([]pmetric.Metrics, error) {
	for range 5 {
		if made, err := connectorOnce(c); err != nil || len(made) > 0 {
			return made, err
		}
	}
	return nil, nil
}

func connectorOnce(c *parity.Case) ([]pmetric.Metrics, error) {
	spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(c.Input)
	if err != nil {
		return nil, err
	}
	stable := component.StabilityLevelBeta
	factory := apmstats.NewConnectorFactory(datadogType, stable, stable, nil, nil, nil)
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(c.Extra["connector"]).Unmarshal(config); err != nil {
		return nil, err
	}
	var made []pmetric.Metrics
	next, err := consumer.NewMetrics(func(_ context.Context, metrics pmetric.Metrics) error {
		made = append(made, metrics)
		return nil
	})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	settings := connector.Settings{
		ID:                component.NewID(datadogType),
		TelemetrySettings: telemetry(),
		BuildInfo:         component.BuildInfo{Command: command, Version: version},
	}
	stats, err := factory.CreateTracesToMetrics(ctx, settings, config, next)
	if err != nil {
		return nil, err
	}
	if err := stats.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	if err := stats.ConsumeTraces(ctx, spans); err != nil {
		return nil, err
	}
	time.Sleep(50 * time.Millisecond) // its consumer has to be waiting when it stops
	return made, stats.Shutdown(ctx)
}

func run(ctx context.Context, part component.Component, send func() error, sink *parity.Sink) error {
	if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	if err := send(); err != nil {
		return err
	}
	sink.WaitQuiet(quiet)
	if err := part.Shutdown(ctx); err != nil {
		return err
	}
	sink.WaitQuiet(quiet / 2)
	return nil
}
