package main

import (
	"context"
	"encoding/json"

	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/logs"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
	"go.opentelemetry.io/collector/pdata/plog"

	"hikyaku/parity"
)

// What the exporter calls the source of its logs, and of their tags.
const (
	logSource  = "otlp_log_ingestion"
	otelSource = "datadog_exporter"
)

// recordLogs gives the case's records to the exporter's translator.
func recordLogs(c *parity.Case) (map[string]any, error) {
	attributesTranslator, err := attributes.NewTranslator(telemetry())
	if err != nil {
		return nil, err
	}
	translator, err := logs.NewTranslator(telemetry(), attributesTranslator, otelSource)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, request := range c.Requests {
		records, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(request)
		if err != nil {
			return nil, err
		}
		for _, made := range translator.MapLogs(context.Background(), records, nil) {
			item, err := logItem(made)
			if err != nil {
				return nil, err
			}
			if item != nil {
				items = append(items, item)
			}
		}
	}
	return map[string]any{"logs": items}, nil
}

// logItem puts a translated record into the item that the exporter's logs agent makes of it: the record itself is the
// text of the message. The item's time is that of its sending. A record that cannot be written as JSON is dropped.
func logItem(made datadogV2.HTTPLogItem) (map[string]any, error) {
	item := map[string]any{
		"ddtags":    made.GetDdtags(),
		"ddsource":  logSource,
		"hostname":  hostname,
		"service":   made.GetService(),
		"status":    "info",
		"timestamp": "now",
	}
	if text, ok := made.AdditionalProperties["status"].(string); ok && text != "" {
		item["status"] = text
	}
	if text, ok := made.AdditionalProperties["datadog.log.source"].(string); ok && text != "" {
		item["ddsource"] = text
	}
	if made.Hostname != nil {
		item["hostname"] = *made.Hostname
	}
	made.Ddtags = nil
	text, err := json.Marshal(made)
	if err != nil {
		return nil, nil
	}
	if item["message"], err = parity.ParseJSON(text); err != nil {
		return nil, err
	}
	parity.SortTags(item, "ddtags")
	return item, nil
}
