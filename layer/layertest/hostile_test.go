package layertest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// TestHostileRequests sends what no client would, and holds that each gets its
// answer, and that the emulator goes on.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	conversation := app + "/conversations/" + convA
	deep := func(levels int) string {
		return strings.Repeat(`{"a":`, levels) + `"b"` + strings.Repeat("}", levels)
	}
	set := func(property, value string) string {
		return `[{"operation":"set","property":"` + property + `","value":` + value + `}]`
	}
	hook := func(config string) string {
		return `{"version":"1.0","target_url":"https://a.example","events":["message.sent"],"secret":"s","config":` + config + `}`
	}
	tests := map[string]struct {
		method, path, body string
		headers            []string
		status             int
	}{
		"a user id that is no UTF-8, written":    {"POST", app + "/users/%FF/blocks", `{"user_id":"b"}`, nil, 404},
		"a user id that is no UTF-8, suspended":  {"PATCH", app + "/users/a%C3%28", set("suspended", "true"), nil, 404},
		"a user id that is no UTF-8, read":       {"GET", app + "/users/%C3/conversations", "", nil, 404},
		"a user id that is no UTF-8, unblocked":  {"DELETE", app + "/users/ana/blocks/%ED%A0%80", "", nil, 404},
		"a user id with NUL":                     {"POST", app + "/users/a%00b/blocks", `{"user_id":"b"}`, nil, 204},
		"a query that is no UTF-8":               {"GET", app + "/users/ana/conversations?from_id=%FF&sort_by=\xff", "", nil, 422},
		"a content type that is no UTF-8":        {"POST", conversation + "/content", "", []string{"Upload-Content-Type", "a/\xff", "Upload-Content-Length", "3"}, 406},
		"metadata nested without end":            {"POST", app + "/conversations", `{"participants":["ana"],"metadata":` + deep(5000) + `}`, nil, 422},
		"metadata nested as deep as it may be":   {"POST", app + "/conversations", `{"participants":["ana"],"metadata":` + deep(500) + `}`, nil, 201},
		"JSON nested without end":                {"POST", app + "/conversations", deep(20_000), nil, 400},
		"JSON that opens without end":            {"PATCH", conversation, strings.Repeat("[", 1_000_000), nil, 400},
		"a property of a million names":          {"PATCH", conversation, set("metadata"+strings.Repeat(".a", 1_000_000), `"b"`), nil, 422},
		"a property as deep as it may be":        {"PATCH", conversation, set("metadata"+strings.Repeat(".a", 499), deep(500)), nil, 204},
		"a webhook's config nested without end":  {"POST", app + "/webhooks", hook(deep(9_000)), []string{"Accept", hooksJSON}, 422},
		"a string of the body that is no UTF-8":  {"POST", app + "/conversations", "{\"participants\":[\"\xff\"]}", nil, 400},
		"half of a surrogate pair":               {"POST", app + "/conversations", `{"participants":["\ud800"]}`, nil, 400},
		"NUL where JSON is to be":                {"POST", app + "/conversations", "\x00", nil, 400},
		"a byte order mark":                      {"POST", app + "/conversations", "\ufeff{\"participants\":[\"ana\"]}", nil, 400},
		"more than one value":                    {"POST", app + "/conversations", `{"participants":["ana"]}{}`, nil, 400},
		"a body of spaces":                       {"POST", app + "/conversations", "   ", nil, 400},
		"a body beyond every bound":              {"POST", app + "/conversations", `{"participants":["` + strings.Repeat("a", 17<<20) + `"]}`, nil, 400},
		"a number beyond every bound":            {"PUT", app + "/users/ana/badge", `{"external_unread_count":1e400}`, nil, 400},
		"a number that is no int":                {"PUT", app + "/users/ana/badge", `{"external_unread_count":1e300}`, nil, 422},
		"a fraction where a whole number is due": {"PUT", app + "/users/ana/badge", `{"external_unread_count":1.5}`, nil, 422},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, layertest.WithConfig(layertest.Config{Seed: 1}))
			w.conversation()
			a := w.do(tt.method, tt.path, tt.body, tt.headers...)
			if a.status != tt.status {
				t.Errorf("got %d %.200s, want %d", a.status, a.body, tt.status)
			}
			if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") && !json.Valid([]byte(a.body)) {
				t.Errorf("the answer is no JSON: %.200s", a.body)
			}
			for _, path := range []string{conversation, app + "/users/ana/conversations", "/_emulator/requests", "/_emulator/"} {
				if a := w.do("GET", path, ""); a.status != 200 {
					t.Errorf("GET %s afterwards: got %d %.200s", path, a.status, a.body)
				}
			}
		})
	}
}

