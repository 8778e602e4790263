package main

import (
	"context"
	"fmt"
	"time"

	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	containertagsbuffer "github.com/DataDog/datadog-agent/pkg/trace/containertags"
	agenttelemetry "github.com/DataDog/datadog-agent/pkg/trace/telemetry"
	"github.com/DataDog/datadog-agent/pkg/trace/timing"
	"github.com/DataDog/datadog-agent/pkg/trace/writer"
	"github.com/DataDog/datadog-go/v5/statsd"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/apmstats"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/proto"

	"hikyaku/parity"
)

// The name of the metric, and of its attribute, in which the connector hands on statistics.
const carrier = "dd.internal.stats.payload"

// throughConnector gives the case's spans to the connector, what it makes of them to the exporter's writer of
// statistics, and shows what that sends.
func throughConnector(c *parity.Case) ([]any, error) {
	made, err := statistics(c)
	if err != nil || len(made) == 0 {
		return nil, err
	}
	sink := parity.NewSink(nil)
	defer sink.Close()
	settings, err := exporterSection(c, sink)
	if err != nil {
		return nil, err
	}
	agentConfig, err := agentConfig(settings)
	if err != nil {
		return nil, err
	}
	client := &statsd.NoOpClient{}
	stats := writer.NewStatsWriter(agentConfig, agenttelemetry.NewNoopCollector(), client, timing.New(client),
		containertagsbuffer.NewContainerTagsBuffer(agentConfig, client))
	go stats.Run()
	for _, payload := range made {
		for _, one := range payload.Stats {
			if one.TracerVersion == "" {
				one.TracerVersion = tracerVersion
			}
		}
		payload.AgentVersion = agentVersion
		stats.Write(payload)
	}
	stats.Stop()
	return parity.Decoded(sink, "/api/v0.2/stats", statsPayload)
}

// statistics runs the connector. It hands on what it holds when it stops, but may also lose it then; hence the
// repetition.
func statistics(c *parity.Case) ([]*pb.StatsPayload, error) {
	for range 5 {
		if made, err := statisticsOnce(c); err != nil || len(made) > 0 {
			return made, err
		}
	}
	return nil, nil
}

func statisticsOnce(c *parity.Case) ([]*pb.StatsPayload, error) {
	kind, stable := component.MustNewType("datadog"), component.StabilityLevelBeta
	factory := apmstats.NewConnectorFactory(kind, stable, stable, nil, nil, nil)
	section := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(c.Extra["connector"]).Unmarshal(section); err != nil {
		return nil, err
	}
	var made []*pb.StatsPayload
	next, err := consumer.NewMetrics(func(_ context.Context, metrics pmetric.Metrics) error {
		payload, err := carried(metrics)
		made = append(made, payload)
		return err
	})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	settings := connector.Settings{ID: component.NewID(kind), TelemetrySettings: telemetry()}
	part, err := factory.CreateTracesToMetrics(ctx, settings, section, next)
	if err != nil {
		return nil, err
	}
	if err := part.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	for _, request := range c.Requests {
		spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(request)
		if err != nil {
			return nil, err
		}
		if err := part.ConsumeTraces(ctx, spans); err != nil {
			return nil, err
		}
	}
	time.Sleep(50 * time.Millisecond) // its consumer has to be waiting when it stops
	err = part.Shutdown(ctx)
	return made, err
}

func carried(metrics pmetric.Metrics) (*pb.StatsPayload, error) {
	metric := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	if metric.Name() != carrier {
		return nil, fmt.Errorf("the connector made a metric named %q", metric.Name())
	}
	value, found := metric.Sum().DataPoints().At(0).Attributes().Get(carrier)
	if !found {
		return nil, fmt.Errorf("the connector's metric has no attribute %q", carrier)
	}
	payload := &pb.StatsPayload{}
	return payload, proto.Unmarshal(value.Bytes().AsRaw(), payload)
}
