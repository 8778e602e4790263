// Command datadogexporter runs the whole `datadog` exporter, an older one than the parts that the recorder next door
// is made of, since of later ones not every module is to be had.
//
//	go run . -requests FILE CASES   writes down what the requests to each endpoint look like
//	go run . CASES                  shows where its payloads differ from the references
//
// What it shows is for a person to judge: upstream's changes since, or a mistake in the recorder.
package main

import (
	"flag"
	"fmt"
	"os"

	"hikyaku/parity"
)

func main() {
	requests := flag.String("requests", "", "write the requests of one case of each signal to this file")
	only := flag.String("only", "", "run the cases whose name contains this")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	parity.StayOnLoopback()
	cases, err := parity.ReadCases(flag.Arg(0), *only)
	if err == nil && *requests != "" {
		err = writeRequests(cases, *requests)
	} else if err == nil {
		err = compare(cases)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "datadogexporter:", err)
		os.Exit(1)
	}
}

// compare shows every difference between a case's reference and the whole exporter's payloads.
func compare(cases []*parity.Case) error {
	return parity.Each(cases, func(c *parity.Case) (err error) {
		defer func() {
			if problem := recover(); problem != nil {
				fmt.Printf("%s: the exporter panics: %v\n", c.Name, problem)
			}
		}()
		reference, err := c.Reference()
		if err != nil {
			return err
		}
		whole, err := payloads(c)
		if err != nil {
			whole = map[string]any{"refused": err.Error()}
		}
		for key, value := range whole {
			plain, err := parity.ThroughJSON(value)
			if err != nil {
				return err
			}
			parity.Differences(reference[key], plain, key, func(path, theirs, ours string) {
				fmt.Printf("%s %s: reference %s, exporter %s\n", c.Name, path, theirs, ours)
			})
		}
		return nil
	})
}
