package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// What asynqmon shows of a payload is bounded: it is looked at, not copied.
const (
	maskMaxBytes = 256 << 10 // larger ones are no payloads of ours
	maskMaxDepth = 16
	maskMaxItems = 50
)

// shown tells, by the name of a member, which of its strings tell what a task is
// about without telling what somebody wrote. All others are replaced by their
// length, so that a member added later is masked until it is listed. The name is
// not enough: a payload that is not ours may have a text under any name.
//
// Ids of users are masked: applications choose them, and e-mail addresses and
// names are common choices that cannot be told from a text.
var shown = map[string]*regexp.Regexp{
	"conversation": anID, "message": anID, "id": anID,
	"conversation_id": anID, "message_id": anID, "announcement_id": anID, "content_id": anID,
	"mime_type": regexp.MustCompile(`^(text|image|audio|video|application)/[a-z0-9.+-]{1,40}$`),
	"encoding":  regexp.MustCompile(`^base64$`),
	"operation": regexp.MustCompile(`^(add|remove|set|delete)$`),
	"property":  regexp.MustCompile(`^(participants|blocks)$`),
}

// anID is a UUID, bare or at the end of a layer:/// URL, and that of a part.
var anID = regexp.MustCompile(`^(layer:///([a-z]{1,20}/){1,3})?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(/parts/[0-9]{1,4})?$`)

// counted names the members whose numbers are shown.
var counted = map[string]bool{"v": true, "external_unread_count": true}

// aName is what members of ours are called. Others may be a text, too.
var aName = regexp.MustCompile(`^[a-z_]{1,32}$`)

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
	if err := enc.Encode(maskValue(v, "", 0)); err != nil {
		return quote(length(len(data)))
	}
	return string(bytes.TrimSpace(out.Bytes()))
}

// below is the name of everything that stands below an opaque one.
const below = "*"

// maskValue masks the value of a member, or an item of its list.
func maskValue(v any, of string, depth int) any {
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
			inside := name
			if of == below || opaque[name] {
				inside = below
			}
			value := maskValue(v[name], inside, depth+1)
			if !aName.MatchString(name) {
				name = fmt.Sprintf("‹name %d, %d bytes›", len(out)+1, len(name))
			}
			out[name] = value
		}
		return out
	case []any:
		out := make([]any, 0, min(len(v), maskMaxItems+1))
		for _, item := range v {
			if len(out) == maskMaxItems {
				out = append(out, fmt.Sprintf("‹%d more›", len(v)-maskMaxItems))
				break
			}
			out = append(out, maskValue(item, of, depth+1))
		}
		return out
	case string:
		if form := shown[of]; form != nil && form.MatchString(v) {
			return v
		}
		return length(len(v))
	case json.Number:
		if counted[of] {
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

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}
