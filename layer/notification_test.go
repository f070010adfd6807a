package layer_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/layer"
)

func TestNotificationShapes(t *testing.T) {
	t.Parallel()
	full := layer.Notification{
		Title: "Harbour", Text: "tide is in", Sound: "bell.aiff",
		Recipients: layer.Overrides{{UserID: "boris", Text: "the tide is in, Boris"}, {UserID: "ana", Title: "t", Sound: "horn.aiff"}, {UserID: "chen"}},
		Category:   "tide", TitleLocKey: "TITLE", TitleLocArgs: []string{"a"}, LocKey: "TEXT", LocArgs: []string{"b", "c"}, ActionLocKey: "ACT",
		Data: map[string]any{"berth": 12, "nested": map[string]any{"a": nil}}, APNS: &layer.APNS{LaunchImage: "tide.png"},
	}
	for _, version := range []string{layer.Version10, layer.Version11} {
		f := newFake(t, answer(202, ""))
		c := f.client(t, layer.WithVersion(version))
		if err := c.Notifications.Send(t.Context(), uuid.Nil, layer.SendNotificationRequest{Recipients: []string{"ana", "boris", "chen"}, Notification: full}); err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(f.body(0)), &body); err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(body, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "notification-"+version+".golden.json", append(text, '\n'))
	}
}

func TestOverridesAreReadFromBothShapes(t *testing.T) {
	t.Parallel()
	want := layer.Overrides{{UserID: "ana", Text: "x"}, {UserID: "boris", Title: "t", Sound: "s"}}
	for _, text := range []string{
		`{"recipients":{"boris":{"sound":"s","title":"t"},"ana":{"text":"x"}}}`,
		`{"recipients": [{"user_id":"ana","text":"x"},{"user_id":"boris","title":"t","sound":"s"}]}`,
	} {
		var n layer.Notification
		if err := json.Unmarshal([]byte(text), &n); err != nil || !cmp.Equal(n.Recipients, want) {
			t.Errorf("%s: %v, %v", text, n.Recipients, err)
		}
	}
	var n layer.Notification
	if err := json.Unmarshal([]byte(`{"recipients":null}`), &n); err != nil || n.Recipients != nil {
		t.Errorf("null: %v, %v", n.Recipients, err)
	}
	for _, wrong := range []string{`{"recipients":[{"user":"ana"}]}`, `{"recipients":{"ana":{"txt":"x"}}}`, `{"recipients":"ana"}`, `{"recipients":{"ana":"x"}}`} {
		if err := json.Unmarshal([]byte(wrong), &n); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
