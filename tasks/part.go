package tasks

import "github.com/layerq/layerq/layer"

// Part is one part of a message or an announcement, held in the task itself.
type Part struct {
	// MIMEType says what the body is, such as "text/plain".
	MIMEType string `json:"mime_type" jsonschema:"minLength=1" jsonschema_description:"What the body is, such as text/plain."`
	// Body is the text, or base64 where Encoding says so; 2 KB (2,048 bytes)
	// after decoding at most.
	Body string `json:"body,omitzero" jsonschema:"minLength=1,maxLength=2732" jsonschema_description:"The text, or base64 where encoding says so. At most 2048 bytes after decoding."`
	// Encoding is "base64" or empty.
	Encoding string `json:"encoding,omitzero" jsonschema:"enum=base64" jsonschema_description:"base64, or absent for text."`
}

// Text makes a part of type text/plain.
func Text(body string) Part { return Part{MIMEType: "text/plain", Body: body} }

// inline turns parts into those of Layer's API.
func inline(parts []Part) []layer.Part {
	inlined := make([]layer.Part, len(parts))
	for i, p := range parts {
		inlined[i] = layer.Part{MIMEType: p.MIMEType, Body: p.Body, Encoding: p.Encoding}
	}
	return inlined
}
