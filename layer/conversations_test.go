package layer_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
)

const conversationAnswer = `{"id":"layer:///conversations/` + convUUID + `","url":"u","messages_url":"m","created_at":"2016-03-08T09:15:02.417Z",` +
	`"participants":["boris","ana"],"distinct":true,"metadata":{"topic":"harbour","pier":{"number":"7"}}}`

func aConversation() *layer.Conversation {
	return &layer.Conversation{
		ID: conv, URL: "u", MessagesURL: "m", CreatedAt: time.Date(2016, 3, 8, 9, 15, 2, 417e6, time.UTC),
		Participants: []string{"boris", "ana"}, Distinct: true,
		Metadata: layer.Metadata{"topic": "harbour", "pier": map[string]any{"number": "7"}},
	}
}

func TestCreateConversation(t *testing.T) {
	t.Parallel()
	req := layer.CreateConversationRequest{Participants: []string{"ana", "boris"}, Distinct: true, Metadata: layer.Metadata{"topic": "x"}}
	conflict := answer(409, `{"id":"conflict","code":108,"message":"found","data":`+conversationAnswer+`}`)
	for name, c := range map[string]struct {
		answers  []http.HandlerFunc
		dedupe   uuid.UUID
		existing bool
		conflict bool
	}{
		"201 made it":                              {[]http.HandlerFunc{answer(201, conversationAnswer)}, dedupe, false, false},
		"200 found it":                             {[]http.HandlerFunc{answer(200, conversationAnswer, "Location", "/x")}, dedupe, true, false},
		"200 found it, without a UUID":             {[]http.HandlerFunc{answer(200, conversationAnswer)}, uuid.Nil, true, false},
		"200 for our own UUID made it":             {[]http.HandlerFunc{answer(200, conversationAnswer)}, conv.UUID(), false, false},
		"409 with our UUID made it":                {[]http.HandlerFunc{answer(409, `{"id":"id_in_use","code":111,"data":`+conversationAnswer+`}`)}, conv.UUID(), false, false},
		"303 found it, until September 2015":       {[]http.HandlerFunc{answer(303, "", "Location", "/apps/"+appUUID+"/conversations/"+convUUID), answer(200, conversationAnswer)}, dedupe, true, false},
		"409 found it, with other metadata":        {[]http.HandlerFunc{conflict}, dedupe, false, true},
		"409 under the name of June 2015 the same": {[]http.HandlerFunc{answer(409, `{"id":"resource_conflict","code":108,"data":`+conversationAnswer+`}`)}, dedupe, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newFake(t, c.answers...).client(t).Conversations.Create(t.Context(), c.dedupe, req)
			want := aConversation()
			if c.conflict {
				if !errors.Is(err, layer.CodeConflict) {
					t.Fatalf("got %v", err)
				}
				var ok bool
				if got, ok = layer.ExistingConversation(err); !ok {
					t.Fatal("the existing conversation is not in the error")
				}
				want.Existing = true
			} else if err != nil {
				t.Fatal(err)
			}
			want.Existing = want.Existing || c.existing
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExistingConversationOfOtherErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		nil, errors.New("x"), &layer.Error{Code: layer.CodeNotFound}, &layer.Error{Code: layer.CodeConflict},
		&layer.Error{Code: layer.CodeConflict, Data: []byte(`{"id":7}`)}, &layer.Error{Code: layer.CodeConflict, Data: []byte(`{}`)},
		&layer.Error{Code: layer.CodeIDInUse, Data: []byte(conversationAnswer)},
	} {
		if found, ok := layer.ExistingConversation(err); ok || found != nil {
			t.Errorf("%v has %v", err, found)
		}
	}
}

func TestCreateConversationBodies(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(201, conversationAnswer))
	c := f.client(t)
	for i, want := range []string{
		`{"participants":["ana"]}`,
		`{"participants":["ana"],"metadata":{}}`,
		`{"participants":["ana"],"distinct":true,"metadata":{"a":{"b":"c"}}}`,
	} {
		req := []layer.CreateConversationRequest{
			{Participants: []string{"ana"}},
			{Participants: []string{"ana"}, Metadata: layer.Metadata{}},
			{Participants: []string{"ana"}, Distinct: true, Metadata: layer.Metadata{"a": map[string]string{"b": "c"}}},
		}[i]
		if _, err := c.Conversations.Create(t.Context(), uuid.Nil, req); err != nil {
			t.Fatal(err)
		}
		if f.body(i) != want {
			t.Errorf("got %s, want %s", f.body(i), want)
		}
	}
}

