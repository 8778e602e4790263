package parity

import (
	"encoding/json"
	"fmt"
	"sort"
)

// Differences calls `found` for every place at which two values, both read from JSON, differ. A member with the default
// of its type is the same as none, as in a payload on the wire.
func Differences(a, b any, path string, found func(path, a, b string)) {
	if isDefault(a) && isDefault(b) {
		return
	}
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			for _, key := range keys(a, b) {
				Differences(a[key], b[key], path+"/"+key, found)
			}
			return
		}
	case []any:
		if b, ok := b.([]any); ok && len(a) == len(b) {
			for i := range a {
				Differences(a[i], b[i], fmt.Sprintf("%s/%d", path, i), found)
			}
			return
		}
	}
	if mustJSON(a) != mustJSON(b) {
		found(path, mustJSON(a), mustJSON(b))
	}
}

func keys(a, b map[string]any) []string {
	var all []string
	for key := range a {
		all = append(all, key)
	}
	for key := range b {
		if _, found := a[key]; !found {
			all = append(all, key)
		}
	}
	sort.Strings(all)
	return all
}

func isDefault(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case json.Number:
		number, err := value.Float64()
		return err == nil && number == 0
	case []any:
		return len(value) == 0
	case map[string]any:
		for _, member := range value {
			if !isDefault(member) {
				return false
			}
		}
		return true
	}
	return false
}

// Lean leaves out the members of a message that have the default of their type, as the wire does.
func Lean(message map[string]any) (map[string]any, error) {
	plain, err := ThroughJSON(message)
	if err != nil {
		return nil, err
	}
	lean, _ := leaned(plain).(map[string]any)
	return lean, nil
}

func leaned(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if isDefault(member) {
				delete(value, key)
				continue
			}
			value[key] = leaned(member)
		}
	case []any:
		for i, member := range value {
			value[i] = leaned(member)
		}
	}
	return value
}
