package layertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

func TestConversations(t *testing.T) {
	t.Parallel()
	w := newWire(t, layertest.WithConfig(layertest.Config{Seed: 1}))
	all := app + "/conversations"
	one := all + "/" + convA
	w.record("create", "POST", all, `{"participants":["boris","ana","boris"],"metadata":{"topic":"harbour","pier":{"number":"7"}}}`, "If-None-Match", convA)
	w.record("create again with the same dedupe UUID", "POST", all, `{"participants":["someone else"]}`, "If-None-Match", `"`+convA+`"`)
	w.record("create without a dedupe UUID", "POST", all, `{"participants":["ana"]}`)
	w.record("null counts as absent", "POST", all, `{"participants":null}`)
	w.record("no participants", "POST", all, `{"participants":[]}`)
	w.record("participants that are no strings", "POST", all, `{"participants":["ana",7]}`)
	w.record("participants that are no list", "POST", all, `{"participants":"ana"}`)
	w.record("26 participants", "POST", all, users(26))
	w.record("distinct that is no boolean", "POST", all, `{"participants":["ana"],"distinct":"yes"}`)
	w.record("metadata with a number", "POST", all, `{"participants":["ana"],"metadata":{"a":{"b":7}}}`)
	w.record("metadata that is no object", "POST", all, `{"participants":["ana"],"metadata":"x"}`)
	w.record("get", "GET", one, "")
	w.record("get in any case", "GET", all+"/"+strings.ToUpper(convA), "")
	w.record("patch everything at once", "PATCH", one, `[
		{"operation":"add","property":"participants","value":"chen"},
		{"operation":"add","property":"participants","value":"chen"},
		{"operation":"remove","property":"participants","value":"boris"},
		{"operation":"remove","property":"participants","value":"nobody"},
		{"operation":"set","property":"metadata.pier.number","value":"8"},
		{"operation":"set","property":"metadata.ship.name.short","value":"Io"},
		{"operation":"set","property":"metadata.a\\.b","value":"dotted"},
		{"operation":"delete","property":"metadata.topic"},
		{"operation":"delete","property":"metadata.nothing.there"}]`)
	w.record("what became of it", "GET", one, "")
	w.record("a patch that fails changes nothing", "PATCH", one, `[{"operation":"set","property":"metadata.topic","value":"x"},{"operation":"set","property":"metadata.ship.name.short.of","value":"x"}]`)
	w.record("a patch over a POST", "POST", one, `[{"operation":"set","property":"metadata","value":{"topic":"x"}}]`, "X-HTTP-Method-Override", "PATCH", "Content-Type", patchJSON)
	w.record("what became of that", "GET", one, "")
	for _, tt := range []struct{ name, body string }{
		{"an object", `{}`},
		{"an operation that is none", `["x"]`},
		{"without operation", `[{"property":"participants","value":"x"}]`},
		{"without property", `[{"operation":"add","value":"x"}]`},
		{"without value", `[{"operation":"add","property":"participants"}]`},
		{"an unknown operation", `[{"operation":"move","property":"participants","value":"x"}]`},
		{"an unknown property", `[{"operation":"set","property":"distinct","value":true}]`},
		{"add to metadata", `[{"operation":"add","property":"metadata.x","value":"y"}]`},
		{"delete participants", `[{"operation":"delete","property":"participants"}]`},
		{"a number in metadata", `[{"operation":"set","property":"metadata.x","value":7}]`},
		{"a participant that is no string", `[{"operation":"add","property":"participants","value":{"user_id":"x"}}]`},
	} {
		w.record("patch: "+tt.name, "PATCH", one, tt.body)
	}
	w.record("a patch without its content type", "PATCH", one, `[]`, "Content-Type", "application/json")
	w.record("a patch of an unknown conversation", "PATCH", all+"/"+convB, `[]`)
	w.record("delete", "DELETE", one, "")
	w.record("delete again", "DELETE", one, "")
	w.record("delete an unknown one", "DELETE", all+"/"+convB, "")
	w.record("get the deleted one", "GET", one, "")
	w.record("patch the deleted one", "PATCH", one, `[]`)
	w.record("send to the deleted one", "POST", one+"/messages", textFrom("ana", "x"))
	w.record("an empty message to the deleted one", "POST", one+"/messages", `{}`)
	w.golden("conversations.golden")
}

