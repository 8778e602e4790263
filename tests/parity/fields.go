package parity

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Fields shows a message with its field names as they are in the .proto file. What has its default value is left out.
// `bytes` shows a field of bytes.
func Fields(message protoreflect.Message, bytes func(name string, value []byte) any) map[string]any {
	shown := map[string]any{}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		switch {
		case field.IsList():
			list := value.List()
			values := make([]any, list.Len())
			for i := range values {
				values[i] = plain(field, list.Get(i), bytes)
			}
			shown[name] = values
		case field.IsMap():
			values := map[string]any{}
			value.Map().Range(func(key protoreflect.MapKey, entry protoreflect.Value) bool {
				values[key.String()] = plain(field.MapValue(), entry, bytes)
				return true
			})
			shown[name] = values
		default:
			shown[name] = plain(field, value, bytes)
		}
		return true
	})
	return shown
}

func plain(field protoreflect.FieldDescriptor, value protoreflect.Value, bytes func(string, []byte) any) any {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return Fields(value.Message(), bytes)
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return string(known.Name())
		}
		return int32(value.Enum())
	case protoreflect.BytesKind:
		return bytes(string(field.Name()), value.Bytes())
	default:
		return value.Interface()
	}
}
