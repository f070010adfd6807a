package tasks_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// sides is what the two sides say to the args of a task.
type sides int

const (
	taken   sides = iota // by both
	refused              // by both
	sooner               // by the task, before a server that may take it is asked
)

// TestValidationIsAsStrictAsTheServers gives the same args to a task and, as a
// request made by hand, to the emulator: what the server refuses for its form is
// never enqueued, and what it takes is not held back without a reason.
func TestValidationIsAsStrictAsTheServers(t *testing.T) {
	t.Parallel()
	const conversation = `"conversation":"0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"`
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	message := func(rest string) string { return `{` + conversation + `,` + rest + `}` }
	part := func(part string) string {
		return message(`"sender":{"user_id":"ana"},"parts":[` + part + `]`)
	}
	sender := func(sender string) string {
		return message(`"sender":` + sender + `,"parts":[{"mime_type":"text/plain","body":"x"}]`)
	}
	push := func(n string) string {
		return message(`"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"x"}],"notification":` + n)
	}
	announce := func(recipients, sender, part string) string {
		return `{"recipients":` + recipients + `,"sender":` + sender + `,"parts":[` + part + `]}`
	}
	plain := `{"mime_type":"text/plain","body":"x"}`
	users := func(n int) string {
		return `["user` + strings.Join(strings.Split(strings.Repeat("x", n), ""), `","user`) + `"]`
	}
	different := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, string(rune('a'+i)))
		}
		return `["` + strings.Join(list, `","`) + `"]`
	}
	metadata := func(m string) string { return `{"participants":["ana"],"metadata":` + m + `}` }
	patch := func(ops string) string { return `{` + conversation + `,"operations":[` + ops + `]}` }
	set := func(property, value string) string {
		return `{"operation":"set","property":"` + property + `","value":` + value + `}`
	}
	identity := func(i string) string { return `{"user":"zoe","identity":` + i + `}` }
	keys := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, `"`+string(rune('a'+i))+`":"x"`)
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + `"x"` + strings.Repeat("}", n) }

	for _, c := range []struct {
		name string
		want sides
		kind string
		args string
	}{
		{"from a user", taken, "message:send", sender(`{"user_id":"ana"}`)},
		{"from a name", taken, "message:send", sender(`{"name":"Harbour"}`)},
		{"from both", refused, "message:send", sender(`{"user_id":"ana","name":"Harbour"}`)},
		{"from neither", refused, "message:send", sender(`{}`)},
		{"from nobody", refused, "message:send", sender(`null`)},
		{"from an empty name", refused, "message:send", sender(`{"name":""}`)},
		{"from an empty user", refused, "message:send", sender(`{"user_id":""}`)},
		{"from a number", refused, "message:send", sender(`{"user_id":7}`)},
		{"from text", refused, "message:send", sender(`"ana"`)},
		{"no sender", refused, "message:send", message(`"parts":[` + plain + `]`)},
		{"no parts", refused, "message:send", message(`"sender":{"user_id":"ana"}`)},
		{"empty parts", refused, "message:send", message(`"sender":{"user_id":"ana"},"parts":[]`)},
		{"parts that are none", refused, "message:send", message(`"sender":{"user_id":"ana"},"parts":{}`)},
		{"a part that is none", refused, "message:send", part(`"x"`)},
		{"several parts", taken, "message:send", part(plain + "," + plain)},
		{"no MIME type", refused, "message:send", part(`{"body":"x"}`)},
		{"an empty MIME type", refused, "message:send", part(`{"mime_type":"","body":"x"}`)},
		{"no body", refused, "message:send", part(`{"mime_type":"a/b"}`)},
		{"a body that is null", refused, "message:send", part(`{"mime_type":"a/b","body":null}`)},
		{"a body that is a number", refused, "message:send", part(`{"mime_type":"a/b","body":7}`)},
		{"an empty body", sooner, "message:send", part(`{"mime_type":"a/b","body":""}`)},
		{"NUL in a body", sooner, "message:send", part(`{"mime_type":"a/b","body":"\u0000"}`)},
		{"2,048 bytes", taken, "message:send", part(`{"mime_type":"a/b","body":` + text(2048) + `}`)},
		{"2,049 bytes", refused, "message:send", part(`{"mime_type":"a/b","body":` + text(2049) + `}`)},
		{"2,048 bytes in 1,024 characters", taken, "message:send", part(`{"mime_type":"a/b","body":"` + strings.Repeat("é", 1024) + `"}`)},
		{"2,050 bytes in 1,025 characters", refused, "message:send", part(`{"mime_type":"a/b","body":"` + strings.Repeat("é", 1025) + `"}`)},
		{"2,046 bytes in base64", taken, "message:send", part(`{"mime_type":"a/b","encoding":"base64","body":"` + strings.Repeat("eHh4", 682) + `"}`)},
		{"2,049 bytes in base64", refused, "message:send", part(`{"mime_type":"a/b","encoding":"base64","body":"` + strings.Repeat("eHh4", 683) + `"}`)},
		{"no base64", refused, "message:send", part(`{"mime_type":"a/b","encoding":"base64","body":"!"}`)},
		{"base64 without its padding", refused, "message:send", part(`{"mime_type":"a/b","encoding":"base64","body":"eA"}`)},
		{"base64 for URLs", refused, "message:send", part(`{"mime_type":"a/b","encoding":"base64","body":"_-_-"}`)},
		{"another encoding", refused, "message:send", part(`{"mime_type":"a/b","encoding":"gzip","body":"x"}`)},
		{"a notification", taken, "message:send", push(`{"title":"t","text":"x","sound":"s","recipients":[{"user_id":"ana","text":"y"}],"data":{"a":[1]}}`)},
		{"a notification as version 1.0 has it", taken, "message:send", push(`{"text":"x","recipients":{"ana":{"text":"y"}}}`)},
		{"a notification that is text", refused, "message:send", push(`"x"`)},
		{"a notification with a number", refused, "message:send", push(`{"text":7}`)},
		{"an override of nobody", refused, "message:send", push(`{"recipients":[{"text":"y"}]}`)},
		{"overrides that are text", refused, "message:send", push(`{"recipients":"ana"}`)},
		{"loc-args that are no list", refused, "message:send", push(`{"loc-args":"x"}`)},
		{"data that is no object", refused, "message:send", push(`{"data":"x"}`)},
		{"a conversation id of another kind", refused, "message:delete", `{"conversation":"layer:///messages/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610","message":"0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"}`},
		{"a message id that is no UUID", refused, "message:delete", `{` + conversation + `,"message":"first"}`},
		{"a conversation id that is no UUID", refused, "conversation:delete", `{"conversation":"first"}`},

		{"an announcement", taken, "announcement:send", announce(`["ana"]`, `{"name":"x"}`, plain)},
		{"an announcement to nobody", refused, "announcement:send", announce(`[]`, `{"name":"x"}`, plain)},
		{"an announcement to everyone", refused, "announcement:send", announce(`"everyone"`, `{"name":"x"}`, plain)},
		{"an announcement to a number", refused, "announcement:send", announce(`[7]`, `{"name":"x"}`, plain)},
		{"an announcement to an empty id", refused, "announcement:send", announce(`[""]`, `{"name":"x"}`, plain)},
		{"an announcement from a user", refused, "announcement:send", announce(`["ana"]`, `{"user_id":"ana"}`, plain)},
		{"an announcement of nothing", refused, "announcement:send", announce(`["ana"]`, `{"name":"x"}`, ``)},
		{"an announcement over 2 KB", refused, "announcement:send", announce(`["ana"]`, `{"name":"x"}`, `{"mime_type":"a/b","body":`+text(2049)+`}`)},

		{"a push", taken, "notification:send", `{"recipients":["ana"],"notification":{"text":"x"}}`},
		{"a push to nobody", refused, "notification:send", `{"recipients":[],"notification":{"text":"x"}}`},
		{"a push without recipients", refused, "notification:send", `{"notification":{"text":"x"}}`},
		{"a push of nothing", refused, "notification:send", `{"recipients":["ana"]}`},

		{"25 participants", taken, "conversation:create", `{"participants":` + different(25) + `}`},
		{"26 participants", refused, "conversation:create", `{"participants":` + different(26) + `}`},
		{"one participant 26 times", sooner, "conversation:create", `{"participants":` + users(26) + `}`},
		{"no participants", refused, "conversation:create", `{}`},
		{"empty participants", refused, "conversation:create", `{"participants":[]}`},
		{"an empty participant", refused, "conversation:create", `{"participants":[""]}`},
		{"distinct that is text", refused, "conversation:create", `{"participants":["ana"],"distinct":"yes"}`},
		{"nested metadata", taken, "conversation:create", metadata(`{"a":{"b":{"c":"d"}},"e-f_1":"","ü":"x"}`)},
		{"empty metadata", taken, "conversation:create", metadata(`{}`)},
		{"metadata that is null", taken, "conversation:create", metadata(`null`)},
		{"metadata that is text", refused, "conversation:create", metadata(`"x"`)},
		{"metadata with a number", refused, "conversation:create", metadata(`{"a":{"b":7}}`)},
		{"metadata with true", refused, "conversation:create", metadata(`{"a":true}`)},
		{"metadata with null", refused, "conversation:create", metadata(`{"a":null}`)},
		{"metadata with a list", refused, "conversation:create", metadata(`{"a":["x"]}`)},
		{"metadata with a space in a key", refused, "conversation:create", metadata(`{"a b":"x"}`)},
		{"metadata with a key of nothing", refused, "conversation:create", metadata(`{"":"x"}`)},
		{"2 KB of metadata", taken, "conversation:create", metadata(`{"a":` + text(2048) + `}`)},
		{"over 2 KB of metadata", refused, "conversation:create", metadata(`{"a":` + text(2049) + `}`)},
		{"metadata 500 deep", taken, "conversation:create", metadata(deep(500))},
		{"metadata 501 deep", refused, "conversation:create", metadata(deep(501))},

		{"all sorts of operations", taken, "conversation:update", patch(`{"operation":"add","property":"participants","value":"chen"},{"operation":"remove","property":"participants","value":"chen"},` + set("metadata", `{"a":{"x":"y"}}`) + "," + set("metadata.a.b", `"c"`) + `,{"operation":"delete","property":"metadata.a"}`)},
		{"an unknown operation", refused, "conversation:update", patch(`{"operation":"move","property":"participants","value":"x"}`)},
		{"no operation", refused, "conversation:update", patch(`{"property":"participants","value":"x"}`)},
		{"no property", refused, "conversation:update", patch(`{"operation":"add","value":"x"}`)},
		{"no value", refused, "conversation:update", patch(`{"operation":"add","property":"participants"}`)},
		{"an unknown property", refused, "conversation:update", patch(set("distinct", "true"))},
		{"a property with a name of nothing", refused, "conversation:update", patch(set("metadata..a", `"x"`))},
		{"delete participants", refused, "conversation:update", patch(`{"operation":"delete","property":"participants"}`)},
		{"add to metadata", refused, "conversation:update", patch(`{"operation":"add","property":"metadata.a","value":"x"}`)},
		{"add a list of participants", refused, "conversation:update", patch(`{"operation":"add","property":"participants","value":["x"]}`)},
		{"add nobody", refused, "conversation:update", patch(`{"operation":"add","property":"participants","value":""}`)},
		{"replace by nobody", refused, "conversation:update", patch(set("participants", "[]"))},
		{"replace by 26", refused, "conversation:update", patch(set("participants", different(26)))},
		{"replace by text", refused, "conversation:update", patch(set("participants", `"x"`))},
		{"a number in metadata", refused, "conversation:update", patch(set("metadata.a", "7"))},
		{"a list deep in metadata", refused, "conversation:update", patch(set("metadata.a", `{"b":["x"]}`))},
		{"all of the metadata by text", refused, "conversation:update", patch(set("metadata", `"x"`))},
		{"a space in a property", refused, "conversation:update", patch(set("metadata.a b", `"x"`))},
		{"over 2 KB in a patch", refused, "conversation:update", patch(set("metadata.a", text(2049)))},
		{"a property of 501 names", refused, "conversation:update", patch(set("metadata"+strings.Repeat(".a", 500), `"x"`))},
		{"an escaped dot", sooner, "conversation:update", patch(set(`metadata.a\\.b`, `"x"`))},
		{"operations that are none", refused, "conversation:update", `{` + conversation + `,"operations":{}}`},
		{"an operation that is none", refused, "conversation:update", patch(`"x"`)},

		{"block", taken, "user:block", `{"owner":"a/b","user":"ü %"}`},
		{"block nobody", refused, "user:block", `{"owner":"ana","user":""}`},
		{"nobody blocks", refused, "user:block", `{"owner":"","user":"ana"}`},
		{"unblock", taken, "user:unblock", `{"owner":"a/b","user":"ü %"}`},
		{"unblock nobody", refused, "user:unblock", `{"owner":"ana","user":""}`},
		{"a list of blocks", taken, "blocklist:update", `{"owner":"ana","operations":[{"operation":"add","property":"blocks","value":"x"},{"operation":"set","property":"blocks","value":[]}]}`},
		{"delete a list of blocks", refused, "blocklist:update", `{"owner":"ana","operations":[{"operation":"delete","property":"blocks"}]}`},
		{"block a number", refused, "blocklist:update", `{"owner":"ana","operations":[{"operation":"add","property":"blocks","value":7}]}`},
		{"set blocks to text", refused, "blocklist:update", `{"owner":"ana","operations":[{"operation":"set","property":"blocks","value":"x"}]}`},
		{"suspend as a block", sooner, "blocklist:update", `{"owner":"ana","operations":[{"operation":"set","property":"suspended","value":true}]}`},

		{"an identity", taken, "identity:upsert", identity(`{"display_name":` + text(128) + `,"avatar_url":` + text(1024) + `,"first_name":` + text(128) + `,"last_name":` + text(128) + `,"phone_number":` + text(32) + `,"email_address":` + text(255) + `,"public_key":` + text(5000) + `,"metadata":` + keys(16) + `}`)},
		{"128 characters of several bytes", taken, "identity:upsert", identity(`{"display_name":"` + strings.Repeat("🌊", 128) + `"}`)},
		{"no display name", refused, "identity:upsert", identity(`{"first_name":"x"}`)},
		{"a display name of 129", refused, "identity:upsert", identity(`{"display_name":` + text(129) + `}`)},
		{"an avatar of 1025", refused, "identity:upsert", identity(`{"display_name":"x","avatar_url":` + text(1025) + `}`)},
		{"a phone number of 33", refused, "identity:upsert", identity(`{"display_name":"x","phone_number":` + text(33) + `}`)},
		{"an address of 256", refused, "identity:upsert", identity(`{"display_name":"x","email_address":` + text(256) + `}`)},
		{"17 keys", refused, "identity:upsert", identity(`{"display_name":"x","metadata":` + keys(17) + `}`)},
		{"nested metadata of an identity", refused, "identity:upsert", identity(`{"display_name":"x","metadata":{"a":{"b":"c"}}}`)},
		{"a number in an identity", refused, "identity:upsert", identity(`{"display_name":7}`)},

		{"properties", taken, "identity:update", `{"user":"ana","properties":{"last_name":"x","metadata.a":"b","first_name":null}}`},
		{"an unknown property of an identity", refused, "identity:update", `{"user":"ana","properties":{"shoe_size":"43"}}`},
		{"a property of an identity that is a number", refused, "identity:update", `{"user":"ana","properties":{"last_name":7}}`},
		{"a property of an identity that is too long", refused, "identity:update", `{"user":"ana","properties":{"last_name":` + text(129) + `}}`},
		{"delete the display name", refused, "identity:update", `{"user":"ana","properties":{"display_name":null}}`},
		{"metadata of an identity in depth", refused, "identity:update", `{"user":"ana","properties":{"metadata.a.b":"x"}}`},

		{"a badge", taken, "badge:set", `{"user":"ana","external_unread_count":0}`},
		{"no badge", refused, "badge:set", `{"user":"ana"}`},
		{"a negative badge", refused, "badge:set", `{"user":"ana","external_unread_count":-1}`},
		{"half a badge", refused, "badge:set", `{"user":"ana","external_unread_count":1.5}`},
		{"suspend", taken, "user:suspend", `{"user":"a/b"}`},
		{"suspend nobody", refused, "user:suspend", `{"user":""}`},
		{"unsuspend", taken, "user:unsuspend", `{"user":"a/b"}`},
		{"delete an identity", taken, "identity:delete", `{"user":"ana"}`},
		{"delete the identity of nobody", refused, "identity:delete", `{"user":""}`},
	} {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			_, err := tasks.New(c.kind, []byte(c.args))
			if valid := err == nil; valid != (c.want == taken) {
				t.Errorf("the task says %v", err)
			}
			status, body := byHand(t, c.kind, c.args)
			if took := status < 300; took != (c.want != refused) {
				t.Errorf("the server says %d %s", status, body)
			}
		})
	}
}

