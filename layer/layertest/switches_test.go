package layertest_test

import (
	"strings"
	"testing"
	"time"

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
			ask: func(w *wire) answer { return w.do("POST", conversations, `{"participants":[]}`) },
			off: 422, offs: "participants", on: 201, ons: `"participants":[]`,
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
		"json-not-found":     {ask: func(w *wire) answer { return w.do("GET", conversations+"/x", "") }, off: 404, offs: "The requested resource", on: 404, ons: `"code":106`},
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
			ask:     func(w *wire) answer { return w.do("POST", messages, textFrom("ana", "x")) },
			off:     410, offs: "object_deleted", on: 404, ons: "not_found",
		},
		"repeated-delete": {
			prepare: func(w *wire) { w.conversation(); w.message(msg1, "x"); w.do("DELETE", messages+"/"+msg1, "") },
			ask:     func(w *wire) answer { return w.do("DELETE", messages+"/"+msg1, "") },
			off:     404, on: 204,
		},
		"strict-page-size":       {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?page_size=101", "") }, off: 200, on: 422, ons: "page_size"},
		"ignore-unknown-from-id": {prepare: (*wire).conversation, ask: func(w *wire) answer { return w.do("GET", messages+"?from_id="+other, "") }, off: 404, on: 200, ons: "[]"},
		"unknown-users-empty":    {ask: func(w *wire) answer { return w.do("GET", app+"/users/ana/conversations", "") }, off: 404, on: 200, ons: "[]"},
		"identity-in-use": {
			prepare: func(w *wire) { w.do("POST", app+"/users/ana/identity", `{"display_name":"Ana"}`) },
			ask:     func(w *wire) answer { return w.do("POST", app+"/users/ana/identity", `{"display_name":"Ana"}`) },
			off:     409, offs: `"code":108`, on: 409, ons: `"code":111`,
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
