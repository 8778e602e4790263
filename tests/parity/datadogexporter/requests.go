package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/proto"

	"hikyaku/parity"
)

// The headers that say something of the payload or its sender; the rest is any HTTP client's.
var telling = regexp.MustCompile(`^(Content-(Type|Encoding)|User-Agent|Dd-.*|X-Datadog-.*|Datadog-.*)$`)

// Whatever else differs between two recordings.
var clock = regexp.MustCompile(`(?i)timestamp`)

// writeRequests runs the first case of each signal that has one, and writes down each kind of request once.
func writeRequests(cases []*parity.Case, path string) error {
	kinds := map[string]any{}
	seen := map[string]bool{}
	for _, c := range cases {
		signal, err := c.Signal()
		if err != nil {
			return err
		}
		if seen[signal] || len(c.Config) > 0 {
			continue
		}
		seen[signal] = true
		sink, err := through(c)
		if err != nil {
			return err
		}
		requests, err := sink.Requests()
		sink.Close()
		if err != nil {
			return err
		}
		for _, request := range requests {
			kinds[signal+": "+request.Method+" "+request.Path] = headers(request.Header)
		}
	}
	request, err := statsRequest()
	if err != nil {
		return err
	}
	kinds["stats: "+request.Method+" "+request.Path] = headers(request.Header)
	return parity.WriteJSON(path, kinds)
}

// The name of the metric, and of its attribute, in which the connector hands on statistics.
const carrier = "dd.internal.stats.payload"

// statsRequest is what becomes of a metric that the connector makes.
func statsRequest() (parity.Request, error) {
	payload, err := proto.Marshal(&pb.StatsPayload{Stats: []*pb.ClientStatsPayload{{
		Env: "none", Stats: []*pb.ClientStatsBucket{{Stats: []*pb.ClientGroupedStats{{Hits: 1}}}},
	}}})
	if err != nil {
		return parity.Request{}, err
	}
	points := pmetric.NewMetrics()
	metric := points.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName(carrier)
	metric.SetEmptySum().DataPoints().AppendEmpty().Attributes().PutEmptyBytes(carrier).FromRaw(payload)
	request, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(points)
	if err != nil {
		return parity.Request{}, err
	}
	sink, err := through(&parity.Case{Name: "stats", Requests: []json.RawMessage{request}})
	if err != nil {
		return parity.Request{}, err
	}
	defer sink.Close()
	requests, err := sink.Requests()
	for _, request := range requests {
		if request.Path == "/api/v0.2/stats" {
			return request, err
		}
	}
	return parity.Request{}, errors.New("the exporter sent no statistics")
}

func headers(all http.Header) map[string]any {
	told := map[string]any{}
	for name, values := range all {
		switch {
		case !telling.MatchString(name):
		case clock.MatchString(name):
			told[name] = "now"
		default:
			told[name] = strings.ReplaceAll(strings.Join(values, ", "), apiKey, "the key")
		}
	}
	return told
}
