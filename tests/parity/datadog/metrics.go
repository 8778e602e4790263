package main

import (
	"context"
	"sort"
	"strings"

	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes/source"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/metrics"
	"github.com/DataDog/datadog-agent/pkg/util/quantile"
	datadogconfig "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/datadog/config"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"hikyaku/parity"
)

// recordMetrics gives the case's points to the exporter's translator.
func recordMetrics(c *parity.Case) (map[string]any, error) {
	settings, err := exporterSection(c, nil)
	if err != nil {
		return nil, err
	}
	translator, err := metricsTranslator(settings)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	made := &madeMetrics{series: []any{}, sketches: []any{}}
	translate := translating(func(points pmetric.Metrics) error {
		_, err := translator.MapMetrics(ctx, points, made, nil)
		return err
	})
	var part consumer.Metrics = translate
	if settings.Metrics.ExporterConfig.ResourceAttributesAsTags {
		part = resourcetotelemetry.WrapMetricsExporter(resourcetotelemetry.Settings{Included: []string{"*"}}, translate)
	}
	for _, request := range c.Requests {
		points, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(request)
		if err != nil {
			return nil, err
		}
		if err := part.ConsumeMetrics(ctx, points); err != nil {
			return map[string]any{"refused": err.Error()}, nil
		}
	}
	if made.failed != nil {
		return nil, made.failed
	}
	return map[string]any{
		"series":   parity.Sorted(made.series),
		"sketches": parity.Sorted(made.sketches),
	}, nil
}

// metricsTranslator is the translator as the exporter sets it up, with every feature gate at its default.
func metricsTranslator(settings *datadogconfig.Config) (metrics.Provider, error) {
	attributesTranslator, err := attributes.NewTranslator(telemetry())
	if err != nil {
		return nil, err
	}
	section := settings.Metrics
	options := []metrics.TranslatorOption{
		metrics.WithFallbackSourceProvider(fallback{}),
		metrics.WithHistogramMode(metrics.HistogramMode(section.HistConfig.Mode)),
		metrics.WithDeltaTTL(section.DeltaTTL),
		metrics.WithInitialCumulMonoValueMode(
			metrics.InitialCumulMonoValueMode(section.SumConfig.InitialCumulativeMonotonicMode)),
		metrics.WithoutRuntimeMetricMappings(),
		metrics.WithUnits(),
	}
	if section.HistConfig.SendAggregations {
		options = append(options, metrics.WithHistogramAggregations())
	}
	if section.SummaryConfig.Mode == datadogconfig.SummaryModeGauges {
		options = append(options, metrics.WithQuantiles())
	}
	if section.ExporterConfig.InstrumentationScopeMetadataAsTags {
		options = append(options, metrics.WithInstrumentationScopeMetadataAsTags())
	}
	mode := metrics.NumberModeCumulativeToDelta
	if section.SumConfig.CumulativeMonotonicMode == datadogconfig.CumulativeMonotonicSumModeRawValue {
		mode = metrics.NumberModeRawValue
	}
	options = append(options, metrics.WithNumberMode(mode))
	return metrics.NewDefaultTranslator(telemetry(), attributesTranslator, options...)
}

// fallback is the host of whatever has none.
type fallback struct{}

func (fallback) Source(context.Context) (source.Source, error) {
	return source.Source{Kind: source.HostnameKind, Identifier: hostname}, nil
}

// madeMetrics keeps what the translator makes, shown as in the payloads that the exporter's serializer makes of it.
type madeMetrics struct {
	series, sketches []any
	failed           error
}

func (m *madeMetrics) keep(list *[]any, one map[string]any) {
	lean, err := parity.Lean(one)
	if err != nil {
		m.failed = err
		return
	}
	*list = append(*list, lean)
}

var kinds = map[metrics.DataType]string{metrics.Gauge: "GAUGE", metrics.Count: "COUNT", metrics.Rate: "RATE"}

func (m *madeMetrics) ConsumeTimeSeries(
	_ context.Context, of *metrics.Dimensions, kind metrics.DataType, time uint64, interval int64, value float64,
) {
	resources, tags := resourcesAndTags(of)
	one := map[string]any{
		"metric":    of.Name(),
		"type":      kinds[kind],
		"points":    []any{map[string]any{"timestamp": int64(time / 1e9), "value": value}},
		"tags":      tags,
		"resources": resources,
		"unit":      of.Unit(),
		"interval":  interval,
		"metadata":  origin(of),
	}
	m.keep(&m.series, one)
}

func (m *madeMetrics) ConsumeSketch(
	_ context.Context, of *metrics.Dimensions, time uint64, _ int64, sketch *quantile.Sketch,
) {
	keys, counts := sketch.Cols()
	one := map[string]any{
		"metric":   of.Name(),
		"host":     of.Host(),
		"tags":     sortedTags(of),
		"metadata": origin(of),
		"dogsketches": []any{map[string]any{
			"ts":  int64(time / 1e9),
			"cnt": sketch.Basic.Cnt,
			"min": sketch.Basic.Min,
			"max": sketch.Basic.Max,
			"avg": sketch.Basic.Avg,
			"sum": sketch.Basic.Sum,
			"k":   keys,
			"n":   counts,
		}},
	}
	m.keep(&m.sketches, one)
}

// resourcesAndTags tells the tags apart that the serializer turns into resources of a series.
func resourcesAndTags(of *metrics.Dimensions) (resources []any, tags []string) {
	resources = []any{map[string]any{"type": "host", "name": of.Host()}}
	for _, tag := range sortedTags(of) {
		if device, found := strings.CutPrefix(tag, "device:"); found {
			resources = append(resources, map[string]any{"type": "device", "name": device})
		} else if resource, found := strings.CutPrefix(tag, "dd.internal.resource:"); found {
			kind, name, _ := strings.Cut(resource, ":")
			if kind != "" && name != "" {
				resources = append(resources, map[string]any{"type": kind, "name": name})
			}
		} else {
			tags = append(tags, tag)
		}
	}
	return resources, tags
}

// origin is who the serializer says that a metric comes from: the Collector's exporter, and the receiver.
func origin(of *metrics.Dimensions) any {
	return map[string]any{"origin": map[string]any{
		"origin_product": 19,
		"origin_service": int(of.OriginProductDetail()),
	}}
}

// Raw histograms are for another exporter.
func (m *madeMetrics) ConsumeExplicitBoundHistogram(context.Context, *metrics.Dimensions, pmetric.HistogramDataPointSlice) {
}

func (m *madeMetrics) ConsumeExponentialHistogram(context.Context, *metrics.Dimensions, pmetric.ExponentialHistogramDataPointSlice) {
}

func sortedTags(of *metrics.Dimensions) []string {
	tags := append([]string{}, of.Tags()...)
	sort.Strings(tags)
	return tags
}

// translating is a function as the last part of a pipeline.
type translating func(pmetric.Metrics) error

func (t translating) ConsumeMetrics(_ context.Context, points pmetric.Metrics) error {
	return t(points)
}
func (translating) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}
func (translating) Start(context.Context, component.Host) error { return nil }
func (translating) Shutdown(context.Context) error              { return nil }
