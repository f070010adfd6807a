package layertest_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	all := app + "/conversations/" + convA + "/messages"
	binary := base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe})
	text := base64.StdEncoding.EncodeToString([]byte("plain after all"))
	w.record("send", "POST", all, `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"text/plain","body":"tide is in"},`+
		`{"mime_type":"image/gif","body":"`+binary+`","encoding":"base64"},{"mime_type":"text/x","body":"`+text+`","encoding":"base64"}],`+
		`"notification":{"title":"Harbour","text":"tide is in","sound":"bell.aiff"}}`, "If-None-Match", msg1)
	w.record("send again", "POST", all, textFrom("ana", "another text"), "If-None-Match", msg1)
	w.record("send by name", "POST", all, `{"sender":{"name":"harbour master","user_id":null},"parts":[{"mime_type":"text/plain","body":""}]}`, "If-None-Match", msg2)
	w.record("get", "GET", all+"/"+msg1, "")
	w.record("list, newest first", "GET", all, "")
	w.record("a page", "GET", all+"?page_size=1&from_id="+msg2, "")
	w.record("the page after the last", "GET", all+"?from_id=layer:///messages/"+msg1, "")
	w.record("from_id of another kind", "GET", all+"?from_id=layer:///conversations/"+msg1, "")
	w.record("from_id unknown", "GET", all+"?from_id="+other, "")
	w.record("page_size that is no number", "GET", all+"?page_size=many", "")
	w.record("page_size above the most", "GET", all+"?page_size=1000&sort_by=whatever", "")
	for _, tt := range []struct{ name, body string }{
		{"both senders", `{"sender":{"user_id":"ana","name":"x"}}`},
		{"no sender inside", `{"sender":{}}`},
		{"an empty sender", `{"sender":{"user_id":""}}`},
		{"a sender that is no string", `{"sender":{"user_id":7}}`},
		{"a sender that is a string", `{"sender":"ana"}`},
		{"a sender from outside", textFrom("chen", "x")},
		{"no parts", `{"sender":{"user_id":"ana"}}`},
		{"empty parts", `{"sender":{"user_id":"ana"},"parts":[]}`},
		{"parts that are no list", `{"sender":{"user_id":"ana"},"parts":{}}`},
		{"a part that is no object", withPart(`"x"`)},
		{"no mime_type", withPart(`{"body":"x"}`)},
		{"an empty mime_type", withPart(`{"mime_type":"","body":"x"}`)},
		{"no body", withPart(`{"mime_type":"text/plain"}`)},
		{"a body that is no string", withPart(`{"mime_type":"text/plain","body":7}`)},
		{"an unknown encoding", withPart(`{"mime_type":"text/plain","body":"x","encoding":"rot13"}`)},
		{"bad base64", withPart(`{"mime_type":"text/plain","body":"x","encoding":"base64"}`)},
		{"a notification that is no object", `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"a/b","body":"x"}],"notification":"x"}`},
		{"a notification with a number", `{"sender":{"user_id":"ana"},"parts":[{"mime_type":"a/b","body":"x"}],"notification":{"text":7}}`},
	} {
		w.record("refused: "+tt.name, "POST", all, tt.body)
	}
	w.record("an unknown message", "GET", all+"/"+other, "")
	w.record("a message of another conversation", "GET", app+"/conversations/"+convB+"/messages/"+msg1, "")
	w.record("delete", "DELETE", all+"/"+msg1, "")
	w.record("delete again", "DELETE", all+"/"+msg1, "")
	w.record("get the deleted one", "GET", all+"/"+msg1, "")
	w.record("the deleted one sent again is not made again", "POST", all, textFrom("ana", "x"), "If-None-Match", msg1)
	w.record("list after it", "GET", all, "")
	w.golden("messages.golden")
}

func withPart(part string) string { return `{"sender":{"user_id":"ana"},"parts":[` + part + `]}` }

func TestInlineBodiesTake2KBAfterDecoding(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	body := func(n int, encoded bool) string {
		if encoded {
			return fmt.Sprintf(`{"mime_type":"a/b","encoding":"base64","body":%q}`, base64.StdEncoding.EncodeToString(make([]byte, n)))
		}
		return fmt.Sprintf(`{"mime_type":"a/b","body":%q}`, strings.Repeat("x", n))
	}
	for _, tt := range []struct {
		part string
		want int
	}{
		{body(2048, false), 201},
		{body(2049, false), 422},
		{body(2048, true), 201},
		{body(2049, true), 422},
		{`{"mime_type":"a/b","body":"` + strings.Repeat("ü", 1024) + `"}`, 201},
		{`{"mime_type":"a/b","body":"` + strings.Repeat("ü", 1025) + `"}`, 422},
	} {
		a := w.do("POST", app+"/conversations/"+convA+"/messages", withPart(tt.part))
		if a.status != tt.want || tt.want == 422 && !strings.Contains(a.body, `"property":"parts[0].body"`) {
			t.Errorf("%.60s...: got %d %s, want %d", tt.part, a.status, a.body, tt.want)
		}
	}
}

func TestMessagesAsUser(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	w.conversation()
	w.message(msg1, "one")
	boris := app + "/users/boris"
	mine := boris + "/messages/" + msg1
	w.record("get, unread", "GET", mine, "")
	w.record("delivery", "POST", mine+"/receipts", `{"type":"delivery"}`)
	w.record("delivered", "GET", mine, "")
	w.record("read", "POST", mine+"/receipts", `{"type":"read"}`)
	w.record("delivery after it does nothing", "POST", mine+"/receipts", `{"type":"delivery"}`)
	w.record("is read", "GET", mine, "")
	w.record("the badge agrees", "GET", boris+"/badge", "")
	w.record("a receipt without type", "POST", mine+"/receipts", `{}`)
	w.record("a receipt of another type", "POST", mine+"/receipts", `{"type":"seen"}`)
	w.record("a receipt for an unknown message", "POST", boris+"/messages/"+other+"/receipts", `{"type":"read"}`)
	w.message(msg2, "two")
	w.record("delete for oneself", "DELETE", boris+"/messages/"+msg2+"?mode=my_devices", "")
	w.record("list", "GET", boris+"/conversations/"+convA+"/messages", "")
	w.record("others still see it", "GET", app+"/users/ana/conversations/"+convA+"/messages?page_size=1", "")
	w.record("delete for all", "DELETE", boris+"/messages/"+msg1+"?mode=all_participants", "")
	w.record("gone", "GET", mine, "")
	w.record("for all", "GET", app+"/users/ana/messages/"+msg1, "")
	w.do("PATCH", boris, `[{"operation":"add","property":"blocks","value":"ana"}]`)
	w.message(other, "three")
	w.record("a blocked sender's message does not come", "GET", boris+"/conversations/"+convA, "")
	w.record("and nobody is told", "GET", app+"/conversations/"+convA+"/messages/"+other, "")
	w.golden("messages_as_user.golden")
}
