package main

import (
	"context"
	"net/http"
	"time"

	gzip "github.com/DataDog/datadog-agent/comp/trace/compression/impl-gzip"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes"
	"github.com/DataDog/datadog-agent/pkg/trace/agent"
	"github.com/DataDog/datadog-agent/pkg/trace/config"
	agenttelemetry "github.com/DataDog/datadog-agent/pkg/trace/telemetry"
	"github.com/DataDog/datadog-go/v5/statsd"
	datadogconfig "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"hikyaku/parity"
)

// What every case starts from: our own product as the distribution, and a host name.
const (
	agentVersion  = "datadogexporter-hikyaku-0.0.0"
	tracerVersion = "hikyaku0.0.0"
	hostname      = "parity-host"
)

// flushSeconds is how often the trace agent sends.
const flushSeconds = 0.2

// quiet is how long nothing may arrive before a case counts as finished.
const quiet = 1500 * time.Millisecond

// exporterSection reads a case's section of the exporter. Without a sink nothing is sent.
func exporterSection(c *parity.Case, sink *parity.Sink) (*datadogconfig.Config, error) {
	base := map[string]any{
		"hostname": hostname,
		"api":      map[string]any{"key": "0123456789abcdef0123456789abcdef"},
	}
	if sink != nil {
		base["traces"] = map[string]any{"endpoint": sink.URL()}
	}
	section := confmap.NewFromStringMap(base)
	if err := section.Merge(confmap.NewFromStringMap(c.Config)); err != nil {
		return nil, err
	}
	settings := datadogconfig.CreateDefaultConfig().(*datadogconfig.Config)
	if err := section.Unmarshal(settings); err != nil {
		return nil, err
	}
	return settings, settings.Validate()
}

// agentConfig is the trace agent as the exporter sets it up.
func agentConfig(settings *datadogconfig.Config) (*config.AgentConfig, error) {
	translator, err := attributes.NewTranslator(componenttest.NewNopTelemetrySettings())
	if err != nil {
		return nil, err
	}
	agentConfig := config.New()
	agentConfig.Hostname = settings.Hostname
	agentConfig.AgentVersion = agentVersion
	agentConfig.ReceiverEnabled = false
	agentConfig.MaxSenderRetries = 4
	agentConfig.Endpoints[0].APIKey = string(settings.API.Key)
	agentConfig.Endpoints[0].Host = settings.Traces.Endpoint
	agentConfig.TraceWriter.FlushPeriodSeconds = flushSeconds
	agentConfig.OTLPReceiver.AttributesTranslator = translator
	agentConfig.OTLPReceiver.SpanNameRemappings = settings.Traces.SpanNameRemappings
	agentConfig.OTLPReceiver.SpanNameAsResourceName = settings.Traces.SpanNameAsResourceName
	agentConfig.Ignore["resource"] = settings.Traces.IgnoreResources
	agentConfig.ComputeStatsBySpanKind = settings.Traces.ComputeStatsBySpanKind
	agentConfig.PeerTagsAggregation = settings.Traces.PeerTagsAggregation
	agentConfig.PeerTags = settings.Traces.PeerTags
	if settings.Traces.ComputeTopLevelBySpanKind {
		agentConfig.Features["enable_otlp_compute_top_level_by_span_kind"] = struct{}{}
	}
	return agentConfig, nil
}

// throughAgent gives the case's spans to a trace agent, and shows what it sends.
func throughAgent(c *parity.Case) ([]any, error) {
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
	ctx, stop := context.WithCancel(context.Background())
	part := agent.NewAgent(ctx, agentConfig, agenttelemetry.NewNoopCollector(), &statsd.NoOpClient{}, gzip.NewComponent())
	stopped := make(chan struct{})
	go func() {
		part.Run()
		close(stopped)
	}()
	// The connector computes the statistics, the exporter does not.
	header := http.Header{"Datadog-Client-Computed-Stats": []string{"true"}}
	for _, request := range c.Requests {
		if err := receive(ctx, part, request, header); err != nil {
			stop()
			return nil, err
		}
	}
	sink.WaitQuiet(quiet)
	stop()
	<-stopped
	return parity.Decoded(sink, "/api/v0.2/traces", agentPayload)
}

func receive(ctx context.Context, part *agent.Agent, request []byte, header http.Header) error {
	spans, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(request)
	if err != nil {
		return err
	}
	for i := range spans.ResourceSpans().Len() {
		resource := spans.ResourceSpans().At(i)
		if _, err := part.OTLPReceiver.ReceiveResourceSpans(ctx, resource, header, nil); err != nil {
			return err
		}
	}
	return nil
}

func telemetry() component.TelemetrySettings { return componenttest.NewNopTelemetrySettings() }
