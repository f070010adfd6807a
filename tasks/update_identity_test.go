package tasks

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestUpdateIdentity(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	performTwice(t, srv.Client(t), someID, UpsertIdentity{User: "ana", Identity: layer.Identity{DisplayName: "Ana", AvatarURL: "https://a.example", Metadata: map[string]string{"berth": "1"}}})
	performTwice(t, srv.Client(t), someID, UpdateIdentity{User: "ana", Properties: map[string]any{"last_name": "Ives", "avatar_url": nil, "metadata.pier": "7"}})
	srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana", "last_name": "Ives", "metadata.berth": "1", "metadata.pier": "7"})
	performTwice(t, srv.Client(t), someID, UpdateIdentity{User: "ana", Properties: map[string]any{"metadata": map[string]any{"quay": "2"}}})
	srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana", "last_name": "Ives", "metadata.quay": "2"})
}

func TestUpdateIdentityNamesTheProperty(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, args, want string }{
		{"none", `{"user":"ana"}`, "properties: is missing or empty"},
		{"one that is unknown", `{"user":"ana","properties":{"nick":"a"}}`, `properties.nick: is "nick", which an identity does not have`},
		{"a number", `{"user":"ana","properties":{"last_name":5}}`, "properties.last_name: is a number, want a string"},
		{"the name taken away", `{"user":"ana","properties":{"display_name":null}}`, "properties.display_name: is display_name, which an identity must have"},
		{"a number in metadata", `{"user":"ana","properties":{"metadata":{"a":5}}}`, "properties.metadata.a: is a number, want a string"},
		{"a number in a key of metadata", `{"user":"ana","properties":{"metadata.a":5}}`, "properties.metadata.a: is a number, want a string"},
		{"nested metadata", `{"user":"ana","properties":{"metadata.a.b":"c"}}`, `properties.metadata.a.b: is "metadata.a.b"; the metadata of an identity is flat`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(TypeUpdateIdentity, []byte(c.args))
			if diff := cmp.Diff("tasks: identity:update: "+c.want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
