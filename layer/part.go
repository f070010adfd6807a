package layer

import (
	"fmt"
	"time"
)

const (
	// MaxInlineBody is the largest body of a part in bytes, measured after
	// base64 decoding ("2 KB"). Larger bodies are rich content.
	MaxInlineBody = 2048
	// MaxContent is the largest rich content in bytes ("2 GB").
	MaxContent = 2 << 30

	// EncodingBase64 is the only value of [Part].Encoding beside none.
	EncodingBase64 = "base64"
)

// Part is one piece of a message: text, or anything else with a MIME type.
// It has either a Body of at most 2 KB, or Content that was uploaded.
//
// Layer docs: Platform API, messages, message parts.
type Part struct {
	// ID is layer:///messages/UUID/parts/N, given by Layer; only in reads.
	ID string `json:"id,omitempty"`
	// MIMEType may be any string; text/plain is usual.
	MIMEType string `json:"mime_type"`
	// Body is text, or base64 where Encoding says so.
	Body string `json:"body,omitempty"`
	// Encoding is empty or [EncodingBase64].
	Encoding string `json:"encoding,omitempty"`
	// Content names bytes that were uploaded, in place of Body.
	Content *ContentRef `json:"content,omitempty"`
}

// ContentRef is a part's link to its rich content. ID and Size are sent; the
// rest comes with reads.
type ContentRef struct {
	ID   ContentID `json:"id"`
	Size int64     `json:"size"`
	// DownloadURL is signed and expires; each read of the message, and
	// [ContentService.Refresh], give a fresh one.
	DownloadURL string    `json:"download_url,omitempty"`
	RefreshURL  string    `json:"refresh_url,omitempty"`
	Expiration  time.Time `json:"expiration,omitzero"`
}

// Text is the text/plain part with this body.
func Text(body string) Part { return Part{MIMEType: "text/plain", Body: body} }

// Bytes gives the body as it was before any encoding. A part that has its
// bytes in Content has none here: see [ContentService.Download].
func (p Part) Bytes() ([]byte, error) {
	if p.Encoding != EncodingBase64 {
		return []byte(p.Body), nil
	}
	b, err := decodeBase64(p.Body)
	if err != nil {
		return nil, &FieldError{Field: "body", Problem: "is not base64, as its encoding says"}
	}
	return b, nil
}

// Validate checks a part that is to be sent: a MIME type, and a body of at most
// [MaxInlineBody] bytes or the id and size of content, not both.
func (p Part) Validate() error {
	problems := p.validateShape()
	if size, err := p.Bytes(); err == nil && len(size) > MaxInlineBody {
		problems.add("body", "is %d bytes, Layer takes at most %d; upload it as rich content", len(size), MaxInlineBody)
	}
	return problems.err()
}

// validateShape is Validate without the limit of the body.
func (p Part) validateShape() problems {
	var list problems
	if p.ID != "" {
		list.add("id", "is given by Layer and cannot be sent; leave it out")
	}
	list.required("mime_type", p.MIMEType)
	switch {
	case p.Content != nil && (p.Body != "" || p.Encoding != ""):
		list.add("content", "stands in place of body and encoding; leave one out")
	case p.Content != nil:
		list.nest("content", p.Content.Validate())
	case p.Body == "":
		list.add("body", "is missing or empty")
	case p.Encoding != "" && p.Encoding != EncodingBase64:
		list.add("encoding", "is %s, Layer takes only %q or none", quote(p.Encoding), EncodingBase64)
	default:
		p.validateBody(&list)
	}
	return list
}

func (p Part) validateBody(list *problems) {
	if p.Encoding == "" {
		list.text("body", p.Body)
		return
	}
	switch b, err := decodeBase64(p.Body); {
	case err != nil:
		list.add("body", "is not base64 (standard alphabet, padded), as its encoding says")
	case len(b) == 0:
		list.add("body", "is missing or empty")
	}
}

// Validate wants an id, and a size from 1 byte to [MaxContent].
func (c ContentRef) Validate() error {
	var p problems
	if c.ID.IsZero() {
		p.add("id", "is missing")
	}
	p.contentSize("size", c.Size)
	return p.err()
}

func (p *problems) contentSize(field string, size int64) {
	switch {
	case size < 1:
		p.add(field, "is %d, want at least 1 byte", size)
	case size > MaxContent:
		p.add(field, "is %d bytes, Layer takes at most %d (2 GB)", size, int64(MaxContent))
	}
}

// ValidateParts checks a list of parts that is to be sent: at least one, each
// valid. The fields are named from "parts" on.
func ValidateParts(parts []Part) error {
	var p problems
	if len(parts) == 0 {
		p.add("parts", "is missing or empty")
	}
	for i, part := range parts {
		p.nest(fmt.Sprintf("parts[%d]", i), part.Validate())
	}
	return p.err()
}

// acceptParts puts the times of parts that were read into UTC.
func acceptParts(parts []Part) {
	for _, part := range parts {
		if part.Content != nil {
			part.Content.Expiration = part.Content.Expiration.UTC()
		}
	}
}

// wireParts leaves out what Layer adds in reads.
func wireParts(parts []Part) []Part {
	wire := make([]Part, len(parts))
	for i, part := range parts {
		wire[i] = part
		if part.Content != nil {
			wire[i].Content = &ContentRef{ID: part.Content.ID, Size: part.Content.Size}
		}
	}
	return wire
}
