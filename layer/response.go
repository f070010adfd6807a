package layer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

const (
	// maxBody bounds a successful answer: a page of 100 messages of a hundred 2 KB
	// parts each is 27 MB in base64.
	maxBody = 32 << 20
	// maxErrorBody bounds what is read of an error: it may hold a conversation.
	maxErrorBody = 1 << 20
	// maxDrain is how much of an answer is read only to keep the connection;
	// beyond it a new connection is cheaper.
	maxDrain = 256 << 10
)

// finish reads what is left, so that the connection can be used again.
func finish(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxDrain)) // best effort: a failure only costs the connection
	_ = body.Close()
}

// resource is a decoded answer that can tell whether it is one: without an id it
// is something else. It puts its times into UTC, which Layer writes in two ways.
type resource interface{ accept() error }

var errNoID = errors.New("it has no id")

// readSuccess reads a 2xx answer. One that cannot be read is no success: the
// caller would go on without the id of what it made.
func readSuccess(ctx context.Context, call *call, response *http.Response) (*reply, error) {
	body, err := readBounded(response.Body, maxBody)
	if err != nil {
		return nil, call.failed(unreadable(ctx, err, response.StatusCode))
	}
	answer := &reply{status: response.StatusCode, header: response.Header}
	if kind, detail := call.decode(response.Header.Get("Content-Type"), body); kind != "" {
		return nil, call.failed(&TransportError{Kind: kind, Status: response.StatusCode, Detail: detail})
	}
	return answer, nil
}

var errTooLarge = errors.New("body exceeds its bound")

func readBounded(r io.Reader, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(body)) > most {
		return body[:most], errTooLarge
	}
	return body, err
}

func unreadable(ctx context.Context, err error, status int) *TransportError {
	if errors.Is(err, errTooLarge) {
		return &TransportError{Kind: KindTooLarge, Status: status, Err: err}
	}
	failure := transportError(ctx, err)
	failure.Status = status
	return failure
}

// decode reads a body into the call's resource. Kind is empty if it went well.
func (c *call) decode(contentType string, body []byte) (Kind, string) {
	media, isJSON := jsonMedia(contentType)
	if c.into == nil {
		if len(body) > 0 && media == "text/html" {
			return KindContentType, "Content-Type is text/html; is the base URL that of the API?"
		}
		return "", ""
	}
	if len(body) == 0 && c.optional {
		return "", ""
	}
	if len(body) == 0 {
		return KindBody, "it is empty"
	}
	if !isJSON {
		return KindContentType, "Content-Type is " + quote(media) + "; is the base URL that of the API?"
	}
	if err := json.Unmarshal(body, c.into); err != nil {
		return KindBody, describeJSON(err)
	}
	if r, ok := c.into.(resource); ok {
		if err := r.accept(); err != nil {
			return KindBody, err.Error()
		}
	}
	return "", ""
}

// jsonMedia takes application/json, anything+json, and no type at all.
func jsonMedia(contentType string) (media string, isJSON bool) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
	}
	media = strings.ToLower(strings.TrimSpace(media))
	return media, media == "" || media == mediaJSON || strings.HasSuffix(media, "+json")
}

// describeJSON says why JSON cannot be read without quoting any of it.
func describeJSON(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("it is no JSON from byte %d on", e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(e.Value, " ") // "number 7": the value is none of our business
		if e.Field == "" {
			return "it is of type " + kind
		}
		return fmt.Sprintf("its member %s is of type %s", quote(e.Field), kind)
	}
	return "a member is malformed"
}
