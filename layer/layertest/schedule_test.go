package layertest_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// direct asks an emulator without any connection, so that time can stand
// still.
func direct(t *testing.T, e *layertest.Emulator, method, path, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
	r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	r.Header.Set("Accept", layerJSON)
	if method == "PATCH" {
		r.Header.Set("Content-Type", patchJSON)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func TestDelayedMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := layertest.New(layertest.Config{})
		defer e.Close()
		all := app + "/conversations/" + convA + "/messages"
		delayed := func(user, text, id string) answer {
			body := strings.TrimSuffix(textFrom(user, text), "}") + `,"schedule":{"delay_in_seconds":5.0,"typing_indicator_in_seconds":3.0}}`
			return direct(t, e, "POST", all, body, "If-None-Match", id)
		}
		direct(t, e, "POST", app+"/conversations", `{"participants":["ana","boris"]}`, "If-None-Match", convA)
		for range 2 {
			if a := delayed("ana", "later", msg1); a.status != 202 {
				t.Fatalf("got %d %s, want 202", a.status, a.body)
			}
		}
		delayed("boris", "never: the sender is removed", msg2)
		direct(t, e, "PATCH", app+"/conversations/"+convA, `[{"operation":"remove","property":"participants","value":"boris"}]`)
		time.Sleep(4 * time.Second) //nolint:forbidigo // the bubble's clock
		if got := e.Stats().Messages; got != 0 {
			t.Errorf("%d messages after 4s, want none", got)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if got := e.Stats().Messages; got != 1 {
			t.Errorf("%d messages after 6s, want 1", got)
		}
		if a := direct(t, e, "GET", all+"/"+msg1, ""); a.status != 200 || !strings.Contains(a.body, "later") {
			t.Errorf("got %d %s, want the message under its id", a.status, a.body)
		}
	})
}

func TestDelaysAreBounded(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	for schedule, want := range map[string]int{
		`{"delay_in_seconds":300}`:   202,
		`{"delay_in_seconds":0.9}`:   422,
		`{"delay_in_seconds":300.1}`: 422,
		`{"delay_in_seconds":"5"}`:   422,
		`{}`:                         422,
		`"5"`:                        422,
		`null`:                       201,
		`{"delay_in_seconds":2,"typing_indicator_in_seconds":2.1}`:       422,
		`{"delay_in_seconds":2,"typing_indicator_in_seconds":0.5}`:       422,
		`{"delay_in_seconds":299.5,"typing_indicator_in_seconds":299.5}`: 202,
	} {
		body := strings.TrimSuffix(textFrom("ana", "x"), "}") + `,"schedule":` + schedule + `}`
		if a := w.do("POST", app+"/conversations/"+convA+"/messages", body); a.status != want {
			t.Errorf("%s: got %d %s, want %d", schedule, a.status, a.body, want)
		}
	}
}
