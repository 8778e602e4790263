// Command datadog records what the `datadog` exporter and connector make of our cases.
//
//	go run . [-only PART] CASES
//
// CASES is a folder of cases. Each gets a `reference.json`: what arrived at a backend on loopback, decoded.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"

	"hikyaku/parity"
)

func main() {
	only := flag.String("only", "", "record the cases whose name contains this")
	workers := flag.Int("workers", 4, "how many cases to record at a time")
	flag.Parse()
	parity.StayOnLoopback()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := record(flag.Arg(0), *only, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "datadog:", err)
		os.Exit(1)
	}
}

func record(folder, only string, workers int) error {
	cases, err := parity.ReadCases(folder, only)
	if err != nil {
		return err
	}
	queue := make(chan *parity.Case)
	failures := make([]error, workers)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for c := range queue {
				if failures[worker] != nil {
					continue // the queue has to be emptied
				}
				failures[worker] = recordCase(c)
			}
		})
	}
	for _, c := range cases {
		queue <- c
	}
	close(queue)
	wait.Wait()
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	fmt.Printf("recorded %d cases\n", len(cases))
	return nil
}

func recordCase(c *parity.Case) error {
	signal, err := c.Signal()
	if err != nil {
		return err
	}
	recorded := map[string]any{}
	switch signal {
	case "traces":
		err = recordTraces(c, recorded)
	case "metrics":
		err = recordMetrics(c, recorded)
	case "logs":
		err = recordLogs(c, recorded)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return c.Write(recorded)
}
