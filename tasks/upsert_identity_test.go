package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestUpsertIdentity(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	full := layer.Identity{DisplayName: "Ana", LastName: "Ives", Metadata: map[string]string{"berth": "12"}}
	performTwice(t, srv.Client(t), someID, UpsertIdentity{User: "ana", Identity: full})
	srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana", "last_name": "Ives", "metadata.berth": "12"})
	performTwice(t, srv.Client(t), someID, UpsertIdentity{User: "ana", Identity: layer.Identity{DisplayName: "Ana I."}})
	srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana I."})
}
