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

// numberDrawn writes `drawn 0`, `drawn 1` and so on in the place of the ids that are not in the requests. They are counted in the order of the
// documents, and of the keys within one (its own id first), so that two recordings are the same, and so that ours can be compared.
func numberDrawn(recorded map[string]any, requests []json.RawMessage) {
	var input strings.Builder
	for _, request := range requests {
		input.Write(request)
	}
	numbers := map[string]string{}
	numbered(recorded, input.String(), numbers)
}

func numbered(value any, input string, numbers map[string]string) any {
	switch value := value.(type) {
	case string:
		if !id.MatchString(value) || strings.Contains(input, value) {
			return value
		}
		if _, known := numbers[value]; !known {
			numbers[value] = fmt.Sprintf("drawn %d", len(numbers))
		}
		return numbers[value]
	case []any:
		for i, member := range value {
			value[i] = numbered(member, input, numbers)
		}
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Slice(keys, func(a, b int) bool { return keys[a] == "id" || keys[b] != "id" && keys[a] < keys[b] })
		for _, key := range keys {
			value[key] = numbered(value[key], input, numbers)
		}
	}
	return value
}
