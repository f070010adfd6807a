package tasks

import (
	"encoding/base64"
	"fmt"

	"github.com/layerq/layerq/layer"
)

// Part is one part of a message or an announcement. It has either a Body, or a
// Source that is fetched and uploaded; announcements take a Body only.
type Part struct {
	// MIMEType says what the content is, such as "text/plain".
	MIMEType string `json:"mime_type"`
	// Body is the text, or base64 where Encoding says so; 2 KB (2,048 bytes)
	// after decoding at most.
	Body string `json:"body,omitzero"`
	// Encoding is "base64" or empty.
	Encoding string `json:"encoding,omitzero"`
	// Source is a URL to take the content from, of any size that Layer takes:
	//
	//   - https: fetched by the worker, see [Sources].
	//   - file: an absolute path. A file of at most 128 KiB is read when the task
	//     is enqueued and travels in it; a larger one must be where workers can
	//     read it, see [WithSharedFiles].
	//   - data: with base64, as small files become.
	Source string `json:"source,omitzero"`
}

// Text makes a part of type text/plain.
func Text(body string) Part { return Part{MIMEType: "text/plain", Body: body} }

// inline turns parts into those of Layer's API, bodies alone.
func inline(parts []Part) []layer.Part {
	inlined := make([]layer.Part, len(parts))
	for i, p := range parts {
		inlined[i] = p.inline()
	}
	return inlined
}

func (p Part) inline() layer.Part {
	return layer.Part{MIMEType: p.MIMEType, Body: p.Body, Encoding: p.Encoding}
}

// withBody is the part with bytes in its body, in place of a source.
func (p Part) withBody(content []byte) Part {
	return Part{MIMEType: p.MIMEType, Body: base64.StdEncoding.EncodeToString(content), Encoding: layer.EncodingBase64}
}

// partField names a part, or a member of it, as errors do.
func partField(i int, member string) string {
	return joinPath(fmt.Sprintf("parts[%d]", i), member)
}
