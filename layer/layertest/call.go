package layertest

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// maxBody is more than any documented request needs: the parts of a message
// hold 2 KB each.
const maxBody = 16 << 20

// call is one request to the Layer API on its way through the checks.
type call struct {
	e   *Emulator
	r   *http.Request
	app *app
	params

	version   string    // that the request asked for
	dedupe    uuid.UUID // uuid.Nil without one
	duplicate bool      // the dedupe UUID was known
}

// serve runs the checks in the order in which the service makes them: path,
// token, app, version, method, content type, dedupe UUID. Then the handler
// decodes the body, validates it, and only then looks at what is stored.
func (c *call) serve() (answer, *failure) {
	path := c.r.URL.EscapedPath()
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) < 2 || segments[0] != "apps" {
		return answer{}, c.e.noEndpoint()
	}
	var f *failure
	if c.app, f = c.e.authenticate(c.r, segments[1]); f != nil {
		return answer{}, f
	}
	media, docs := mediaLayer, docsOverview
	if len(segments) > 2 && segments[2] == "webhooks" {
		media, docs = mediaWebhooks, docsWebhooks
	}
	if c.version, f = negotiate(c.r, media, docs); f != nil {
		return answer{}, f
	}
	method := methodOf(c.r)
	route, p, allowed := find(method, segments, c.e.config.Switches.DocumentedProxy)
	switch {
	case route == nil && allowed == nil:
		return answer{}, c.e.noEndpoint()
	case route == nil:
		slices.Sort(allowed)
		return answer{}, &failure{
			kind: methodNotAllowed, url: docsPlatform, allow: strings.Join(slices.Compact(allowed), ", "),
			message: "The method " + method + " is not allowed for this endpoint.",
		}
	}
	c.params = p
	if method == http.MethodPatch {
		if f = c.checkPatchType(); f != nil {
			return answer{}, f
		}
	}
	if route.tagged {
		if c.dedupe, f = c.e.dedupeOf(c.r); f != nil {
			return answer{}, f
		}
	}
	return route.handle(c)
}

func (e *Emulator) noEndpoint() *failure {
	if e.config.Switches.JSONNotFound {
		return &failure{kind: invalidEndpoint, url: docsPlatform, message: "The requested endpoint does not exist."}
	}
	return unroutable()
}

// object is a decoded JSON object of a request.
type object map[string]any

// decode reads the body as JSON into plain values. As the service did, it
// takes the last of several members with the same name.
func (c *call) decode() (any, *failure) {
	body, err := c.readBody()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, badRequest("The request body is too large.")
	case err != nil:
		return nil, badRequest("The request body could not be read.")
	case len(body) == 0:
		return nil, badRequest("A request body is required.")
	}
	var v any
	if err := json.Unmarshal(body, &v, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, badRequest("The request body is not valid JSON.")
	}
	return v, nil
}

func (c *call) readBody() ([]byte, error) {
	body := http.MaxBytesReader(nil, c.r.Body, maxBody)
	if n := c.r.ContentLength; n > 0 && n <= maxBody {
		b := make([]byte, n)
		_, err := io.ReadFull(body, b)
		return b, err
	}
	return io.ReadAll(body)
}

func (c *call) decodeObject() (object, *failure) {
	v, f := c.decode()
	if f != nil {
		return nil, f
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest("The request body must be a JSON object.")
	}
	return m, nil
}

func (c *call) decodeArray() ([]any, *failure) {
	v, f := c.decode()
	if f != nil {
		return nil, f
	}
	list, ok := v.([]any)
	if !ok {
		return nil, badRequest("The request body must be a JSON array.")
	}
	return list, nil
}

// has says whether o has a value for key; null counts as none.
func (o object) has(key string) bool { return o[key] != nil }

// text returns the string at key; absent is the empty string.
func (o object) text(key, property string) (string, *failure) {
	if !o.has(key) {
		return "", nil
	}
	s, ok := o[key].(string)
	if !ok {
		return "", invalid(property, "it must be a string")
	}
	return s, nil
}

// userIDs returns v, which a request has at property, as a list of user ids.
func userIDs(v any, property string) ([]string, *failure) {
	list, ok := v.([]any)
	if !ok {
		return nil, invalid(property, "it must be an array of user ids")
	}
	ids := make([]string, 0, len(list))
	for _, v := range list {
		id, ok := v.(string)
		if !ok || id == "" {
			return nil, invalid(property, "it must hold user ids, which are strings that are not empty")
		}
		ids = append(ids, id)
	}
	return ids, nil
}
