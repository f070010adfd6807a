package tasks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
)

func TestSourcesAreCheckedAtTheDoor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, part, want string }{
		{"https", `"source":"https://example.com/a.png?signature=x"`, ""},
		{"a file", `"source":"file:///srv/a%20b.png"`, ""},
		{"data", `"source":"data:;base64,aGVsbG8="`, ""},
		{"a body beside", `"body":"x","source":"https://example.com/a.png"`, "parts[0].source: stands in place of body and encoding; leave one out"},
		{"neither", `"encoding":"base64"`, "parts[0].body: is missing or empty"},
		{"http", `"source":"http://example.com/a.png"`, `parts[0].source: has the scheme "http"; want https:, file: or data:`},
		{"a path", `"source":"/srv/a.png"`, "parts[0].source: has no scheme; want https:, file: or data:"},
		{"no host", `"source":"https:///a.png"`, "parts[0].source: has no host"},
		{"no URL", `"source":"https://exa mple.com/%zz"`, "parts[0].source: is no URL"},
		{"a password", `"source":"https://user:secret@example.com/"`, "parts[0].source: holds a user; a password would lie open in the queue"},
		{"a relative file", `"source":"file:a.png"`, "parts[0].source: has no absolute path; want file:///absolute/path"},
		{"a file of another host", `"source":"file://nas/a.png"`, "parts[0].source: names a host; want file:///absolute/path"},
		{"a file with a query", `"source":"file:///a.png?x"`, "parts[0].source: has something behind the path; write ? as %3F and # as %23"},
		{"a file with NUL", `"source":"file:///a%00.png"`, "parts[0].source: has no absolute path; want file:///absolute/path"},
		{"NUL", `"source":"https://example.com/\u0000"`, "parts[0].source: is no URL"},
		{"data of another form", `"source":"data:text/plain,hello"`, "parts[0].source: is a data: URL of another form; want data:;base64,..."},
		{"data that is no base64", `"source":"data:;base64,secret!"`, "parts[0].source: is not base64 (standard alphabet, padded)"},
		{"data that is empty", `"source":"data:;base64,"`, "parts[0].source: is empty"},
		{"too long", `"source":"https://example.com/` + strings.Repeat("x", 2048) + `"`, "parts[0].source: is 2068 bytes, at most 2048 are taken"},
		{"a type that no header can have", `"mime_type":"a\nb","source":"https://example.com/"`, "parts[0].mime_type: contains control characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(c.part, "mime_type") {
				c.part = `"mime_type":"image/png",` + c.part
			}
			_, err := New(TypeSendMessage, []byte(`{`+conversation+`,"sender":{"name":"a"},"parts":[{`+c.part+`}]}`))
			want := c.want
			if want != "" {
				want = "tasks: message:send: " + want
			}
			if diff := cmp.Diff(want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(errText(err), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnnouncementsTakeNoSource(t *testing.T) {
	t.Parallel()
	task := SendAnnouncement{Recipients: []string{"ana"}, Sender: layer.FromName("a"), Parts: []Part{Text("x"), {MIMEType: "image/png", Source: "https://example.com/a.png"}}}
	want := "parts[1].source: is not allowed in an announcement; give a body of at most 2048 bytes"
	if err := task.Validate(); errText(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
