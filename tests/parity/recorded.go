package parity

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// Main is the whole of a recorder's program: `[-only PART] CASES`, where `record` runs one case and returns its
// reference.
func Main(record func(*Case) (map[string]any, error)) {
	only := flag.String("only", "", "record the cases whose name contains this")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	StayOnLoopback()
	cases, err := ReadCases(flag.Arg(0), *only)
	if err == nil {
		err = Each(cases, func(c *Case) error {
			reference, err := guarded(record, c)
			if err != nil {
				return err
			}
			return c.Write(reference)
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("recorded %d cases\n", len(cases))
}

// guarded records a case. Where the component itself panics, which ends the Collector, that is the reference.
func guarded(record func(*Case) (map[string]any, error), c *Case) (reference map[string]any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			reference = map[string]any{"panics": fmt.Sprint(problem)}
		}
	}()
	return record(c)
}

// Each does something with every case, several at a time, as a case spends its time waiting.
func Each(cases []*Case, do func(*Case) error) error {
	var wait sync.WaitGroup
	queue := make(chan *Case)
	failures := make(chan error, len(cases))
	for range 8 {
		wait.Go(func() {
			for c := range queue {
				if err := do(c); err != nil {
					failures <- fmt.Errorf("%s: %w", c.Name, err)
				}
			}
		})
	}
	for _, c := range cases {
		queue <- c
	}
	close(queue)
	wait.Wait()
	close(failures)
	return <-failures
}

// Decoded shows every request to a path that has a body.
func Decoded(sink *Sink, path string, decode func(Request) (any, error)) ([]any, error) {
	requests, err := sink.Requests()
	if err != nil {
		return nil, err
	}
	values := []any{}
	for _, request := range requests {
		if request.Path != path || len(request.Body) == 0 {
			continue
		}
		value, err := decode(request)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		values = append(values, value)
	}
	return values, nil
}

// Merged joins payloads that differ in one list only, whose order is an accident.
func Merged(payloads []any, key string) []any {
	joined := map[string]map[string]any{}
	lists := map[string][]any{}
	for _, payload := range payloads {
		payload := payload.(map[string]any)
		members := List(payload[key])
		delete(payload, key)
		envelope := mustJSON(payload)
		joined[envelope] = payload
		lists[envelope] = append(lists[envelope], members...)
	}
	all := []any{}
	for envelope, payload := range joined {
		payload[key] = Sorted(lists[envelope])
		all = append(all, payload)
	}
	return Sorted(all)
}

// Sorted puts a list of values into the order of their JSON texts, for lists whose order is an accident.
func Sorted(values []any) []any {
	sorted := append([]any{}, values...)
	sort.SliceStable(sorted, func(a, b int) bool { return mustJSON(sorted[a]) < mustJSON(sorted[b]) })
	return sorted
}

// SortTags puts the tags of a text like `a:b,c:d` in order; the order they have is that of a hash map.
func SortTags(holder map[string]any, key string) {
	if text, ok := holder[key].(string); ok {
		tags := strings.Split(text, ",")
		sort.Strings(tags)
		holder[key] = strings.Join(tags, ",")
	}
}

// IsNow tells whether a moment comes from the clock during a recording, and not from its input.
func IsNow(moment, started time.Time) bool {
	return moment.After(started.Add(-time.Minute)) && moment.Before(time.Now().Add(time.Minute))
}

// List is the value as a list, an empty one if it is none.
func List(value any) []any {
	values, _ := value.([]any)
	return values
}

// Flat joins lists.
func Flat(lists []any) []any {
	all := []any{}
	for _, one := range lists {
		all = append(all, List(one)...)
	}
	return all
}

// ThroughJSON turns a value into maps and lists by way of its JSON form; numbers keep their digits.
func ThroughJSON(value any) (any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return ParseJSON(text)
}

// ParseJSON reads JSON; numbers keep their digits.
func ParseJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

func mustJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only plain values get here
	}
	return string(text)
}
