package layertest

import (
	"mime"
	"net/http"
	"strings"
)

const (
	mediaLayer    = "application/vnd.layer+json"
	mediaWebhooks = "application/vnd.layer.webhooks+json"
	mediaPatch    = "application/vnd.layer-patch+json"
)

// bearer returns the token of a request.
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// authenticate finds the app that a request may administer.
//
// Layer docs: platform, authentication.
func (e *Emulator) authenticate(r *http.Request, segment string) (*app, *failure) {
	id, ok := parseID(segment)
	if !ok {
		return nil, e.noEndpoint()
	}
	unauthorized := &failure{
		kind: authenticationRequired, url: docsPlatform, empty: e.config.Switches.EmptyUnauthorized,
		message: "Authentication is required: send a valid token in the Authorization header.",
	}
	token, ok := bearer(r)
	if !ok || !e.tokens[token] {
		return nil, unauthorized
	}
	a := e.apps[id]
	switch {
	case a != nil && a.tokens[token]:
		return a, nil
	case e.config.Switches.ForeignApp401:
		return nil, unauthorized
	default:
		return nil, &failure{kind: invalidAppID, url: docsPlatform, message: "The token is not valid for the app in the path."}
	}
}

// negotiate returns the version that a request asks for. Several media types
// may be listed; the first that is served counts.
//
// Layer docs: platform, overview.
func negotiate(r *http.Request, media, docs string) (string, *failure) {
	for header := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		got, attributes, err := mime.ParseMediaType(header)
		if err != nil || got != media {
			continue
		}
		switch v := attributes["version"]; {
		case v == "1.0", v == "1.1" && media == mediaLayer:
			return v, nil
		}
	}
	return "", badHeader("Accept", "Invalid Accept header; must be of form "+media+"; version=x.y", docs)
}

func badHeader(name, message, docs string) *failure {
	return &failure{kind: invalidHeader, message: message, url: docs, data: map[string]string{"header": name}}
}

// checkPatchType refuses a PATCH that does not say it is a Layer Patch.
func (c *call) checkPatchType() *failure {
	if c.e.config.Switches.AnyPatchType {
		return nil
	}
	got, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || got != mediaPatch {
		return badHeader("Content-Type", "Invalid Content-Type header; must be "+mediaPatch, docsOverview)
	}
	return nil
}