func users(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%q", fmt.Sprint("user", i))
	}
	return `{"participants":[` + strings.Join(ids, ",") + `]}`
}

func TestDistinctConversations(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := app + "/conversations"
	w.record("new", "POST", all, `{"participants":["ana","boris"],"distinct":true,"metadata":{"topic":"harbour"}}`, "If-None-Match", convA)
	w.record("the same set without metadata", "POST", all, `{"participants":["boris","ana"],"distinct":true}`)
	w.record("null metadata", "POST", all, `{"participants":["boris","ana"],"distinct":true,"metadata":null}`)
	w.record("the same metadata", "POST", all, `{"participants":["boris","ana"],"distinct":true,"metadata":{"topic":"harbour"}}`)
	w.record("other metadata", "POST", all, `{"participants":["boris","ana"],"distinct":true,"metadata":{"topic":"x"}}`)
	w.record("empty metadata is other metadata", "POST", all, `{"participants":["boris","ana"],"distinct":true,"metadata":{}}`)
	w.record("not distinct is always new", "POST", all, `{"participants":["boris","ana"]}`, "If-None-Match", convB)
	w.record("a change of the participants", "PATCH", all+"/"+convA, `[{"operation":"add","property":"participants","value":"chen"}]`)
	w.record("makes it non-distinct", "GET", all+"/"+convA, "")
	w.record("and the change undone", "PATCH", all+"/"+convA, `[{"operation":"remove","property":"participants","value":"chen"}]`)
	w.record("leaves it so", "POST", all, `{"participants":["ana","boris"],"distinct":true}`, "If-None-Match", other)
	w.golden("distinct.golden")
}

func TestConversationsAsUser(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	ana, boris := app+"/users/ana", app+"/users/boris"
	mine := boris + "/conversations/" + convA
	w.conversation()
	w.record("without messages", "GET", mine, "")
	w.message(msg1, "one")
	w.record("unread", "GET", mine, "")
	w.record("by the sender", "GET", ana+"/conversations/"+convA, "")
	w.do("POST", app+"/conversations", `{"participants":["boris"]}`, "If-None-Match", convB)
	w.record("list, newest first", "GET", boris+"/conversations", "")
	w.record("list, latest message first", "GET", boris+"/conversations?sort_by=last_message&page_size=1", "")
	w.record("the page after it", "GET", boris+"/conversations?sort_by=last_message&page_size=1&from_id=layer:///conversations/"+convB, "")
	w.record("an unknown order", "GET", boris+"/conversations?sort_by=name", "")
	w.record("an unknown from_id", "GET", boris+"/conversations?from_id="+other, "")
	w.record("a page of none", "GET", boris+"/conversations?page_size=0", "")
	w.record("a stranger to the conversation", "GET", ana+"/conversations/"+convB, "")
	w.record("a user never seen", "GET", app+"/users/nobody/conversations", "")
	w.record("removed", "PATCH", app+"/conversations/"+convA, `[{"operation":"remove","property":"participants","value":"boris"}]`)
	w.message(msg2, "two")
	w.record("sees how it was then", "GET", mine, "")
	w.record("and is not in it", "GET", app+"/conversations/"+convA, "")
	w.record("cannot delete it for all", "DELETE", mine+"?mode=all_participants", "")
	w.record("added again", "PATCH", app+"/conversations/"+convA, `[{"operation":"add","property":"participants","value":"boris"}]`)
	w.record("sees it whole", "GET", mine, "")
	w.record("delete without mode", "DELETE", mine, "")
	w.record("delete for oneself", "DELETE", mine+"?mode=my_devices", "")
	w.record("it is gone", "GET", mine, "")
	w.record("from the list, too", "GET", boris+"/conversations", "")
	w.message(other, "three")
	w.record("a new message brings it back, beginning there", "GET", mine+"/messages", "")
	w.record("leave", "DELETE", mine+"?mode=my_devices&leave=true", "")
	w.record("left", "GET", app+"/conversations/"+convA, "")
	w.record("delete for all", "DELETE", ana+"/conversations/"+convA+"?mode=all_participants", "")
	w.record("deleted", "GET", ana+"/conversations/"+convA, "")
	w.golden("conversations_as_user.golden")
}
