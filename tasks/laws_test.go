package tasks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/layer"
)

// anyText is text as applications have it, now and then with what is refused.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z]{1,8}`),
		rapid.StringN(0, 12, -1),
		rapid.SampledFrom([]string{"", "\x00", "\xff", "a\u2028b", "<&>", "\"\\", "é", "🌊", strings.Repeat("x", 2049)}),
	)
}

func anyParts() *rapid.Generator[[]Part] {
	part := rapid.Custom(func(t *rapid.T) Part {
		return Part{
			MIMEType: anyText().Draw(t, "mime_type"),
			Body:     anyText().Draw(t, "body"),
			Encoding: rapid.SampledFrom([]string{"", "base64", "gzip"}).Draw(t, "encoding"),
			Source:   rapid.SampledFrom([]string{"", "", "https://example.com/a", "file:///a", "data:;base64,aGVsbG8=", "http://example.com"}).Draw(t, "source"),
		}
	})
	source := rapid.Just(Part{MIMEType: "image/png", Source: "https://example.com/a?b=c"})
	return rapid.SliceOfN(rapid.OneOf(part, source, rapid.Map(rapid.StringMatching(`[a-z]{1,8}`), Text)), 0, 3)
}

func anyID() *rapid.Generator[uuid.UUID] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) uuid.UUID { return uuid.UUID(b) })
}

func anySender() *rapid.Generator[layer.Sender] {
	return rapid.OneOf(
		rapid.Map(rapid.StringMatching(`[a-z]{1,8}`), layer.FromName),
		rapid.Custom(func(t *rapid.T) layer.Sender {
			return layer.Sender{UserID: anyText().Draw(t, "user_id"), Name: anyText().Draw(t, "name")}
		}),
	)
}

func anyNotification() *rapid.Generator[*layer.Notification] {
	return rapid.Ptr(rapid.Custom(func(t *rapid.T) layer.Notification {
		n := layer.Notification{Title: anyText().Draw(t, "title"), Text: anyText().Draw(t, "text"), LocArgs: rapid.SliceOfN(anyText(), 0, 2).Draw(t, "loc-args")}
		for _, user := range rapid.SliceOfN(anyText(), 0, 2).Draw(t, "recipients") {
			n.Recipients = append(n.Recipients, layer.Override{UserID: user, Sound: anyText().Draw(t, "sound")})
		}
		if rapid.Bool().Draw(t, "data") {
			n.Data = map[string]any{anyText().Draw(t, "key"): []any{rapid.Int64().Draw(t, "n"), rapid.Float64().Draw(t, "x"), anyText().Draw(t, "s"), nil, true}}
		}
		return n
	}), true)
}

func anyMetadata(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		m := map[string]any{}
		for _, key := range rapid.SliceOfN(rapid.StringMatching(`[a-z_-]{1,3}|[a ]{1,2}`), 0, 3).Draw(t, "keys") {
			if depth > 0 && rapid.Bool().Draw(t, "nested") {
				m[key] = anyMetadata(depth-1).Draw(t, "object")
			} else {
				m[key] = anyText().Draw(t, "value")
			}
		}
		return m
	})
}

