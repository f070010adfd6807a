package layer_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// TestPatchModelAndEmulatorAgree sends random patches, and keeps a conversation of
// its own by [layer.Patch.Apply].
func TestPatchModelAndEmulatorAgree(t *testing.T) {
	t.Parallel()
	server := layertest.NewServer(t)
	c, ctx := server.Client(t), t.Context()
	rapid.Check(t, func(t *rapid.T) {
		made, err := c.Conversations.Create(ctx, uuid.New(), layer.CreateConversationRequest{
			Participants: []string{"ana", "boris"}, Metadata: layer.Metadata{"a": "x", "b": map[string]any{"c": "y"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		model := map[string]any{
			"participants": []any{"ana", "boris"},
			"metadata":     map[string]any{"a": "x", "b": map[string]any{"c": "y"}},
		}
		for range rapid.IntRange(1, 4).Draw(t, "patches") {
			patch := drawPatch(t)
			next, refused := patch.Apply(model)
			err := c.Conversations.Edit(ctx, made.ID, patch)
			if refused != nil {
				if layer.CodeOf(err) != layer.CodeInvalidProperty {
					t.Fatalf("%v: the model says %v, the emulator %v", patch, refused, err)
				}
				next = model
			} else if err != nil {
				t.Fatalf("%v: the emulator says %v, the model nothing", patch, err)
			}
			model = next
			if diff := cmp.Diff(model, stored(ctx, t, c, made.ID, model)); diff != "" {
				t.Fatalf("after %v (-model +emulator):\n%s", patch, diff)
			}
		}
	})
}

// stored reads a conversation in the form of the model. Participants are a set.
func stored(ctx context.Context, t *rapid.T, c *layer.Client, id layer.ConversationID, model map[string]any) map[string]any {
	t.Helper()
	got, err := c.Conversations.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	ours, ok := model["participants"].([]any)
	if !ok {
		t.Fatalf("the model has participants %v", model["participants"])
	}
	byName := func(a, b any) int {
		if a.(string) < b.(string) { //nolint:errcheck // user ids are texts
			return -1
		}
		return 1
	}
	slices.SortFunc(ours, byName)
	theirs := make([]any, len(got.Participants))
	for i, user := range got.Participants {
		theirs[i] = user
	}
	slices.SortFunc(theirs, byName)
	return map[string]any{"participants": theirs, "metadata": map[string]any(got.Metadata)}
}

func drawPatch(t *rapid.T) layer.Patch {
	var patch layer.Patch
	for range rapid.IntRange(1, 3).Draw(t, "operations") {
		user := rapid.SampledFrom([]string{"ana", "boris", "chen", "a/b"}).Draw(t, "user")
		property := "metadata." + layer.PropertyPath(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "names")...)
		switch rapid.IntRange(0, 6).Draw(t, "operation") {
		case 0:
			patch = patch.Add("participants", user)
		case 1:
			patch = patch.Remove("participants", user)
		case 2:
			patch = patch.Set("participants", []string{"ana", "zoe"})
		case 3:
			patch = patch.Set(property, rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "text"))
		case 4:
			patch = patch.Set(property, layer.Metadata{"c": "z"})
		case 5:
			patch = patch.Delete(property)
		case 6:
			patch = patch.Set("metadata", layer.Metadata{"a": "w"})
		}
	}
	return patch
}
