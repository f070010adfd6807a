package tasks

import (
	"testing"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestSendAnnouncement(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	result := performTwice(t, srv.Client(t), someID, SendAnnouncement{
		Recipients:   []string{"ana", "chen"},
		Sender:       layer.FromName("harbour"),
		Parts:        []Part{Text("pier 7 closed")},
		Notification: &layer.Notification{Text: "pier 7"},
	})
	if want := (Result{AnnouncementID: layer.AnnouncementID(someID)}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
	srv.WantAnnouncements(t, "ana", "pier 7 closed")
	srv.WantAnnouncements(t, "chen", "pier 7 closed")
}
