// Command shop fails, and writes what OpenTelemetry's SDK records of it: a JSON line for each error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

type cart struct{ items map[string]int }

type priced interface{ price(name string) int }

func (c *cart) price(name string) int { return 100 / c.items[name] }

func (c cart) total(names ...string) (sum int) {
	for _, name := range names {
		sum += c.price(name)
	}
	return sum
}

func largest[T any](items []T) T { return items[len(items)-1] }

// recorded runs what panics, as a middleware would.
func recorded(span trace.Span, run func()) {
	defer span.End()
	defer func() {
		if problem := recover(); problem != nil {
			span.RecordError(fmt.Errorf("panic: %v", problem), trace.WithStackTrace(true))
		}
	}()
	run()
}

func main() {
	spans := tracetest.NewInMemoryExporter()
	tracer := sdk.NewTracerProvider(sdk.WithSyncer(spans)).Tracer("shop")
	start := func(name string) trace.Span {
		_, span := tracer.Start(context.Background(), name)
		return span
	}
	recorded(start("panicked"), func() { cart{}.total("a") })
	recorded(start("by_an_interface"), func() { priced(&cart{}).price("a") })
	recorded(start("generic"), func() { largest([]int{}) })
	recorded(start("nil_map"), func() { cart{}.items["a"] = 1 })
	var group sync.WaitGroup
	group.Go(func() {
		recorded(start("in_a_goroutine"), func() { var c *cart; c.price("a") })
	})
	group.Wait()
	span := start("wrapped")
	span.RecordError(fmt.Errorf("cannot pay: %w", errors.New("card: declined")), trace.WithStackTrace(true))
	span.End()
	span = start("without_a_trace")
	span.RecordError(errors.New("no trace"))
	span.End()
	span = start("as_the_runtime_writes_it")
	span.AddEvent("exception", trace.WithAttributes(
		attribute.String("exception.type", "panic"),
		attribute.String("exception.message", "assignment to entry in nil map"),
		attribute.String("exception.stacktrace", "panic: assignment to entry in nil map\n\n"+string(debug.Stack())),
	))
	span.End()
	encoder := json.NewEncoder(os.Stdout)
	for _, span := range spans.GetSpans() {
		line := map[string]string{"scenario": span.Name}
		for _, pair := range span.Events[0].Attributes {
			line[strings.TrimPrefix(string(pair.Key), "exception.")] = pair.Value.AsString()
		}
		_ = encoder.Encode(line)
	}
}