// byHand makes the request that a task stands for, without any check of ours.
func byHand(t *testing.T, kind, args string) (int, string) {
	t.Helper()
	srv := layertest.NewServer(t)
	ask := func(method, path, body, dedupe string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+"/apps/"+layertest.DefaultAppID+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+layertest.DefaultToken)
		r.Header.Set("Accept", "application/vnd.layer+json; version=1.0")
		if method == http.MethodPatch {
			r.Header.Set("Content-Type", "application/vnd.layer-patch+json")
		}
		if dedupe != "" {
			r.Header.Set("If-None-Match", dedupe)
		}
		resp, err := srv.HTTPClient().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	var a struct {
		Conversation, Message, Owner, User string
		Operations, Identity               json.RawMessage
		Properties                         map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(args), &a); err != nil {
		t.Fatal(err)
	}
	ask("POST", "/conversations", `{"participants":["ana","boris"]}`, "0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610")
	ask("POST", "/users/ana/identity", `{"display_name":"Ana","first_name":"A"}`, "")
	conversation, owner, user := "/conversations/"+url.PathEscape(a.Conversation), "/users/"+url.PathEscape(a.Owner), "/users/"+url.PathEscape(a.User)
	switch kind {
	case "message:send":
		return ask("POST", conversation+"/messages", args, "")
	case "message:delete":
		return ask("DELETE", conversation+"/messages/"+a.Message, "", "")
	case "announcement:send":
		return ask("POST", "/announcements", args, "")
	case "notification:send":
		return ask("POST", "/notifications", args, "")
	case "conversation:create":
		return ask("POST", "/conversations", args, "")
	case "conversation:update":
		return ask("PATCH", conversation, string(a.Operations), "")
	case "conversation:delete":
		return ask("DELETE", conversation, "", "")
	case "user:block":
		name, err := json.Marshal(a.User)
		if err != nil {
			t.Fatal(err)
		}
		return ask("POST", owner+"/blocks", `{"user_id":`+string(name)+`}`, "")
	case "user:unblock":
		return ask("DELETE", owner+"/blocks/"+url.PathEscape(a.User), "", "")
	case "blocklist:update":
		return ask("PATCH", owner, string(a.Operations), "")
	case "identity:upsert":
		return ask("POST", user+"/identity", string(a.Identity), "")
	case "identity:update":
		var ops []string
		for name, value := range a.Properties {
			op := `"operation":"set","value":` + string(value)
			if string(value) == "null" {
				op = `"operation":"delete"`
			}
			ops = append(ops, `{"property":"`+name+`",`+op+`}`)
		}
		return ask("PATCH", user+"/identity", "["+strings.Join(ops, ",")+"]", "")
	case "identity:delete":
		return ask("DELETE", user+"/identity", "", "")
	case "badge:set":
		return ask("PUT", user+"/badge", args, "")
	case "user:suspend", "user:unsuspend":
		return ask("PATCH", user, `[{"operation":"set","property":"suspended","value":`+map[string]string{"user:suspend": "true", "user:unsuspend": "false"}[kind]+`}]`, "")
	default:
		t.Fatalf("there is no request for %s", kind)
		return 0, ""
	}
}