func TestConversationEdits(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""))
	c := f.client(t).Conversations
	for want, edit := range map[string]func() error{
		`[{"operation":"set","property":"metadata.berth","value":"3"},{"operation":"set","property":"metadata.pier","value":{"number":"8"}},{"operation":"set","property":"metadata.topic","value":"x"}]`: func() error {
			return c.SetMetadata(t.Context(), conv, map[string]any{"topic": "x", "metadata.pier": layer.Metadata{"number": "8"}, "berth": "3"})
		},
		`[{"operation":"delete","property":"metadata.pier.number"},{"operation":"delete","property":"metadata.topic"}]`: func() error {
			return c.DeleteMetadata(t.Context(), conv, "pier.number", "metadata.topic")
		},
		`[{"operation":"add","property":"participants","value":"chen"},{"operation":"add","property":"participants","value":"dora"}]`: func() error {
			return c.AddParticipants(t.Context(), conv, "chen", "dora")
		},
		`[{"operation":"remove","property":"participants","value":"chen"}]`: func() error {
			return c.RemoveParticipants(t.Context(), conv, "chen")
		},
		`[{"operation":"set","property":"participants","value":["ana","chen"]}]`: func() error {
			return c.ReplaceParticipants(t.Context(), conv, "ana", "chen")
		},
		`[{"operation":"set","property":"anything.at.all","value":7}]`: func() error {
			return c.Edit(t.Context(), conv, layer.Patch{}.Set("anything.at.all", 7))
		},
	} {
		before := len(f.seen())
		if err := edit(); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if r := f.seen()[before]; f.body(before) != want || r.Method != http.MethodPatch || r.RequestURI != "/apps/"+appUUID+"/conversations/"+convUUID {
			t.Errorf("got  %s %s %s\nwant %s", r.Method, r.RequestURI, f.body(before), want)
		}
	}
	before := len(f.seen())
	for want, edit := range map[string]func() error{
		"metadata: is missing or empty":                                         func() error { return c.SetMetadata(t.Context(), conv, nil) },
		"metadata: is missing or empty ":                                        func() error { return c.DeleteMetadata(t.Context(), conv) },
		"metadata.a: is a number, Layer takes strings and objects of strings":   func() error { return c.SetMetadata(t.Context(), conv, map[string]any{"a": 1}) },
		"metadata.a..b: has an empty key, or more than 500":                     func() error { return c.DeleteMetadata(t.Context(), conv, "a..b") },
		"metadata.a\xff: is not valid UTF-8":                                    func() error { return c.DeleteMetadata(t.Context(), conv, "a\xff") },
		"participants: is missing or empty":                                     func() error { return c.AddParticipants(t.Context(), conv) },
		"participants[0]: is missing or empty":                                  func() error { return c.RemoveParticipants(t.Context(), conv, "") },
		"participants: is missing or empty ":                                    func() error { return c.ReplaceParticipants(t.Context(), conv) },
		"conversation: is missing":                                              func() error { return c.Edit(t.Context(), layer.ConversationID{}, layer.Patch{}.Delete("x")) },
		"operations: has no operations":                                         func() error { return c.Edit(t.Context(), conv, nil) },
		"operations[0].operation: is \"move\", want add, remove, set or delete": func() error { return c.Edit(t.Context(), conv, layer.Patch{{Action: "move", Property: "x"}}) },
		"mode: is \"\", want my_devices, leave or all_participants":             func() error { return c.DeleteAsUser(t.Context(), "ana", conv, "") },
		"sort_by: is \"name\", want created_at or last_message": func() error {
			_, err := c.ListAsUser(t.Context(), "ana", layer.ConversationListOptions{SortBy: "name"})
			return err
		},
		"page_size: is 101, want 1 to 100, or 0 for Layer's default": func() error {
			_, err := c.ListAsUser(t.Context(), "ana", layer.ConversationListOptions{PageSize: 101})
			return err
		},
	} {
		fields := layer.FieldErrors(edit())
		if len(fields) != 1 || fields[0].Error() != want && fields[0].Error()+" " != want {
			t.Errorf("got %v, want %s", fields, want)
		}
	}
	if len(f.seen()) != before {
		t.Error("something wrong was sent")
	}
}

func TestDeleteAsUser(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer(204, ""))
	c := f.client(t).Conversations
	for i, how := range []layer.UserDelete{layer.DeleteForUser, layer.DeleteAndLeave, layer.DeleteForEveryone} {
		if err := c.DeleteAsUser(t.Context(), "a/b", conv, how); err != nil {
			t.Fatal(err)
		}
		want := "/apps/" + appUUID + "/users/a%2Fb/conversations/" + convUUID + []string{"?leave=false&mode=my_devices", "?leave=true&mode=my_devices", "?mode=all_participants"}[i]
		if got := f.seen()[i].RequestURI; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
