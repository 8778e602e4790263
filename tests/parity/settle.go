package parity

import "time"

// SettleSpans takes what is an accident out of a payload for Datadog's intake of spans: orders, and the start of a span
// with an impossible one, which is the moment of the export.
func SettleSpans(payload map[string]any, started time.Time) {
	for _, tracer := range List(payload["tracerPayloads"]) {
		tracer := tracer.(map[string]any)
		chunks := List(tracer["chunks"])
		for _, chunk := range chunks {
			for _, span := range List(chunk.(map[string]any)["spans"]) {
				span := span.(map[string]any)
				if start, ok := span["start"].(int64); ok && IsNow(time.Unix(0, start), started) {
					span["start"] = "now"
				}
			}
		}
		tracer["chunks"] = Sorted(chunks)
		if tags, ok := tracer["tags"].(map[string]any); ok {
			SortTags(tags, "_dd.tags.container")
		}
	}
}
