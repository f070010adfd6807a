package layer

import (
	"maps"
	"reflect"
	"slices"
	"unicode"
)

// MaxMetadataValue is the largest string in a conversation's metadata, in bytes
// ("2 KB per key").
const MaxMetadataValue = 2048

// maxNesting is how deep metadata may be nested, and how many names a property
// may have. Layer documents no such limit, but some reader of JSON on the way
// has one.
const maxNesting = 500

// Metadata is what an app attaches to a conversation: strings, and objects of
// strings, nested up to 500 deep. In Go an object is a Metadata, a map[string]any
// or a map[string]string. Numbers, booleans, lists and null are not supported.
//
// Layer docs: Platform API, conversations, metadata.
type Metadata map[string]any

// Validate names each key that Layer would not take: keys are letters, digits,
// "-" and "_"; values are strings of at most [MaxMetadataValue] bytes or objects.
func (m Metadata) Validate() error {
	var p problems
	p.metadata("", m, 1)
	return p.err()
}

func (p *problems) metadata(path string, object map[string]any, depth int) {
	if depth > maxNesting {
		p.add(path, "is nested more than %d deep", maxNesting)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if p.metadataKey(path, key) {
			p.metadataValue(joinField(path, key), object[key], depth+1)
		}
	}
}

// metadataValue checks a value at a depth; at 1 it is in no other.
func (p *problems) metadataValue(field string, value any, depth int) {
	switch v := value.(type) {
	case string:
		if p.text(field, v) && len(v) > MaxMetadataValue {
			p.add(field, "is %d bytes, Layer takes at most %d", len(v), MaxMetadataValue)
		}
	case Metadata:
		p.metadata(field, v, depth)
	case map[string]any:
		p.metadata(field, v, depth)
	case map[string]string:
		p.metadata(field, widen(v), depth)
	default:
		p.add(field, "is %s, Layer takes strings and objects of strings", aKind(value))
	}
}

func (p *problems) metadataKey(path, key string) bool {
	if key == "" {
		p.add(path, "has an empty key")
		return false
	}
	for _, r := range key {
		if r != '-' && r != '_' && (!unicode.IsLetter(r) && !unicode.IsDigit(r) || r == unicode.ReplacementChar) {
			p.add(path, "has the key %s; Layer takes letters, digits, - and _", quote(key))
			return false
		}
	}
	return true
}

func widen(m map[string]string) map[string]any {
	wide := make(map[string]any, len(m))
	for k, v := range m {
		wide[k] = v
	}
	return wide
}

// jsonKind is the JSON word for the type of a Go value.
func jsonKind(value any) string {
	if value == nil {
		return "null"
	}
	switch reflect.TypeOf(value).Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "number"
	default:
		return "object"
	}
}

// aKind is jsonKind with its article.
func aKind(value any) string {
	switch kind := jsonKind(value); kind {
	case "null":
		return kind
	case "object":
		return "an " + kind
	default:
		return "a " + kind
	}
}
