package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

func TestBlockAndUnblockUser(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	if got := performTwice(t, srv.Client(t), someID, BlockUser{Owner: "team/7", User: "ünal+%"}); got != (Result{}) {
		t.Errorf("result %+v", got)
	}
	performTwice(t, srv.Client(t), someID, BlockUser{Owner: "team/7", User: "boris"})
	srv.WantBlocks(t, "team/7", "boris", "ünal+%")
	performTwice(t, srv.Client(t), someID, UnblockUser{Owner: "team/7", User: "ünal+%"})
	srv.WantBlocks(t, "team/7", "boris")
}
