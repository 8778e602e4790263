package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// id is what the exporter draws by chance: for exceptions, and for the second document of a span that is a local root.
var id = regexp.MustCompile("^[0-9a-f]{16}$")

// drawn names ids that are not in the requests by the document in which they come first, and by their place among those: `drawn 3.0`. Within a
// document they are counted in the order of the keys, but an object's own id first. So two recordings are the same, and ours can be compared.
type drawn struct {
	input string
	names map[string]string
	// The document, and how many names it has given.
	document, count int
}

func nameDrawn(documents []any, requests []json.RawMessage) {
	var input strings.Builder
	for _, request := range requests {
		input.Write(request)
	}
	names := drawn{input: input.String(), names: map[string]string{}}
	for place, document := range documents {
		names.document, names.count = place, 0
		documents[place] = names.named(document)
	}
}

func (d *drawn) named(value any) any {
	switch value := value.(type) {
	case string:
		if !id.MatchString(value) || strings.Contains(d.input, value) {
			return value
		}
		if _, known := d.names[value]; !known {
			d.names[value] = fmt.Sprintf("drawn %d.%d", d.document, d.count)
			d.count++
		}
		return d.names[value]
	case []any:
		for place, member := range value {
			value[place] = d.named(member)
		}
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Slice(keys, func(a, b int) bool { return keys[a] == "id" || keys[b] != "id" && keys[a] < keys[b] })
		for _, key := range keys {
			value[key] = d.named(value[key])
		}
	}
	return value
}
