package layertest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// FuzzRequest throws requests at an emulator that holds something: none may
// break it, and each gets an answer that a client can read.
func FuzzRequest(f *testing.F) {
	for _, r := range layertest.Routes() {
		path := strings.NewReplacer(":app", layertest.DefaultAppID, ":conversation", convA, ":message", msg1, ":announcement", other, ":user", "ana").Replace(r.Path)
		f.Add(r.Method, path, "", "", textFrom("ana", "x"))
		f.Add(r.Method, path, "page_size=1&from_id="+msg1+"&mode=my_devices", msg2, `[{"operation":"set","property":"metadata.a","value":"b"}]`)
	}
	f.Add("POST", app+"/users/%FF/blocks", "", "", `{"user_id":"\xff"}`)
	f.Add("PATCH", app+"/conversations/"+convA, "", "", `[{"operation":"set","property":"metadata.a.a.a.a.a.a","value":{"a":{"a":{}}}}]`)
	f.Fuzz(func(t *testing.T, method, path, query, dedupe, body string) {
		r, ok := request(method, path, query, body)
		if !ok {
			return
		}
		r.Header.Set("If-None-Match", dedupe)
		e := layertest.New(layertest.Config{Seed: 1, LogSize: 1})
		defer e.Close()
		direct(t, e, "POST", app+"/conversations", `{"participants":["ana","boris"]}`, "If-None-Match", convA)
		direct(t, e, "POST", app+"/conversations/"+convA+"/messages", textFrom("ana", "x"), "If-None-Match", msg1)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: the answer is no JSON: %s", method, path, w.Body)
		}
		if w.Code < 200 || w.Code >= 500 {
			t.Errorf("%s %s: got %d %s", method, path, w.Code, w.Body)
		}
		for _, after := range []string{app + "/conversations/" + convA, app + "/users/ana/conversations", "/_emulator/", "/_emulator/page/users", "/_emulator/requests"} {
			if a := direct(t, e, "GET", after, ""); a.status >= 500 {
				t.Errorf("GET %s after %s %s: got %d %s", after, method, path, a.status, a.body)
			}
		}
	})
}

// request makes a request out of fuzzed pieces, if net/http would let it in.
func request(method, path, query, body string) (r *http.Request, ok bool) {
	defer func() { ok = recover() == nil && ok }() // httptest.NewRequest panics
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path+query+method, " \r\n\t") || method == "" {
		return nil, false
	}
	r = httptest.NewRequest(method, path+"?"+query, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
	r.Header.Set("Accept", layerJSON)
	if strings.Contains(path, "/webhooks") {
		r.Header.Set("Accept", hooksJSON)
	}
	if method == "PATCH" {
		r.Header.Set("Content-Type", patchJSON)
	}
	return r, true
}

// FuzzRules parses rules: they are taken whole or refused with a reason.
func FuzzRules(f *testing.F) {
	f.Add(`[{"match":{"method":"POST","path":"/messages$"},"probability":0.1,"status":503,"after_commit":true,"latency":"200ms","drop_connection":false,"retry_after":"2s","count":10}]`)
	f.Add(`{"rules":[{"hang":true,"half_body":true,"slow_body":"1s","content_type":"a/b","body":"","code":"not_found","retry_after_date":true}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		rules, err := layertest.ParseRules([]byte(body))
		if err != nil {
			if err.Error() == "" || rules != nil {
				t.Errorf("%q: got %v, %v", body, rules, err)
			}
			return
		}
		e := layertest.New(layertest.Config{})
		defer e.Close()
		if err := e.SetFaults(rules...); err != nil {
			t.Errorf("%q parses and is refused: %v", body, err)
		}
	})
}
