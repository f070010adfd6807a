package layertest

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// Inline bodies take 2 KB, measured after base64 decoding; so does a value of
// metadata.
const (
	maxInline     = 2048
	maxInline2000 = 2000
)

// maxInline is what 2 KB are.
func (c *call) maxInline() int {
	if c.e.config.Switches.Body2000 {
		return maxInline2000
	}
	return maxInline
}

// parseParts reads the parts of a message or announcement.
//
// Layer docs: platform, messages, message parts.
func (c *call) parseParts(body object, inlineOnly bool) ([]part, *failure) {
	if !body.has("parts") {
		return nil, missing("parts")
	}
	list, ok := body["parts"].([]any)
	switch {
	case !ok:
		return nil, invalid("parts", "it must be an array")
	case len(list) == 0 && !c.e.config.Switches.AllowEmptyLists:
		return nil, invalid("parts", "it must not be empty")
	}
	parts := make([]part, len(list))
	for i, v := range list {
		property := "parts[" + strconv.Itoa(i) + "]"
		o, ok := v.(map[string]any)
		if !ok {
			return nil, invalid(property, "it must be an object")
		}
		var f *failure
		if parts[i], f = c.parsePart(o, property, inlineOnly); f != nil {
			return nil, f
		}
	}
	return parts, nil
}

func (c *call) parsePart(o object, property string, inlineOnly bool) (part, *failure) {
	var p part
	var f *failure
	if !o.has("mime_type") {
		return p, missing(property + ".mime_type")
	}
	if p.mime, f = o.text("mime_type", property+".mime_type"); f != nil {
		return p, f
	}
	if p.mime == "" {
		return p, invalid(property+".mime_type", "it must not be empty")
	}
	if o.has("content") && inlineOnly {
		return p, invalid(property+".content", "an announcement takes inline bodies alone")
	}
	if o.has("content") {
		p.content, p.size, f = parseContent(o["content"], property+".content")
		return p, f
	}
	if !o.has("body") {
		return p, missing(property + ".body")
	}
	if p.body, f = o.text("body", property+".body"); f != nil {
		return p, f
	}
	encoding, f := o.text("encoding", property+".encoding")
	if f != nil {
		return p, f
	}
	size := len(p.body)
	switch encoding {
	case "":
	case "base64":
		raw, err := base64.StdEncoding.DecodeString(p.body)
		if err != nil {
			return p, rejected(property+".body", "it is not valid base64")
		}
		size = len(raw)
		p.base64 = c.e.config.Switches.EchoBase64 || !utf8.Valid(raw)
		if !p.base64 {
			p.body = string(raw)
		}
	default:
		return p, invalid(property+".encoding", "the only encoding is base64")
	}
	if limit := c.maxInline(); size > limit {
		return p, rejected(property+".body", "it is longer than "+strconv.Itoa(limit)+" bytes; use rich content")
	}
	return p, nil
}
