package layer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"

	"github.com/google/uuid"
)

// Media types of requests.
const (
	mediaLayer    = "application/vnd.layer+json"
	mediaWebhooks = "application/vnd.layer.webhooks+json"
	mediaJSON     = "application/json"
	mediaPatch    = "application/vnd.layer-patch+json"
)

// call is one operation: what is sent, and where its answer goes.
type call struct {
	operation string // resource and verb, for observers: "messages.send"
	method    string
	path      string // escaped, made by Client.path
	query     url.Values
	accept    string      // media type without version; empty is mediaLayer
	header    http.Header // beside the usual ones
	dedupe    uuid.UUID   // uuid.Nil sends no If-None-Match

	// body is sent as JSON; a Patch as Layer-Patch; nil sends none.
	body any
	// into takes the answer's JSON; nil expects no body.
	into any
	// optional allows the answer to have no body.
	optional bool
	// repeatable marks a POST that may be repeated although it carries no UUID;
	// once marks a call that may not be repeated although it looks as if it might.
	repeatable, once bool

	encoded []byte
	shown   string        // the path as errors show it
	token   func() string // what the last attempt was sent with; nil before. A function, which no %+v of a call can print
}

// reply is what a service may ask of a successful answer beside its body.
type reply struct {
	status int
	header http.Header
}

// mayRepeat tells whether sending twice has the effect of sending once.
func (c *call) mayRepeat() bool {
	switch c.method {
	case http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return !c.once
	default:
		return !c.once && (c.repeatable || c.dedupe != uuid.Nil)
	}
}

func (c *call) encode() error {
	if c.body == nil {
		return nil
	}
	encoded, err := json.Marshal(c.body)
	if err != nil {
		return fmt.Errorf("layer: %s: the request cannot be written as JSON: %w", c.operation, err)
	}
	c.encoded = encoded
	return nil
}

// request makes the HTTP request of one attempt.
func (c *Client) request(ctx context.Context, call *call) (*http.Request, error) {
	target, err := c.url(call.path, call.query)
	if err != nil {
		return nil, fmt.Errorf("layer: %s: %w", call.operation, err)
	}
	var body io.Reader
	if call.encoded != nil {
		body = bytes.NewReader(call.encoded)
	}
	request, err := http.NewRequestWithContext(ctx, call.method, "", body)
	if err != nil {
		return nil, fmt.Errorf("layer: %s: %w", call.operation, err)
	}
	request.URL, request.Host = target, target.Host
	c.setHeader(request.Header, call)
	return request, nil
}

func (c *Client) setHeader(header http.Header, call *call) {
	accept := call.accept
	if accept == "" {
		accept = mediaLayer
	}
	version := c.version
	if accept == mediaWebhooks {
		version = Version10 // webhooks never had another
	}
	header.Set("Accept", accept+"; version="+version)
	token := c.token()
	call.token = func() string { return token }
	header.Set("Authorization", "Bearer "+token)
	header.Set("User-Agent", c.userAgent)
	if call.encoded != nil {
		header.Set("Content-Type", mediaJSON)
	}
	if _, isPatch := call.body.(Patch); isPatch {
		header.Set("Content-Type", mediaPatch)
	}
	if call.dedupe != uuid.Nil {
		header.Set("If-None-Match", call.dedupe.String()) // bare: the live service's clients sent it without quotes
	}
	maps.Copy(header, call.header)
}
