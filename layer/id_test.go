package layer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
)

const (
	someUUID    = "0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f610"
	anotherUUID = "c25e8f04-93ab-4c77-b1de-58f06a1d2b39"
)

// parsers reads an id of every kind and gives its text forms.
var parsers = map[string]func(string) (uuid.UUID, string, error){
	"app": func(s string) (uuid.UUID, string, error) {
		id, err := ParseAppID(s)
		return id.UUID(), id.String(), err
	},
	"conversation": func(s string) (uuid.UUID, string, error) {
		id, err := ParseConversationID(s)
		return id.UUID(), id.String(), err
	},
	"message": func(s string) (uuid.UUID, string, error) {
		id, err := ParseMessageID(s)
		return id.UUID(), id.String(), err
	},
	"announcement": func(s string) (uuid.UUID, string, error) {
		id, err := ParseAnnouncementID(s)
		return id.UUID(), id.String(), err
	},
	"content": func(s string) (uuid.UUID, string, error) {
		id, err := ParseContentID(s)
		return id.UUID(), id.String(), err
	},
	"export": func(s string) (uuid.UUID, string, error) {
		id, err := ParseExportID(s)
		return id.UUID(), id.String(), err
	},
	"webhook": func(s string) (uuid.UUID, string, error) {
		id, err := ParseWebhookID(s)
		return id.UUID(), id.String(), err
	},
}

func TestParseIDs(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"app":          "layer:///apps/" + someUUID,
		"conversation": "layer:///conversations/" + someUUID,
		"message":      "layer:///messages/" + someUUID,
		"announcement": "layer:///announcements/" + someUUID,
		"content":      "layer:///content/" + someUUID,
		"export":       "layer:///exports/" + someUUID,
		"webhook":      someUUID,
	} {
		for _, given := range []string{text, someUUID, strings.ToUpper(someUUID)} {
			id, got, err := parsers[kind](given)
			if err != nil || id != uuid.MustParse(someUUID) || got != text {
				t.Errorf("%s id of %q is %v (%q), %v; want %q", kind, given, id, got, err, text)
			}
		}
	}
	for kind, given := range map[string]string{
		"app":     "layer:///apps/staging/" + someUUID,
		"webhook": "layer:///apps/" + anotherUUID + "/webhooks/" + someUUID,
	} {
		if id, _, err := parsers[kind](given); err != nil || id != uuid.MustParse(someUUID) {
			t.Errorf("%s id of %q is %v, %v", kind, given, id, err)
		}
	}
	if id, err := ParseAppID("layer:///apps/production/" + someUUID); err != nil || id.UUID() != uuid.MustParse(someUUID) {
		t.Errorf("production app: %v, %v", id, err)
	}
}

func TestParseIDsRefuses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                              "conversation: is empty; want a UUID or layer:///conversations/UUID",
		"notfound":                      `conversation: "notfound" is no conversation id; want a UUID or layer:///conversations/UUID`,
		"layer:///messages/" + someUUID: `conversation: "layer:///messages/` + someUUID + `" is the id of another kind (message); want a UUID or layer:///conversations/UUID`,
		"layer:///conversations/":       `conversation: "layer:///conversations/" is no conversation id; want a UUID or layer:///conversations/UUID`,
		"layer:///ships/" + someUUID:    `conversation: "layer:///ships/` + someUUID + `" is no conversation id; want a UUID or layer:///conversations/UUID`,
		uuid.Nil.String():               "conversation: is the nil UUID, which names nothing; want a UUID or layer:///conversations/UUID",
		strings.Repeat("x", 200):        `conversation: "` + strings.Repeat("x", 80) + `"... is no conversation id; want a UUID or layer:///conversations/UUID`,
	} {
		_, err := ParseConversationID(given)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", given, err, want)
		}
		if _, ok := errors.AsType[*FieldError](err); !ok {
			t.Errorf("%q: the error is no FieldError: %T", given, err)
		}
	}
	for _, given := range []string{
		"{" + someUUID + "}", "urn:uuid:" + someUUID, strings.ReplaceAll(someUUID, "-", ""), someUUID + "\n", " " + someUUID,
		"layer:///conversations/" + someUUID + "/messages", "layer:///conversations/x/" + someUUID, "LAYER:///conversations/" + someUUID,
		"0b7d9a66-51c2-4e0f-a8d1-7d3c4e92f61g", "layer://conversations/" + someUUID, "../" + someUUID[3:],
	} {
		if id, err := ParseConversationID(given); err == nil {
			t.Errorf("%q is taken for %v", given, id)
		}
	}
	for _, given := range []string{"layer:///webhooks/" + someUUID, "layer:///apps/x/webhooks/" + someUUID, "layer:///apps/" + someUUID} {
		if id, err := ParseWebhookID(given); err == nil {
			t.Errorf("webhook %q is taken for %v", given, id)
		}
	}
	for _, given := range []string{"layer:///apps/testing/" + someUUID, "layer:///conversations/" + someUUID, "layer:///apps/staging/staging/" + someUUID} {
		if id, err := ParseAppID(given); err == nil {
			t.Errorf("app %q is taken for %v", given, id)
		}
	}
}

func TestIDsInJSON(t *testing.T) {
	t.Parallel()
	type ids struct {
		Conversation ConversationID `json:"conversation"`
		Message      MessageID      `json:"message,omitzero"`
		Content      *ContentID     `json:"content"`
		Announcement AnnouncementID `json:"announcement,omitzero"`
		Export       ExportID       `json:"export,omitzero"`
		Webhook      WebhookID      `json:"webhook,omitzero"`
		App          AppID          `json:"app,omitzero"`
	}
	var got ids
	in := `{"conversation":"` + someUUID + `","message":null,"content":"layer:///content/` + anotherUUID + `","app":"` + anotherUUID + `"}`
	if err := json.Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(got)
	want := `{"conversation":"layer:///conversations/` + someUUID + `","content":"layer:///content/` + anotherUUID + `","app":"layer:///apps/` + anotherUUID + `"}`
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v; want %s", out, err, want)
	}
	if empty, err := json.Marshal(ConversationID{}); err != nil || string(empty) != `""` {
		t.Errorf("a missing id is %s, %v", empty, err)
	}
	for _, wrong := range []string{`{"conversation":""}`, `{"conversation":"layer:///messages/` + someUUID + `"}`, `{"webhook":"x"}`, `{"app":"x"}`, `{"export":7}`, `{"announcement":"-"}`} {
		if err := json.Unmarshal([]byte(wrong), &got); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func FuzzParseIDs(f *testing.F) {
	f.Add(someUUID)
	f.Add("layer:///apps/staging/" + someUUID)
	f.Add("layer:///conversations/" + someUUID)
	f.Add("layer:///messages/" + someUUID + "/parts/0")
	f.Add("layer:///apps/" + someUUID + "/webhooks/" + anotherUUID)
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for kind, parse := range parsers {
			id, text, err := parse(s)
			if err != nil {
				if len(err.Error()) > 600 {
					t.Errorf("%s: an error of %d bytes", kind, len(err.Error()))
				}
				continue
			}
			if !strings.HasSuffix(strings.ToLower(s), id.String()) {
				t.Errorf("%s: %q became %v", kind, s, id)
			}
			again, _, err := parse(text)
			if err != nil || again != id {
				t.Errorf("%s: %q is read as %v, %v; want %v", kind, text, again, err, id)
			}
		}
	})
}
