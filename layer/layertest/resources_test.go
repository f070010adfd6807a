package layertest_test

import (
	"strings"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := app + "/announcements"
	full := `{"recipients":["chen","ana"],"sender":{"name":"harbour master"},"parts":[{"mime_type":"text/plain","body":"pier 7 closed"}],"notification":{"text":"pier 7 closed"}}`
	w.record("send", "POST", all, full, "If-None-Match", msg1)
	w.record("send again", "POST", all, full, "If-None-Match", msg1)
	for _, tt := range []struct{ name, body string }{
		{"no recipients", `{"recipients":[]}`},
		{"everyone", `{"recipients":"everyone"}`},
		{"no sender", `{"recipients":["ana"]}`},
		{"a user as sender", `{"recipients":["ana"],"sender":{"user_id":"ana"}}`},
		{"no parts", `{"recipients":["ana"],"sender":{"name":"x"}}`},
		{"rich content", `{"recipients":["ana"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","content":{"id":"` + other + `","size":3}}]}`},
	} {
		w.record("refused: "+tt.name, "POST", all, tt.body)
	}
	mine := app + "/users/ana/announcements"
	w.record("an id of another kind in use", "POST", app+"/conversations", `{"participants":["ana"]}`, "If-None-Match", msg1)
	w.record("list as user", "GET", mine, "")
	w.record("receipt", "POST", mine+"/"+msg1+"/receipts", `{"type":"read"}`)
	w.record("get as user", "GET", mine+"/"+msg1, "")
	w.record("delete as user", "DELETE", mine+"/"+msg1, "")
	w.record("gone", "GET", mine+"/"+msg1, "")
	w.record("for that user alone", "GET", app+"/users/chen/announcements?page_size=1", "")
	w.record("not for others", "GET", app+"/users/boris/announcements", "")
	w.record("not readable otherwise", "GET", all+"/"+msg1, "")
	w.golden("announcements.golden")
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	all := app + "/users/a%2Fb%2B%25%3F%C3%BC/blocks"
	w.record("nobody blocked", "GET", all, "")
	w.record("block", "POST", all, `{"user_id":"boris"}`)
	w.record("block again", "POST", all, `{"user_id":"boris"}`)
	w.record("block oneself", "POST", all, `{"user_id":"a/b+%?ü"}`)
	w.record("list", "GET", all, "")
	w.record("unblock", "DELETE", all+"/boris", "")
	w.record("unblock again", "DELETE", all+"/boris", "")
	w.record("unblock oneself", "DELETE", all+"/a%2Fb%2B%25%3F%C3%BC", "")
	w.record("a number", "POST", all, `{"user_id":7}`)
	w.record("empty", "POST", all, `{"user_id":""}`)
	user := strings.TrimSuffix(all, "/blocks")
	w.record("in bulk", "PATCH", user, `[{"operation":"add","property":"blocks","value":"a"},{"operation":"add","property":"blocks","value":"b"},{"operation":"remove","property":"blocks","value":"a"},{"operation":"remove","property":"blocks","value":"x"}]`)
	w.record("after it", "GET", all, "")
	w.record("all at once", "PATCH", user, `[{"operation":"set","property":"blocks","value":["c","d","c"]}]`)
	w.record("after that", "GET", all, "")
	w.record("none", "PATCH", user, `[{"operation":"set","property":"blocks","value":[]}]`)
	w.record("cleared", "GET", all, "")
	w.record("delete is no operation for it", "PATCH", user, `[{"operation":"delete","property":"blocks"}]`)
	w.record("a list of numbers", "PATCH", user, `[{"operation":"set","property":"blocks","value":[1]}]`)
	w.record("an empty id in the path", "GET", app+"/users//blocks", "")
	w.golden("blocks.golden")
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	id := app + "/users/ana/identity"
	w.record("none", "GET", id, "")
	w.record("replace none", "PUT", id, `{"display_name":"Ana"}`)
	w.record("patch none", "PATCH", id, `[]`)
	w.record("delete none", "DELETE", id, "")
	w.record("create", "POST", id, `{"display_name":"Ana","email_address":"ana@example.com","metadata":{"berth":"7"},"unknown":1}`)
	w.record("create again", "POST", id, `{"display_name":"Ana"}`)
	w.record("get", "GET", id, "")
	w.record("patch", "PATCH", id, `[{"operation":"set","property":"last_name","value":"Ives"},{"operation":"set","property":"metadata.berth","value":"12"},{"operation":"set","property":"metadata.mast","value":"2"},{"operation":"delete","property":"email_address"}]`)
	w.record("after it", "GET", id, "")
	w.record("metadata as a whole", "PATCH", id, `[{"operation":"set","property":"metadata","value":{"berth":"1"}}]`)
	w.record("replace", "PUT", id, `{"display_name":"Anna"}`)
	w.record("after that", "GET", id, "")
	for _, tt := range []struct{ name, body string }{
		{"no display_name", `{"first_name":"x"}`},
		{"a number", `{"display_name":7}`},
		{"a long name", `{"display_name":"` + strings.Repeat("ü", 129) + `"}`},
		{"a long number", `{"display_name":"x","phone_number":"` + strings.Repeat("1", 33) + `"}`},
		{"nested metadata", `{"display_name":"x","metadata":{"a":{"b":"c"}}}`},
		{"17 keys", `{"display_name":"x","metadata":{` + seventeen() + `}}`},
	} {
		w.record("refused: "+tt.name, "PUT", id, tt.body)
	}
	for _, tt := range []struct{ name, body string }{
		{"an unknown property", `[{"operation":"set","property":"age","value":"7"}]`},
		{"without display_name", `[{"operation":"delete","property":"display_name"}]`},
		{"add", `[{"operation":"add","property":"metadata","value":"7"}]`},
		{"nested metadata", `[{"operation":"set","property":"metadata.a.b","value":"7"}]`},
	} {
		w.record("patch refused: "+tt.name, "PATCH", id, tt.body)
	}
	w.record("delete", "DELETE", id, "")
	w.record("gone", "GET", id, "")
	w.golden("identities.golden")
}

