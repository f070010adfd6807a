package layertest_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer/layertest"
)

// TestSwitches turns each switch on alone, and asks the same before and after.
func TestSwitches(t *testing.T) {
	t.Parallel()
	conversations := app + "/conversations"
	messages := conversations + "/" + convA + "/messages"
	tests := map[string]struct {
		prepare   func(*wire)
		ask       func(*wire) answer
		off, on   int    // statuses
		offs, ons string // in the body
	}{
		"dedupe-conflict": {
			prepare: func(w *wire) { w.conversation(); w.message(msg1, "one") },
			ask:     func(w *wire) answer { return w.do("POST", messages, textFrom("ana", "two"), "If-None-Match", msg1) },
			off:     201, offs: `"body":"one"`,
			on: 409, ons: `{"id":"id_in_use","code":111,"message":"The requested Message already exists","url":"https://developer.layer.com/docs/platform","data":{"id":"layer:///messages/` + msg1,
		},
		"dedupe-per-kind": {
			prepare: (*wire).conversation,
			ask:     func(w *wire) answer { return w.do("POST", messages, textFrom("ana", "x"), "If-None-Match", convA) },
			off:     409, offs: "id_in_use", on: 201, ons: "layer:///messages/" + convA,
		},
		"lenient-page-size": {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?page_size=0", "") }, off: 422, offs: "page_size", on: 200},
		"strict-sort-by":    {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?sort_by=created_at", "") }, off: 200, on: 422, ons: "sort_by"},
		"unfinished-content": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				ct := parse[contentJSON](w.t, w.ask(3).body)
				return w.do("POST", messages, withPart(`{"mime_type":"a/b","content":{"id":"`+ct.ID+`","size":3}}`))
			},
			off: 422, offs: "parts[0].content.id", on: 201,
		},
		"allow-empty-lists": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.allAlike(w.do("POST", messages, `{"sender":{"user_id":"ana"},"parts":[]}`), w.do("POST", conversations, `{"participants":[]}`))
			},
			off: 422, offs: "participants", on: 201, ons: `"participants":[]`,
		},
		"time-based-ids": {
			ask: func(w *wire) answer {
				a := w.do("POST", conversations, `{"participants":["ana"]}`)
				id := parse[struct{ ID string }](w.t, a.body).ID
				a.body = uuid.MustParse(strings.TrimPrefix(id, "layer:///conversations/")).Version().String()
				return a
			},
			off: 201, offs: "VERSION_4", on: 201, ons: "VERSION_1",
		},
		"rate-limit-body": {
			prepare: func(w *wire) { w.srv.SetRate(layertest.Rate{N: 1, Per: time.Hour}); w.do("GET", conversations, "") },
			ask: func(w *wire) answer {
				limited := w.do("GET", conversations, "")
				w.srv.SetRate(layertest.Rate{})
				w.srv.RefuseNext(429)
				a := w.do("GET", conversations, "")
				if a.status != limited.status || a.body != limited.body {
					w.t.Errorf("a fault rule answers %d %q, the limit %d %q", a.status, a.body, limited.status, limited.body)
				}
				a.body = "body: " + a.body + "."
				return a
			},
			off: 429, offs: "body: .", on: 429, ons: `{"id":"rate_limit_exceeded","code":7,`,
		},
		"bad-value-400": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.allAlike(
					w.do("POST", messages, textFrom("ana", strings.Repeat("x", 2049))),
					w.do("POST", messages, withPart(`{"mime_type":"a/b","body":"%","encoding":"base64"}`)),
					w.do("POST", conversations, `{"participants":["ana"],"metadata":"x"}`),
					w.do("POST", conversations, `{"participants":["ana"],"metadata":{"n":1}}`),
					w.do("PATCH", conversations+"/"+convA, `[{"operation":"set","property":"metadata.n","value":[]}]`),
					w.do("POST", conversations, `{"participants":[`+someUsers(26)+`]}`),
					w.do("POST", app+"/announcements", `{"recipients":["ana"],"sender":{"user_id":"ana"},"parts":[{"mime_type":"a/b","body":"x"}]}`),
				)
			},
			off: 422, offs: `"id":"invalid_property"`, on: 400, ons: `{"id":"invalid_request","code":10,`,
		},
		"resource-conflict": {
			prepare: func(w *wire) { w.do("POST", conversations, `{"participants":["ana"],"distinct":true}`) },
			ask: func(w *wire) answer {
				return w.do("POST", conversations, `{"participants":["ana"],"distinct":true,"metadata":{"a":"b"}}`)
			},
			off: 409, offs: `"id":"conflict"`, on: 409, ons: `"id":"resource_conflict"`,
		},
		"redirect-distinct": {
			prepare: func(w *wire) { w.do("POST", conversations, `{"participants":["ana"],"distinct":true}`) },
			ask:     func(w *wire) answer { return w.do("POST", conversations, `{"participants":["ana"],"distinct":true}`) },
			off:     200, on: 303,
		},
		"no-distinct-location": {
			prepare: func(w *wire) { w.do("POST", conversations, `{"participants":["ana"],"distinct":true}`) },
			ask: func(w *wire) answer {
				a := w.do("POST", conversations, `{"participants":["ana"],"distinct":true}`)
				a.body = "Location: " + a.header.Get("Location") + "."
				return a
			},
			off: 200, offs: "Location: /apps/", on: 200, ons: "Location: .",
		},
		"empty-not-found":    {ask: func(w *wire) answer { return w.do("GET", conversations+"/"+convA, "") }, off: 404, offs: "not_found", on: 404},
		"empty-unauthorized": {ask: func(w *wire) answer { return w.do("GET", conversations, "", "Authorization", "") }, off: 401, offs: "authentication_required", on: 401},
		"json-not-found": {
			ask: func(w *wire) answer {
				return w.allAlike(w.do("GET", app+"/harbours", ""), w.do("GET", "/somewhere", ""), w.do("GET", conversations+"/x", ""), w.do("GET", "/apps/x/conversations", ""))
			},
			off: 404, offs: "The requested resource", on: 404, ons: `"code":106`,
		},
		"explicit-nulls": {
			prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("POST", messages, textFrom("ana", "x")) },
			off: 201, offs: `"sender":{"user_id":"ana"}`, on: 201, ons: `"sender":{"user_id":"ana","name":null}`,
		},
		"echo-base64": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.do("POST", messages, withPart(`{"mime_type":"a/b","body":"aGk=","encoding":"base64"}`))
			},
			off: 201, offs: `"body":"hi"}`, on: 201, ons: `"body":"aGk=","encoding":"base64"`,
		},
		"outside-sender": {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("POST", messages, textFrom("chen", "x")) }, off: 422, offs: "sender.user_id", on: 201},
		"distinct-default": {
			ask: func(w *wire) answer { return w.do("POST", conversations, `{"participants":["ana"]}`) },
			off: 201, offs: `"distinct":false`, on: 201, ons: `"distinct":true`,
		},
		"null-metadata": {
			ask: func(w *wire) answer { return w.do("POST", conversations, `{"participants":["ana"]}`) },
			off: 201, offs: `"metadata":{}`, on: 201, ons: `"metadata":null`,
		},
		"any-patch-type": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.do("PATCH", conversations+"/"+convA, `[]`, "Content-Type", "application/json")
			},
			off: 406, offs: "Content-Type", on: 204,
		},
		"deleted-is-unknown": {
			prepare: func(w *wire) { w.conversation(); w.do("DELETE", conversations+"/"+convA, "") },
			ask: func(w *wire) answer {
				return w.allAlike(w.do("PATCH", conversations+"/"+convA, `[]`), w.do("POST", messages, textFrom("ana", "x")))
			},
			off: 410, offs: "object_deleted", on: 404, ons: "not_found",
		},
		"repeated-delete": {
			prepare: func(w *wire) { w.conversation(); w.message(msg1, "x"); w.do("DELETE", messages+"/"+msg1, "") },
			ask: func(w *wire) answer {
				return w.allAlike(w.do("DELETE", messages+"/"+msg1, ""), w.do("DELETE", conversations+"/"+other, ""))
			},
			off: 404, on: 204,
		},
		"strict-page-size":       {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?page_size=101", "") }, off: 200, on: 422, ons: "page_size"},
		"ignore-unknown-from-id": {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?from_id="+other, "") }, off: 404, on: 200, ons: "[]"},
		"unknown-users-empty":    {ask: func(w *wire) answer { return w.do("GET", app+"/users/ana/conversations", "") }, off: 404, on: 200, ons: "[]"},
		"documented-proxy": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.do("DELETE", app+"/users/ana/conversations/"+convA+"?mode=my_devices", "")
			},
			off: 204, on: 405, ons: "method_not_allowed",
		},
		"identity-in-use": {
			prepare: func(w *wire) { w.do("POST", app+"/users/ana/identity", `{"display_name":"Ana"}`) },
			ask:     func(w *wire) answer { return w.do("POST", app+"/users/ana/identity", `{"display_name":"Ana"}`) },
			off:     409, offs: `"code":108`, on: 409, ons: `"code":111`,
		},
		"identity-ids": {
			prepare: func(w *wire) { w.do("POST", app+"/users/a%2Fb/identity", `{"display_name":"Ana"}`) },
			ask: func(w *wire) answer {
				a := w.do("GET", app+"/users/a%2Fb/identity", "")
				got := parse[struct {
					ID, URL string
					UserID  string `json:"user_id"`
				}](w.t, a.body)
				a.body = fmt.Sprintf("%q %q %q", got.ID, got.UserID, got.URL)
				return a
			},
			off: 200, offs: `"" "" ""`,
			on: 200, ons: `"layer:///identities/a%2Fb" "a/b" "https://api.layer.com` + app + `/users/a%2Fb/identity"`,
		},
		"put-identity-creates": {ask: func(w *wire) answer { return w.do("PUT", app+"/users/ana/identity", `{"display_name":"Ana"}`) }, off: 404, on: 204},
		"queued-patches": {
			ask: func(w *wire) answer {
				w.do("PATCH", app+"/users/ana", `[{"operation":"add","property":"blocks","value":"boris"}]`)
				return w.do("GET", app+"/users/ana/blocks", "")
			},
			off: 200, offs: `[{"user_id":"boris"}]`, on: 200, ons: `[]`,
		},
		"everyone": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.do("POST", app+"/announcements", `{"recipients":"everyone","sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`)
			},
			off: 422, offs: "recipients", on: 202, ons: `"recipients":"everyone"`,
		},
		"foreign-app-401": {ask: func(w *wire) answer { return w.do("GET", "/apps/"+other+"/x", "") }, off: 403, offs: "invalid_app_id", on: 401},
		"ignore-bad-dedupe": {ask: func(w *wire) answer {
			return w.do("POST", conversations, `{"participants":["ana"]}`, "If-None-Match", "x")
		}, off: 400, offs: "invalid_request_id", on: 201},
		"body-2000": {
			prepare: (*wire).conversation,
			ask:     func(w *wire) answer { return w.do("POST", messages, textFrom("ana", strings.Repeat("x", 2001))) },
			off:     201, on: 422, ons: "2000",
		},
		"any-metadata": {
			ask: func(w *wire) answer {
				return w.do("POST", conversations, `{"participants":["ana"],"metadata":{"a b":"`+strings.Repeat("x", 3000)+`"}}`)
			},
			off: 422, offs: "metadata.a b", on: 201, ons: "xxx",
		},
		"any-content": {
			prepare: func(w *wire) {
				w.conversation()
				w.do("POST", conversations, `{"participants":["ana"]}`, "If-None-Match", convB)
			},
			ask: func(w *wire) answer {
				ct := parse[contentJSON](w.t, w.ask(3).body)
				w.storage("PUT", ct.UploadURL, strings.NewReader("abc"), 3)
				return w.do("POST", conversations+"/"+convB+"/messages", withPart(`{"mime_type":"a/b","content":{"id":"`+ct.ID+`","size":3}}`))
			},
			off: 422, offs: "parts[0].content.id", on: 201,
		},
		"suspended-may-read": {
			prepare: func(w *wire) {
				w.conversation()
				w.do("PATCH", app+"/users/ana", `[{"operation":"set","property":"suspended","value":true}]`)
			},
			ask: func(w *wire) answer { return w.do("GET", app+"/users/ana/conversations", "") },
			off: 403, offs: "user_suspended", on: 200,
		},
		"strict-recipients": {
			prepare: (*wire).conversation,
			ask: func(w *wire) answer {
				return w.do("POST", app+"/notifications", `{"recipients":["ana"],"notification":{"recipients":[{"user_id":"ana"}]}}`)
			},
			off: 202, on: 422, ons: "notification.recipients",
		},
		"http-webhooks": {
			ask: func(w *wire) answer {
				a, _ := w.hook("POST", "", registration("http://127.0.0.1:1", `"message.sent"`))
				return a
			},
			off: 422, offs: "HTTPS", on: 201,
		},
	}
	var all layertest.Switches
	for _, sw := range all.List() {
		tt, ok := tests[sw.Name]
		if !ok {
			t.Errorf("the switch %s is not tested", sw.Name)
			continue
		}
		for _, on := range []bool{false, true} {
			var s layertest.Switches
			for _, other := range s.List() {
				if other.Name == sw.Name {
					*other.Value = on
				}
			}
			w := newWire(t, layertest.WithConfig(layertest.Config{Switches: s, PatchDelay: time.Hour}))
			if tt.prepare != nil {
				tt.prepare(w)
			}
			status, body := tt.off, tt.offs
			if on {
				status, body = tt.on, tt.ons
			}
			a := tt.ask(w)
			if a.status != status || !strings.Contains(a.body, body) {
				t.Errorf("%s=%v: got %d %s, want %d %s", sw.Name, on, a.status, a.body, status, body)
			}
			if on && strings.HasPrefix(sw.Name, "empty-") && a.body != "" {
				t.Errorf("%s: the body is %q, want none", sw.Name, a.body)
			}
		}
	}
}

// allAlike returns the last of several answers, which must have the same
// status and, in it, the same kind of body.
func (w *wire) allAlike(answers ...answer) answer {
	w.t.Helper()
	last := answers[len(answers)-1]
	for i, a := range answers {
		if a.status != last.status || errorID(a) != errorID(last) {
			w.t.Errorf("answer %d is %d %.200s, the last one %d %.200s", i, a.status, a.body, last.status, last.body)
		}
	}
	return last
}

// errorID is the id of an error, and empty for an answer that is none.
func errorID(a answer) string {
	var body struct {
		ID   string `json:"id"`
		Code int    `json:"code"`
	}
	if json.Unmarshal([]byte(a.body), &body) != nil || body.Code == 0 {
		return ""
	}
	return body.ID
}

func someUsers(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = `"user` + strconv.Itoa(i) + `"`
	}
	return strings.Join(ids, ",")
}
