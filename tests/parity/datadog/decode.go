package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/DataDog/sketches-go/ddsketch/pb/sketchpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fields shows a message with its field names as they are in the .proto file. What has its default value is left out.
func fields(message protoreflect.Message) map[string]any {
	shown := map[string]any{}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		switch {
		case field.IsList():
			list := value.List()
			values := make([]any, list.Len())
			for i := range values {
				values[i] = plain(field, list.Get(i))
			}
			shown[name] = values
		case field.IsMap():
			values := map[string]any{}
			value.Map().Range(func(key protoreflect.MapKey, entry protoreflect.Value) bool {
				values[key.String()] = plain(field.MapValue(), entry)
				return true
			})
			shown[name] = values
		default:
			shown[name] = plain(field, value)
		}
		return true
	})
	return shown
}

func plain(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return fields(value.Message())
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return string(known.Name())
		}
		return int32(value.Enum())
	case protoreflect.BytesKind:
		if name := field.Name(); name == "okSummary" || name == "errorSummary" {
			return sketch(value.Bytes())
		}
		return value.Bytes()
	default:
		return value.Interface()
	}
}

// sketch shows a DDSketch by what it means: its mapping, and the count of each bin.
func sketch(encoded []byte) any {
	var decoded sketchpb.DDSketch
	if err := proto.Unmarshal(encoded, &decoded); err != nil {
		return fmt.Sprintf("no sketch: %v", err)
	}
	shown := map[string]any{
		"gamma":       decoded.GetMapping().GetGamma(),
		"indexOffset": decoded.GetMapping().GetIndexOffset(),
		"bins":        bins(decoded.GetPositiveValues()),
	}
	if interpolation := decoded.GetMapping().GetInterpolation(); interpolation != 0 {
		shown["interpolation"] = interpolation.String()
	}
	if negative := bins(decoded.GetNegativeValues()); len(negative) > 0 {
		shown["negativeBins"] = negative
	}
	if zeros := decoded.GetZeroCount(); zeros != 0 {
		shown["zeroCount"] = zeros
	}
	return shown
}

func bins(store *sketchpb.Store) map[string]float64 {
	counts := map[string]float64{}
	for index, count := range store.GetBinCounts() {
		counts[strconv.Itoa(int(index))] += count
	}
	for i, count := range store.GetContiguousBinCounts() {
		if count != 0 {
			counts[strconv.Itoa(int(store.GetContiguousBinIndexOffset())+i)] += count
		}
	}
	return counts
}

// throughJSON turns a value into maps and lists by way of its JSON form; numbers keep their digits.
func throughJSON(value any) (any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return parsed(text)
}

func parsed(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}
