package layertest

import (
	"net/http"
	"strconv"
)

const (
	typeJSON = "application/json; charset=UTF-8"
	typeText = "text/plain; charset=UTF-8"
)

// answer is a whole answer before it is sent, so that a fault can put another
// one in its place after the request took effect.
type answer struct {
	status      int
	contentType string
	body        []byte
	location    string
	allow       string
	retryAfter  string
	count       int // Layer-Count, plus one; 0 is none
	// stream sends the answer itself, in place of everything above. size is
	// that of its body.
	stream func(http.ResponseWriter, *http.Request)
	size   int64
}

func jsonAnswer(status int, v any) answer { return rawAnswer(status, marshal(v)) }

// rawAnswer is an answer whose JSON is written already.
func rawAnswer(status int, body []byte) answer {
	return answer{status: status, contentType: typeJSON, body: body}
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// accepted is the 202 of what is queued: it has no body unless documented.
func accepted() answer { return answer{status: http.StatusAccepted} }

func (a answer) withCount(n int) answer {
	a.count = n + 1
	return a
}

func (a answer) header(h http.Header) {
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("Content-Type", a.contentType)
	set("Location", a.location)
	set("Allow", a.allow)
	set("Retry-After", a.retryAfter)
	if a.count > 0 {
		set("Layer-Count", strconv.Itoa(a.count-1))
	}
	if a.contentType == "" {
		h["Content-Type"] = nil // keeps net/http from guessing one
	}
	if a.status == http.StatusNoContent {
		// The service sent it, and net/http takes it out under its usual name.
		h["content-length"] = []string{"0"}
		return
	}
	set("Content-Length", strconv.Itoa(len(a.body)))
}

func (a answer) write(w http.ResponseWriter, r *http.Request) {
	if a.stream != nil {
		a.stream(w, r)
		return
	}
	a.header(w.Header())
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // a caller who left cannot be told
	}
}
