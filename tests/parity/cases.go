// Package parity runs the reference Collector's components on our cases and writes down what they send.
//
// A case is a folder with `in.json` (an OTLP/JSON export request, or a list of such that come one after the other) and, where the component's section differs from its
// default, `config.yaml`. The recorder of a component adds `reference.json`.
package parity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Case is one folder of input.
type Case struct {
	Name string
	// Requests are what it sends, one after the other.
	Requests []json.RawMessage
	Config   map[string]any
	// Extra holds further sections by the name of their file without `.yaml`.
	Extra  map[string]map[string]any
	folder string
}

// Signal tells what the export requests carry: "traces", "metrics" or "logs".
func (c *Case) Signal() (string, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(c.Requests[0], &keys); err != nil {
		return "", fmt.Errorf("%s: in.json: %w", c.Name, err)
	}
	for key, signal := range map[string]string{
		"resourceSpans": "traces", "resourceMetrics": "metrics", "resourceLogs": "logs",
	} {
		if _, found := keys[key]; found {
			return signal, nil
		}
	}
	return "", fmt.Errorf("%s: in.json has none of resourceSpans, resourceMetrics and resourceLogs", c.Name)
}

// ReadCases reads every case below a folder, in the order of their names; `only` keeps those whose name contains it.
func ReadCases(folder, only string) ([]*Case, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var cases []*Case
	for _, entry := range entries {
		if !entry.IsDir() || !strings.Contains(entry.Name(), only) {
			continue
		}
		read, err := readCase(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		cases = append(cases, read)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s holds no case named like %q", folder, only)
	}
	sort.Slice(cases, func(i, j int) bool { return cases[i].Name < cases[j].Name })
	return cases, nil
}

func readCase(folder string) (*Case, error) {
	input, err := os.ReadFile(filepath.Join(folder, "in.json"))
	if err != nil {
		return nil, err
	}
	c := &Case{Name: filepath.Base(folder), folder: folder}
	if c.Requests, err = requests(input); err != nil {
		return nil, fmt.Errorf("%s: in.json: %w", c.Name, err)
	}
	if c.Config, err = readSection(filepath.Join(folder, "config.yaml")); err != nil {
		return nil, err
	}
	c.Extra = map[string]map[string]any{}
	for _, name := range []string{"connector"} {
		if c.Extra[name], err = readSection(filepath.Join(folder, name+".yaml")); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func requests(input []byte) ([]json.RawMessage, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(input), []byte("[")) {
		return []json.RawMessage{input}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(input, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("an empty list of requests")
	}
	return list, nil
}

func readSection(path string) (map[string]any, error) {
	section := map[string]any{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return section, nil
	}
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, &section); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return section, nil
}

// Reference reads what was recorded for the case.
func (c *Case) Reference() (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(c.folder, "reference.json"))
	if err != nil {
		return nil, err
	}
	value, err := ParseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: reference.json: %w", c.Name, err)
	}
	reference, _ := value.(map[string]any)
	return reference, nil
}

// Write writes what was recorded as the case's reference.
func (c *Case) Write(recorded any) error {
	return WriteJSON(filepath.Join(c.folder, "reference.json"), recorded)
}

// WriteJSON writes a value with sorted keys and without escapes for HTML.
func WriteJSON(path string, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