// TestMetadataRules are those of the documentation: strings and objects of
// them, keys of letters, digits, - and _ (and dots, where they are escaped), 2 KB
// each.
func TestMetadataRules(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	long := `"` + strings.Repeat("x", 2049) + `"`
	for name, tt := range map[string]struct{ metadata, property string }{
		"strings and objects":         {`{"a":"b","c-d_2":{"e":{"f":""}},"ü":"ö"}`, ""},
		"a number":                    {`{"a":{"b":1}}`, "metadata.a.b"},
		"true":                        {`{"a":true}`, "metadata.a"},
		"null":                        {`{"a":null}`, "metadata.a"},
		"a list":                      {`{"a":["b"]}`, "metadata.a"},
		"a list in place of all":      {`["a"]`, "metadata"},
		"a string in place of all":    {`"a"`, "metadata"},
		"a string as long as allowed": {`{"a":"` + strings.Repeat("x", 2048) + `"}`, ""},
		"a longer one":                {`{"a":{"b":` + long + `}}`, "metadata.a.b"},
		"a space in a key":            {`{"a b":"c"}`, "metadata.a b"},
		"a key of nothing":            {`{"a":{"":"c"}}`, "metadata.a."},
		"the first of several":        {`{"a":"b","d":1,"c":{"x":1}}`, "metadata.c.x"},
	} {
		created := w.do("POST", app+"/conversations", `{"participants":["ana"],"metadata":`+tt.metadata+`}`)
		patched := w.do("PATCH", app+"/conversations/"+convA, `[{"operation":"set","property":"metadata","value":`+tt.metadata+`}]`)
		if tt.property == "" {
			if created.status != 201 || patched.status != 204 {
				t.Errorf("%s: got %d %s and %d %s, want 201 and 204", name, created.status, created.body, patched.status, patched.body)
			}
			continue
		}
		for _, a := range []answer{created, patched} {
			if !strings.Contains(a.body, `"data":{"property":"`+tt.property+`"},"code":105`) || a.status != 422 {
				t.Errorf("%s: got %d %.300s, want 422 for %s", name, a.status, a.body, tt.property)
			}
		}
	}
	for property, want := range map[string]int{"metadata.a b": 422, "metadata.": 422, "metadata..a": 422, `metadata.a\\.b`: 204, "metadata.ok": 204} {
		for _, op := range []string{`"set","value":"x"`, `"delete"`} {
			a := w.do("PATCH", app+"/conversations/"+convA, `[{"property":"`+property+`","operation":`+op+`}]`)
			if a.status != want {
				t.Errorf("%s %s: got %d %s, want %d", op, property, a.status, a.body, want)
			}
		}
	}
}

// TestManyOperations holds that a patch of many operations takes about as long as
// as many patches of one: everybody else waits for it.
func TestManyOperations(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	const n = 20_000
	patch := func(op func(i int) string) string {
		ops := make([]string, n)
		for i := range ops {
			ops[i] = op(i)
		}
		return "[" + strings.Join(ops, ",") + "]"
	}
	conversation := app + "/conversations/" + convA
	for name, tt := range map[string]struct {
		path   string
		op     func(int) string
		status int
	}{
		"participants": {conversation, func(i int) string {
			return fmt.Sprintf(`{"operation":"add","property":"participants","value":"%d"}`, i)
		}, 422},
		"metadata": {conversation, func(i int) string {
			return fmt.Sprintf(`{"operation":"set","property":"metadata.k%d","value":"x"}`, i)
		}, 204},
		"metadata in depth": {conversation, func(i int) string {
			return fmt.Sprintf(`{"operation":"set","property":"metadata.a.b.k%d","value":"x"}`, i)
		}, 204},
		"blocks": {app + "/users/ana", func(i int) string {
			return fmt.Sprintf(`{"operation":"add","property":"blocks","value":"%d"}`, i)
		}, 202},
		"blocks removed": {app + "/users/ana", func(i int) string {
			return fmt.Sprintf(`{"operation":"remove","property":"blocks","value":"%d"}`, n-i)
		}, 202},
	} {
		start := time.Now()
		a := w.do("PATCH", tt.path, patch(tt.op))
		if a.status != tt.status {
			t.Errorf("%s: got %d %.200s, want %d", name, a.status, a.body, tt.status)
		}
		if took := time.Since(start); took > time.Minute { // some 100 ms, where it was minutes
			t.Errorf("%s: %d operations took %v", name, n, took)
		}
	}
}
