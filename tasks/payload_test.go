package tasks

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
)

const (
	conversation = `"conversation":"layer:///conversations/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"`
	validMessage = conversation + `,"sender":{"name":"harbour"},"parts":[{"mime_type":"text/plain","body":"tide is in"}]`
)

func TestNewNamesTheField(t *testing.T) {
	t.Parallel()
	const (
		message = TypeSendMessage
		create  = TypeCreateConversation
	)
	for _, c := range []struct{ name, taskType, args, want string }{
		{"an unknown arg", message, `{` + validMessage + `,"subject":"x"}`, "subject: is unknown; known here: conversation, sender, parts, notification"},
		{"an unknown member further down", message, `{` + validMessage + `,"notification":{"badge":1}}`, "notification.badge: is unknown; known here: title, text, sound, recipients, category, title-loc-key, title-loc-args, loc-key, loc-args, action-loc-key, data, apns"},
		{"a name in another case", message, `{"Conversation":"x"}`, "Conversation: is unknown; known here: conversation, sender, parts, notification"},
		{"an unprintable name", message, `{"\u0000\n":1}`, `["\x00\n"]: is unknown; known here: conversation, sender, parts, notification`},
		{"an arg given twice", message, `{` + validMessage + `,"sender":{"name":"b"}}`, "sender: is given twice"},
		{"a number where a string belongs", message, `{` + conversation + `,"parts":[{"mime_type":"a","body":"b"},{"mime_type":"a","body":5}]}`, "parts[1].body: is a number, must be a string"},
		{"a string where a boolean belongs", create, `{"participants":["a"],"distinct":"yes"}`, "distinct: is a string, must be a boolean"},
		{"a number that no program can hold", message, `{` + validMessage + `,"notification":{"data":{"n":[1e999]}}}`, "notification.data.n[0]: is a number out of range"},
		{"an object where a list belongs", message, `{"parts":{"0":1}}`, "parts: is an object, must be an array"},
		{"a number in metadata", create, `{"participants":["a"],"metadata":{"0":{"1":2}}}`, "metadata.0.1: is a number, Layer takes strings and objects of strings"},
		{"an id that is none", message, `{"conversation":"42"}`, `conversation: "42" is no conversation id; want a UUID or layer:///conversations/UUID`},
		{"an id of another kind", message, `{"conversation":"layer:///messages/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"}`, `conversation: "layer:///messages/0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610" is the id of another kind (message); want a UUID or layer:///conversations/UUID`},
		{"everything missing", message, `{}`, "conversation: is missing; sender: needs one of user_id and name; parts: is missing or empty"},
		{"null counts as absent", message, `{"conversation":null,"sender":null,"parts":null}`, "conversation: is missing; sender: needs one of user_id and name; parts: is missing or empty"},
		{"both senders", message, `{` + conversation + `,"sender":{"name":"a","user_id":"b"},"parts":[{"mime_type":"a","body":"b"}]}`, "sender: has both user_id and name, which exclude one another"},
		{"invalid UTF-8", message, `{` + conversation + `,"parts":[{"mime_type":"a","body":"secret` + "\xff" + `"}]}`, "parts[0].body: is not valid UTF-8 (byte 118)"},
		{"NUL", TypeBlockUser, `{"owner":"a","user":"b\u0000"}`, "user: contains a NUL character"},
		{"a raw control character", TypeBlockUser, `{"owner":"a","user":"` + "\x01" + `"}`, "user: is not valid JSON (byte 21)"},
		{"a body over 2 KB", message, `{` + conversation + `,"sender":{"name":"a"},"parts":[{"mime_type":"a","body":"` + strings.Repeat("x", 2049) + `"}]}`, "parts[0].body: is 2049 bytes, Layer takes at most 2048; upload it as rich content"},
		{"26 participants", create, `{"participants":["a"` + strings.Repeat(`,"b"`, 25) + `]}`, "participants: has 26 entries, Layer takes at most 25"},
		{"a user who sends an announcement", TypeSendAnnouncement, `{"recipients":["a"],"sender":{"user_id":"b"},"parts":[{"mime_type":"a","body":"b"}]}`, "sender.user_id: is not allowed in an announcement; give a name"},
		{"an identity without a name", TypeUpsertIdentity, `{"user":"a","identity":{}}`, "identity.display_name: is missing or empty"},
		{"a wrong text for one user", message, `{` + validMessage + `,"notification":{"recipients":{"a/b":{"text":1}}}}`, `notification.recipients["a/b"].text: is a number, must be a string`},
		{"something behind the object", TypeBlockUser, `{"owner":"a","user":"b"}{}`, "args: has something behind the JSON object (byte 24)"},
		{"an object cut off", TypeBlockUser, `{"owner":"a","user":`, "user: is cut off after byte 20"},
		{"no JSON", TypeBlockUser, `owner=a`, "args: is not valid JSON (byte 0)"},
		{"nothing", TypeBlockUser, ` `, "args: is empty, must be a JSON object"},
		{"a list", TypeBlockUser, `[]`, "args: is an array, must be an object"},
		{"a null", TypeBlockUser, ` null`, "args: is null, must be an object"},
		{"10,000 brackets", message, strings.Repeat("[", 10_000), "args: is an array, must be an object"},
		{"10,000 brackets in a free-form place", message, `{"notification":{"data":` + strings.Repeat(`{"a":`, 10_000), "notification.data.a.a.a.a.a.a...: is nested more than 10000 levels deep"},
		{"1 MiB", message, `{"parts":"` + strings.Repeat("x", 1<<20), "args: is 1048586 bytes, at most 262144 fit into a task"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			task, err := New(c.taskType, []byte(c.args))
			if task != nil {
				t.Errorf("got a task with the error: %v", task)
			}
			if diff := cmp.Diff("tasks: "+c.taskType+": "+c.want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			requireInvalid(t, err)
			if strings.Contains(errText(err), "secret") {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

func TestDecodeNamesTheField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, payload, want string }{
		{"a newer version", `{"v":2,"args":{"whom":"a"}}`, "v: is 2, this version reads 1 only: upgrade the workers and replay"},
		{"no version", `{"args":{}}`, "v: is missing, must be 1"},
		{"a version of another type", `{"v":"1","args":{}}`, "v: is a string, must be a number"},
		{"half a version", `{"v":1.5,"args":{}}`, "v: must be a whole number within its range"},
		{"no args", `{"v":1}`, "args: is missing"},
		{"args of another type", `{"v":1,"args":[]}`, "args: is an array, must be an object"},
		{"args that are null", `{"v":1,"args":null}`, "args: is null, must be an object"},
		{"an unknown member", `{"v":1,"args":{},"lane":"x"}`, "lane: is unknown; known here: v, args"},
		{"an unknown arg", `{"v":1,"args":{"why":1}}`, "args.why: is unknown; known here: owner, user"},
		{"an arg of another type", `{"v":1,"args":{"owner":1}}`, "args.owner: is a number, must be a string"},
		{"an arg that is not valid", `{"v":1,"args":{"owner":"a"}}`, "args.user: is missing or empty"},
		{"an arg given twice", `{"v":1,"args":{"user":"a","user":"a"}}`, "args.user: is given twice"},
		{"invalid UTF-8", `{"v":1,"args":{"user":"` + "\xff" + `"}}`, "args.user: is not valid UTF-8 (byte 23)"},
		{"nothing", "", "payload: is empty, must be a JSON object"},
		{"no JSON", "\x00garbage", "payload: is not valid JSON (byte 0)"},
		{"10,000 brackets", `{"v":1,"args":` + strings.Repeat("[", 10_000), "args[0][0][0][0][0][0][0]...: is nested more than 10000 levels deep"},
		{"1 MiB", strings.Repeat(" ", 1<<20), "payload: is 1048576 bytes, at most 262144 fit into a task"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			task, err := Decode(TypeBlockUser, []byte(c.payload))
			if task != nil {
				t.Errorf("got a task with the error: %v", task)
			}
			if diff := cmp.Diff("tasks: user:block: "+c.want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			requireInvalid(t, err)
		})
	}
}

// requireInvalid wants an error that programs can take apart.
func requireInvalid(t *testing.T, err error) {
	t.Helper()
	invalid, ok := errors.AsType[*InvalidError](err)
	if !ok {
		t.Fatalf("%T is no *InvalidError", err)
	}
	if _, ok := errors.AsType[*layer.FieldError](err); !ok || len(invalid.Fields()) == 0 {
		t.Errorf("%v names no field", err)
	}
}

func TestErrorTextsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, taskType, args, want string }{
		{"many fields", TypeSendMessage, `{` + conversation + `,"sender":{"name":"a"},"parts":[{}` + strings.Repeat(`,{}`, 9_999) + `]}`, "; and 19992 more"},
		{"a deep field", TypeCreateConversation, `{"participants":["a"],"metadata":` + strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_001), "a.a.a.a: is nested more than 500 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(c.taskType, []byte(c.args))
			if text := errText(err); !strings.HasSuffix(text, c.want) || len(text) > 1_000 {
				t.Errorf("%d bytes: %.1000s", len(text), text)
			}
		})
	}
}

func TestEncodeIsCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, taskType, a, b string }{
		{"order of members and white space", TypeBlockUser, `{"owner":"a","user":"b"}`, " {\n\"user\": \"b\", \"owner\":\"a\"}"},
		{"escapes", TypeBlockUser, `{"owner":"<é>","user":"b"}`, `{"owner":"\u003c\u00e9\u003e","user":"b"}`},
		{"both forms of an id", TypeSendMessage, `{` + validMessage + `}`, `{` + strings.Replace(validMessage, "layer:///conversations/0b7d9a66", "0B7D9A66", 1) + `}`},
		{"null and absent", TypeSendMessage, `{` + validMessage + `}`, `{` + validMessage + `,"notification":null}`},
		{"order of metadata", TypeCreateConversation, `{"participants":["a"],"metadata":{"x":"1","y":{"a":"2","b":"3"}}}`, `{"participants":["a"],"metadata":{"y":{"b":"3","a":"2"},"x":"1"}}`},
		{"a default said", TypeCreateConversation, `{"participants":["a"]}`, `{"participants":["a"],"distinct":false}`},
		{"both shapes of overrides", TypeSendMessage, `{` + validMessage + `,"notification":{"recipients":[{"user_id":"a","text":"x"}]}}`, `{` + validMessage + `,"notification":{"recipients":{"a":{"text":"x"}}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(encoded(t, c.taskType, c.a), encoded(t, c.taskType, c.b)); diff != "" {
				t.Errorf("(-a +b):\n%s", diff)
			}
		})
	}
}

func TestEmptyMetadataIsNotAbsent(t *testing.T) {
	t.Parallel()
	// Layer compares the metadata of a distinct conversation only where it is given.
	if a, b := encoded(t, TypeCreateConversation, `{"participants":["a"]}`), encoded(t, TypeCreateConversation, `{"participants":["a"],"metadata":{}}`); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestWholeNumbersStayWhole(t *testing.T) {
	t.Parallel()
	got := encoded(t, TypeSendMessage, `{`+validMessage+`,"notification":{"data":{"debt":-9007199254740993,"order":12345678901234567890,"price":1.10}}}`)
	if want := `"data":{"debt":-9007199254740993,"order":12345678901234567890,"price":1.1}`; !strings.Contains(got, want) {
		t.Errorf("%s\nlacks %s", got, want)
	}
}

func encoded(t *testing.T, taskType, args string) string {
	t.Helper()
	task, err := New(taskType, []byte(args))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := Encode(task)
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

func TestEncodeRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	parts := make([]Part, 200)
	for i := range parts {
		parts[i] = Text(strings.Repeat("x", 2048))
	}
	task := SendMessage{Conversation: layer.ConversationID{1}, Sender: layer.FromName("a"), Parts: parts}
	if err := task.Validate(); err != nil {
		t.Fatal(err)
	}
	_, err := Encode(task)
	if want := "tasks: message:send: payload: is 417125 bytes, at most 262144 fit into a task"; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Encode(BlockUser{Owner: "\xff", User: "b"})
	if want := "tasks: user:block: args: cannot be written as JSON: is all of its text valid UTF-8?"; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