// anyTask draws tasks of every type, most of them valid.
func anyTask() *rapid.Generator[Task] {
	return rapid.Custom(func(t *rapid.T) Task {
		switch rapid.SampledFrom(typeNames()).Draw(t, "type") {
		case TypeSendMessage:
			return SendMessage{Conversation: layer.ConversationID(anyID().Draw(t, "id")), Sender: anySender().Draw(t, "sender"), Parts: anyParts().Draw(t, "parts"), Notification: anyNotification().Draw(t, "notification")}
		case TypeSendAnnouncement:
			return SendAnnouncement{Recipients: rapid.SliceOfN(anyText(), 0, 3).Draw(t, "recipients"), Sender: anySender().Draw(t, "sender"), Parts: anyParts().Draw(t, "parts"), Notification: anyNotification().Draw(t, "notification")}
		case TypeCreateConversation:
			c := CreateConversation{Participants: rapid.SliceOfN(anyText(), 0, 27).Draw(t, "participants"), Distinct: rapid.Bool().Draw(t, "distinct")}
			if rapid.Bool().Draw(t, "with metadata") {
				c.Metadata = anyMetadata(2).Draw(t, "metadata")
			}
			return c
		case TypeBlockUser:
			return BlockUser{Owner: anyText().Draw(t, "owner"), User: anyText().Draw(t, "user")}
		case TypeUnblockUser:
			return UnblockUser{Owner: anyText().Draw(t, "owner"), User: anyText().Draw(t, "user")}
		case TypeUpdateConversation:
			patch := layer.Patch{}.Add("participants", anyText().Draw(t, "add"))
			for _, key := range rapid.SliceOfN(rapid.StringMatching(`[a-z_.-]{1,4}`), 0, 2).Draw(t, "keys") {
				patch = patch.Set("metadata."+key, anyText().Draw(t, "value")).Delete("metadata." + key)
			}
			return UpdateConversation{Conversation: layer.ConversationID(anyID().Draw(t, "id")), Operations: patch}
		case TypeUpdateIdentity:
			return UpdateIdentity{User: anyText().Draw(t, "user"), Properties: map[string]any{
				rapid.SampledFrom([]string{"display_name", "last_name", "metadata.a", "metadata", "x"}).Draw(t, "name"): rapid.OneOf(rapid.Map(anyText(), func(s string) any { return s }), rapid.Just[any](nil)).Draw(t, "value"),
			}}
		case TypeSetBadge:
			return SetBadge{User: anyText().Draw(t, "user"), ExternalUnreadCount: rapid.Ptr(rapid.IntRange(-1, 5), true).Draw(t, "count")}
		default:
			return UpsertIdentity{User: anyText().Draw(t, "user"), Identity: layer.Identity{
				DisplayName: anyText().Draw(t, "name"), PublicKey: anyText().Draw(t, "key"),
				Metadata: rapid.MapOfN(anyText(), anyText(), 0, 2).Draw(t, "metadata"),
			}}
		}
	})
}

// What Enqueue accepts, a worker takes and understands as the same.
func TestLawWhatIsValidSurvivesTheQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		task := anyTask().Draw(t, "task")
		if task.Validate() != nil {
			return
		}
		payload, err := Encode(task)
		if err != nil {
			t.Fatalf("valid, but: %v", err)
		}
		decoded, err := Decode(task.Type(), payload)
		if err != nil {
			t.Fatalf("valid, but of %s: %v", payload, err)
		}
		again, err := Encode(decoded)
		if err != nil || string(again) != string(payload) {
			t.Fatalf("encoded again %s, %v, want %s", again, err, payload)
		}
		// Free-form values may have another Go type once they are decoded; their JSON is compared above.
		if diff := cmp.Diff(task, decoded, cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(layer.Notification{}, "Data"), cmpopts.IgnoreFields(CreateConversation{}, "Metadata")); diff != "" {
			t.Fatalf("decoded (-want +got):\n%s", diff)
		}
	})
}

// Validate, New and Decode refuse the same tasks for the same fields.
func TestLawNewAndDecodeAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		task := anyTask().Draw(t, "task")
		payload, err := Encode(task)
		if err != nil {
			return // not UTF-8: it cannot come by this way
		}
		args := payload[len(`{"v":1,"args":`) : len(payload)-1]
		_, newErr := New(task.Type(), args)
		_, decodeErr := Decode(task.Type(), payload)
		fields := func(err error) (all []string) {
			for _, f := range layer.FieldErrors(err) {
				all = append(all, strings.TrimPrefix(f.Field, "args."))
			}
			return all
		}
		if diff := cmp.Diff(fields(newErr), fields(decodeErr)); diff != "" {
			t.Fatalf("New and Decode (-new +decode):\n%s", diff)
		}
		if valid := task.Validate() == nil; valid != (newErr == nil) {
			t.Fatalf("valid: %v, but New says %v", valid, newErr)
		}
	})
}
