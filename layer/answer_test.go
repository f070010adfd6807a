package layer_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer"
)

// TestUnusableAnswers are those that say nothing certain: Layer may have done it
// or not. Each is an error that says what came, and each is worth repeating.
func TestUnusableAnswers(t *testing.T) {
	t.Parallel()
	html := answer(200, "<html>log in</html>", "Content-Type", "text/html; charset=utf-8")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   layer.Kind
		text   string
	}{
		"cut connection":         {cut, layer.KindCut, "the connection was cut before the answer was complete"},
		"half a success":         {half(201, helloAnswer), layer.KindCut, "201, but the connection was cut before the answer was complete"},
		"half a conflict":        {half(409, `{"id":"id_in_use","code":111,"data":`+helloAnswer+`}`), layer.KindCut, "409, but the connection was cut before the answer was complete"},
		"slow body":              {slow(201, helloAnswer), layer.KindTimeout, "201, but no complete answer in time: context deadline exceeded"},
		"no answer":              {silent, layer.KindTimeout, "no complete answer in time: context deadline exceeded"},
		"HTML":                   {html, layer.KindContentType, `200, but the answer is not JSON: Content-Type is "text/html"; is the base URL that of the API?`},
		"JSON as text":           {answer(201, helloAnswer, "Content-Type", "text/plain"), layer.KindContentType, `201, but the answer is not JSON: Content-Type is "text/plain"; is the base URL that of the API?`},
		"a body that ends early": {answer(201, helloAnswer[:30]), layer.KindBody, "201, but the answer cannot be read: it is no JSON from byte 30 on"},
		"an empty body":          {answer(201, ""), layer.KindBody, "201, but the answer cannot be read: it is empty"},
		"no content":             {answer(204, ""), layer.KindBody, "204, but the answer cannot be read: it is empty"},
		"another thing":          {answer(201, `{"id":"layer:///conversations/`+convUUID+`"}`), layer.KindBody, "201, but the answer cannot be read: a member is malformed"},
		"an empty object":        {answer(201, `{}`), layer.KindBody, "201, but the answer cannot be read: it has no id"},
		"null":                   {answer(201, `null`), layer.KindBody, "201, but the answer cannot be read: it has no id"},
		"a list":                 {answer(201, `[]`), layer.KindBody, `201, but the answer cannot be read: it is of type array`},
		"a member of other type": {answer(201, `{"id":"layer:///messages/`+otherUUID+`","parts":"private words"}`), layer.KindBody, `201, but the answer cannot be read: its member "parts" is of type string`},
		"too large":              {answer(201, `"`+strings.Repeat("x", 33<<20)+`"`), layer.KindTooLarge, "201, but the answer is too large"},
		"no HTTP":                {noHTTP, layer.KindCut, "the connection was cut before the answer was complete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			client := f.client(t, layer.WithTimeout(patience(c.kind)), layer.WithAttemptRetries(0))
			_, err := client.Messages.Send(t.Context(), conv, dedupe, hello)
			e, ok := errors.AsType[*layer.TransportError](err)
			if !ok || e.Kind != c.kind {
				t.Fatalf("got %v", err)
			}
			want := "layer: POST /apps/" + appUUID + "/conversations/" + convUUID + "/messages: " + c.text
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if !layer.IsTransient(err) || layer.Answered(err) || layer.CodeOf(err) != "" {
				t.Errorf("transient %v, answered %v, code %q", layer.IsTransient(err), layer.Answered(err), layer.CodeOf(err))
			}
			if c.kind == layer.KindTimeout && !errors.Is(err, context.DeadlineExceeded) {
				t.Error("a timeout is no DeadlineExceeded")
			}
		})
	}
}

// noHTTP answers with something else, in which the token is.
func noHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "SSH-2.0 "+r.Header.Get("Authorization")+"\r\n\r\n")
	_ = conn.Close()
}

func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""), answer(202, ""), answer(200, `{"id":"whatever"}`), answer(200, "<html>", "Content-Type", "text/html"))
	c := f.client(t, layer.WithAttemptRetries(0))
	for range 3 {
		if err := c.Blocks.Block(t.Context(), "ana", "boris"); err != nil {
			t.Error(err)
		}
	}
	err := c.Blocks.Block(t.Context(), "ana", "boris")
	if e, ok := errors.AsType[*layer.TransportError](err); !ok || e.Kind != layer.KindContentType {
		t.Errorf("a page in place of an empty answer: %v", err)
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   layer.Code
		text   string
	}{
		"JSON":             {answer(410, `{"id":"object_deleted","code":103,"message":"The referenced conversation has been deleted."}`), layer.CodeObjectDeleted, "410 object_deleted: The referenced conversation has been deleted."},
		"plain text":       {answer(404, "The requested resource could not be found.", "Content-Type", "text/plain; charset=UTF-8"), layer.CodeNotFound, "404 not_found: The requested resource could not be found."},
		"nothing":          {answer(404, ""), layer.CodeNotFound, "404 not_found"},
		"HTML":             {answer(502, "<html>nginx</html>", "Content-Type", "text/html"), "", "502 Bad Gateway"},
		"half":             {half(403, `{"id":"app_suspended","code":5,"message":"x","url":"and so on"}`), layer.CodeAppSuspended, "403 app_suspended; the app must be unsuspended first"},
		"half at once":     {half(410, "{}"), layer.CodeObjectDeleted, "410 object_deleted"},
		"very long":        {answer(400, strings.Repeat("x", 3<<20)), layer.CodeInvalidRequest, "400 invalid_request"},
		"the token":        {answer(400, `{"message":"bad header Bearer `+secret+`"}`), layer.CodeInvalidRequest, "400 invalid_request: (left out: it repeats the request)"},
		"what was sent":    {echo(400), layer.CodeInvalidRequest, "400 invalid_request: (left out: it repeats the request)"},
		"the words sent":   {answer(422, `{"id":"invalid_property","code":105,"message":"Bad body: tide is in"}`), layer.CodeInvalidProperty, "422 invalid_property: (left out: it repeats the request)"},
		"terminal escapes": {answer(400, "{\"message\":\"a\\u001b[31mb\\nc\"}"), layer.CodeInvalidRequest, "400 invalid_request: a [31mb c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			_, err := f.client(t, layer.WithAttemptRetries(0)).Messages.Send(t.Context(), conv, dedupe, hello)
			if layer.CodeOf(err) != c.code || !layer.Answered(err) {
				t.Errorf("code %q of %v", layer.CodeOf(err), err)
			}
			if want := "layer: POST /apps/" + appUUID + "/conversations/" + convUUID + "/messages: " + c.text; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// echo answers with the request's body, as debugging servers do.
func echo(status int) http.HandlerFunc {
	return answer(status, `Bad Request: {"sender":{"name":"Harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}]}`, "Content-Type", "text/plain")
}
