package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// What asynqmon shows of a payload is bounded: it is looked at, not copied.
const (
	maskMaxBytes  = 256 << 10 // larger ones are no payloads of ours
	maskMaxDepth  = 16
	maskMaxItems  = 50
	maskMaxString = 512 // of a value that is shown
	maskMaxName   = 64
)

// shown names the members whose values tell what a task is about without
// telling what somebody wrote: ids, kinds and flags. All others are replaced by
// their length, so that a member added later is masked until it is listed.
var shown = map[string]bool{
	"v": true,

	"conversation": true, "message": true, "owner": true, "user": true, "user_id": true,
	"participants": true, "recipients": true, "distinct": true,
	"mime_type": true, "encoding": true,
	"operation": true, "property": true, "external_unread_count": true,

	"conversation_id": true, "message_id": true, "announcement_id": true, "content_id": true, "id": true,
}

// opaque names the members below which nothing is shown, whatever it is
// called: what applications and people put there is theirs.
var opaque = map[string]bool{
	"metadata": true, "identity": true, "notification": true, "properties": true, "value": true,
}

// mask returns a payload or a result as JSON that keeps its structure and
// replaces every text that is not known to be harmless by its length.
func mask(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	if len(data) > maskMaxBytes {
		return quote(length(len(data)))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return quote(fmt.Sprintf("‹%d bytes, not JSON›", len(data)))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(maskValue(v, false, false, 0)); err != nil {
		return quote(length(len(data)))
	}
	return string(bytes.TrimSpace(out.Bytes()))
}

// maskValue masks one value. plain says that its name is a shown one, hidden
// that it stands below an opaque one.
func maskValue(v any, plain, hidden bool, depth int) any {
	if depth > maskMaxDepth {
		return "…"
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if len(out) == maskMaxItems {
				out["…"] = fmt.Sprintf("‹%d more›", len(v)-maskMaxItems)
				break
			}
			below := hidden || opaque[name]
			out[short(name, maskMaxName)] = maskValue(v[name], shown[name] && !below, below, depth+1)
		}
		return out
	case []any:
		out := make([]any, 0, min(len(v), maskMaxItems+1))
		for _, item := range v {
			if len(out) == maskMaxItems {
				out = append(out, fmt.Sprintf("‹%d more›", len(v)-maskMaxItems))
				break
			}
			out = append(out, maskValue(item, plain, hidden, depth+1))
		}
		return out
	case string:
		if plain {
			return short(v, maskMaxString)
		}
		return length(len(v))
	case json.Number:
		if plain {
			return v
		}
		return length(len(v))
	default: // true, false and null tell nothing
		return v
	}
}

func length(n int) string {
	if n == 1 {
		return "‹1 byte›"
	}
	return "‹" + strconv.Itoa(n) + " bytes›"
}

func short(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return length(len(s))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}