func seventeen() string {
	var keys []string
	for i := range 17 {
		keys = append(keys, `"k`+string(rune('a'+i))+`":"v"`)
	}
	return strings.Join(keys, ",")
}

func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	ana := app + "/users/ana"
	w.record("unknown", "GET", ana, "")
	w.record("the badge of an unknown user", "GET", ana+"/badge", "")
	w.record("set it", "PUT", ana+"/badge", `{"external_unread_count":12}`)
	w.record("as set", "GET", ana+"/badge", "")
	w.record("no count", "PUT", ana+"/badge", `{}`)
	w.record("a fraction", "PUT", ana+"/badge", `{"external_unread_count":1.5}`)
	w.record("below 0", "PUT", ana+"/badge", `{"external_unread_count":-1}`)
	w.record("PATCH is not for badges", "PATCH", ana+"/badge", `[]`)
	w.conversation()
	w.record("known", "GET", ana, "")
	w.do("POST", ana+"/identity", `{"display_name":"Ana"}`)
	w.record("suspend", "PATCH", ana, `[{"operation":"set","property":"suspended","value":true}]`)
	w.record("suspended", "GET", ana, "")
	w.record("nothing on behalf of a suspended user", "GET", ana+"/conversations", "")
	w.record("end the suspension", "PATCH", ana, `[{"operation":"set","property":"suspended","value":false}]`)
	w.record("as before", "GET", ana+"/conversations?page_size=1", "")
	w.record("suspended that is no boolean", "PATCH", ana, `[{"operation":"set","property":"suspended","value":"yes"}]`)
	w.record("another property", "PATCH", ana, `[{"operation":"set","property":"name","value":"yes"}]`)
	w.record("end the sessions", "DELETE", ana+"/sessions", "")
	w.record("the time to live of sessions", "PATCH", app, `[{"operation":"set","property":"session_ttl_in_seconds","value":3600}]`)
	w.record("too short", "PATCH", app, `[{"operation":"set","property":"session_ttl_in_seconds","value":29}]`)
	w.record("too long", "PATCH", app, `[{"operation":"set","property":"session_ttl_in_seconds","value":31536001}]`)
	w.record("another property of an app", "PATCH", app, `[{"operation":"set","property":"name","value":"x"}]`)
	w.record("push", "POST", app+"/notifications", `{"recipients":["ana"],"notification":{"text":"hi","sound":"bell"}}`)
	w.record("push to nobody", "POST", app+"/notifications", `{"recipients":[],"notification":{"text":"hi"}}`)
	w.record("push nothing", "POST", app+"/notifications", `{"recipients":["ana"]}`)
	w.golden("users.golden")
}

func TestNotificationsTakeBothForms(t *testing.T) {
	t.Parallel()
	object := `{"text":"x","recipients":{"ana":{"text":"y","sound":"z"}}}`
	array := `{"title":"t","text":"x","category":"c","loc-args":["1"],"data":{"a":1},"apns":{"launch-image":"i"},"recipients":[{"user_id":"ana","text":"y"}]}`
	for _, tt := range []struct {
		name, notification, version string
		strict                      bool
		want                        int
	}{
		{"object in 1.0", object, "1.0", true, 201},
		{"array in 1.1", array, "1.1", true, 201},
		{"object in 1.1", object, "1.1", false, 201},
		{"array in 1.0", array, "1.0", false, 201},
		{"object in 1.1, strictly", object, "1.1", true, 422},
		{"array in 1.0, strictly", array, "1.0", true, 422},
		{"a recipient without id", `{"recipients":[{"text":"y"}]}`, "1.1", false, 422},
		{"a recipient that is no object", `{"recipients":["ana"]}`, "1.1", false, 422},
		{"arguments that are no strings", `{"loc-args":[1]}`, "1.1", false, 422},
		{"data that is no object", `{"data":"x"}`, "1.1", false, 422},
	} {
		w := newWire(t, layertest.WithConfig(layertest.Config{Switches: layertest.Switches{StrictRecipients: tt.strict}}))
		w.conversation()
		a := w.do("POST", app+"/conversations/"+convA+"/messages",
			`{"sender":{"user_id":"ana"},"parts":[{"mime_type":"a/b","body":"x"}],"notification":`+tt.notification+`}`,
			"Accept", "application/vnd.layer+json; version="+tt.version)
		if a.status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, a.status, a.body, tt.want)
		}
	}
}
