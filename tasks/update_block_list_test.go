package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestUpdateBlockList(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	performTwice(t, srv.Client(t), someID, UpdateBlockList{Owner: "ana", Operations: layer.Patch{}.Set("blocks", []string{"dora", "chen"}).Add("blocks", "boris").Remove("blocks", "chen")})
	srv.WantBlocks(t, "ana", "boris", "dora")
	performTwice(t, srv.Client(t), someID, UpdateBlockList{Owner: "ana", Operations: layer.Patch{}.Set("blocks", []string{})})
	srv.WantBlocks(t, "ana")
}
