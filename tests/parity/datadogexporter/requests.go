package main

import (
	"net/http"
	"regexp"
	"strings"

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
	return parity.WriteJSON(path, kinds)
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
