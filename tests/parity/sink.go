package parity

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Request is one request that reached the sink, its body decompressed.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
}

// Sink is a backend on loopback that takes everything and keeps it.
type Sink struct {
	server   *httptest.Server
	mu       sync.Mutex
	requests []Request
	problems []error
	last     time.Time
}

// NewSink starts a sink. `answer` writes the response to one request; without it each gets 202 and an empty object.
func NewSink(answer func(http.ResponseWriter, Request)) *Sink {
	sink := &Sink{last: time.Now()}
	sink.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := decompressed(r)
		request := Request{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body}
		sink.keep(request, err)
		if answer != nil {
			answer(w, request)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "{}")
	}))
	return sink
}

// URL is the sink's address.
func (s *Sink) URL() string { return s.server.URL }

// Close stops the sink.
func (s *Sink) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Requests returns everything that arrived until now, in the order of arrival.
func (s *Sink) Requests() ([]Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, problem := range s.problems {
		return nil, problem
	}
	return append([]Request(nil), s.requests...), nil
}

// WaitQuiet returns once nothing has arrived for a while.
func (s *Sink) WaitQuiet(quiet time.Duration) {
	start := time.Now()
	for {
		s.mu.Lock()
		since := time.Since(max2(s.last, start))
		s.mu.Unlock()
		if since >= quiet {
			return
		}
		time.Sleep(quiet - since)
	}
}

func (s *Sink) keep(request Request, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	s.requests = append(s.requests, request)
	if err != nil {
		s.problems = append(s.problems, fmt.Errorf("%s %s: %w", request.Method, request.Path, err))
	}
}

func decompressed(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		return body, err
	}
	var reader io.Reader
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		reader, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		reader, err = zlib.NewReader(bytes.NewReader(body))
	case "zstd":
		reader, err = zstd.NewReader(bytes.NewReader(body))
	default:
		return nil, fmt.Errorf("unknown content encoding %q", encoding)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

func max2(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
