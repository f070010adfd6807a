package admin

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{
			"a message keeps ids and kinds, and loses texts",
			`{"v":1,"args":{"conversation":"layer:///conversations/01234567-89ab-4cde-8f01-23456789abcd","sender":{"user_id":"alice"},"parts":[{"mime_type":"text/plain","body":"Hello, you!"}],"notification":{"title":"New","text":"Hello","sound":"ping.aiff"}}}`,
			`{"args":{"conversation":"layer:///conversations/01234567-89ab-4cde-8f01-23456789abcd","notification":{"sound":"‹9 bytes›","text":"‹5 bytes›","title":"‹3 bytes›"},"parts":[{"body":"‹11 bytes›","mime_type":"text/plain"}],"sender":{"user_id":"‹5 bytes›"}},"v":1}`,
		},
		{
			"metadata and identities are hidden below any name",
			`{"v":1,"args":{"user":"alice","identity":{"display_name":"Alice","metadata":{"user":"x","message":"yes"}},"metadata":{"conversation":"secret"}}}`,
			`{"args":{"identity":{"display_name":"‹5 bytes›","metadata":{"message":"‹3 bytes›","user":"‹1 byte›"}},"metadata":{"conversation":"‹6 bytes›"},"user":"‹5 bytes›"},"v":1}`,
		},
		{"an unknown member is hidden until it is known", `{"v":1,"args":{"passphrase":"swordfish","pin":1234}}`, `{"args":{"passphrase":"‹9 bytes›","pin":"‹4 bytes›"},"v":1}`},
		{"users are hidden", `{"args":{"recipients":["a","b"],"distinct":true}}`, `{"args":{"distinct":true,"recipients":["‹1 byte›","‹1 byte›"]}}`},
		{"a text under the name of an id", `{"message":"Dear John, it is over"}`, `{"message":"‹21 bytes›"}`},
		{"a text behind an id", `{"id":"layer:///messages/01234567-89ab-4cde-8f01-23456789abcd Dear John"}`, `{"id":"‹64 bytes›"}`},
		{"texts under names of kinds", `{"mime_type":"to John","operation":"kiss","property":"John's","encoding":"x"}`, `{"encoding":"‹1 byte›","mime_type":"‹7 bytes›","operation":"‹4 bytes›","property":"‹6 bytes›"}`},
		{"a number under a shown name", `{"v":1,"user":5551234}`, `{"user":"‹7 bytes›","v":1}`},
		{"a text as a name", `{"Dear John":1,"It is over":{"id":"x"}}`, `{"‹name 1, 9 bytes›":"‹1 byte›","‹name 2, 10 bytes›":{"id":"‹1 byte›"}}`},
		{"a change of participants", `{"operations":[{"operation":"add","property":"participants","value":"alice"}]}`, `{"operations":[{"operation":"add","property":"participants","value":"‹5 bytes›"}]}`},
		{"the result of a message", `{"message_id":"layer:///messages/01234567-89ab-4cde-8f01-23456789abcd"}`, `{"message_id":"layer:///messages/01234567-89ab-4cde-8f01-23456789abcd"}`},
		{"an object under a shown name hides its members", `{"user":{"first":"Alice"}}`, `{"user":{"first":"‹5 bytes›"}}`},
		{"no JSON", `Hello, you!`, `"‹11 bytes, not JSON›"`},
		{"JSON and more", `{"v":1} secret`, `"‹14 bytes, not JSON›"`},
		{"not even text", "\xff\xfe\x00", `"‹3 bytes, not JSON›"`},
		{"a text alone", `"secret"`, `"‹6 bytes›"`},
		{"nothing", ``, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := mask([]byte(c.in)); got != c.want {
				t.Errorf("mask(%s)\n got %s\nwant %s", c.in, got, c.want)
			}
		})
	}
}

func TestMask_is_bounded(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"10,000 brackets":           strings.Repeat("[", 10_000),
		"5,000 brackets, closed":    strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
		"1 MiB":                     `{"body":"` + strings.Repeat("x", 1<<20) + `"}`,
		"30,000 recipients":         `{"recipients":["` + strings.Repeat(`a","`, 30_000) + `"]}`,
		"a long id":                 `{"conversation":"` + strings.Repeat("x", 100_000) + `"}`,
		"1,000 members":             "{" + strings.Repeat(`"a":1,`, 999) + `"b":2}`,
		"a member with a long name": `{"` + strings.Repeat("x", 100_000) + `":1}`,
	} {
		if got := mask([]byte(in)); len(got) > 4096 {
			t.Errorf("%s: %d bytes are shown", name, len(got))
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte(`{"v":1,"args":{"parts":[{"body":"secret"}]}}`))
	f.Add([]byte(`[[[[{"user":1e400}]]]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := mask(data); got != "" && !json.Valid([]byte(got)) {
			t.Errorf("mask(%q) is no JSON: %s", data, got)
		}
	})
}
