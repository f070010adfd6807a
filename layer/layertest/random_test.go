package layertest_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/layerq/layerq/layer/layertest"
)

// unreachable is a network without anybody in it.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

// TestTimeBasedIDs makes one of everything to which the service gives an id.
func TestTimeBasedIDs(t *testing.T) {
	t.Parallel()
	_, key := exportKey(t, 2048)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ids := func(seed uint64) []string {
			e := layertest.New(layertest.Config{
				Seed: seed, Switches: layertest.Switches{TimeBasedIDs: true},
				WebhookClient: &http.Client{Transport: unreachable{}},
			})
			defer e.Close()
			conversation := parse[struct{ ID string }](t, direct(t, e, "POST", app+"/conversations", `{"participants":["ana"]}`).body).ID
			direct(t, e, "PUT", app+"/export_security", key)
			direct(t, e, "PUT", app+"/export_schedule", `{"interval":"daily"}`)
			synctest.Wait()
			out := []string{conversation}
			for _, ask := range []struct{ path, body, accept string }{
				{"/conversations/" + idIn(conversation) + "/messages", textFrom("ana", "x"), layerJSON},
				{"/conversations/" + idIn(conversation) + "/content", "", layerJSON},
				{"/announcements", `{"recipients":["ana"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`, layerJSON},
				{"/webhooks", registration("https://a.example", `"message.sent"`), hooksJSON},
				{"/exports", "", layerJSON},
			} {
				a := direct(t, e, "POST", app+ask.path, ask.body, "Accept", ask.accept, "Upload-Content-Type", "a/b", "Upload-Content-Length", "3")
				out = append(out, parse[struct{ ID string }](t, a.body).ID)
				synctest.Wait() // a webhook's verification draws from the same seed
			}
			for _, text := range out {
				id, err := uuid.Parse(idIn(text))
				if err != nil || id.Version() != 1 || id.Variant() != uuid.RFC4122 {
					t.Errorf("%s: got %s, %v, want a time-based UUID", text, id.Version(), err)
					continue
				}
				if at := time.Unix(id.Time().UnixTime()); !at.Equal(began) {
					t.Errorf("%s is of %v, want %v", text, at, began)
				}
				if id.NodeID()[0]&1 == 0 {
					t.Errorf("%s has the hardware address %x in it", text, id.NodeID())
				}
			}
			if sorted := slices.Sorted(slices.Values(out)); len(slices.Compact(sorted)) != len(out) {
				t.Errorf("at one time the ids are %v, want others", out)
			}
			return out
		}
		first := ids(7)
		if diff := cmp.Diff(first, ids(7)); diff != "" {
			t.Errorf("with the same seed at the same time (-first +second):\n%s", diff)
		}
		if slices.Equal(first, ids(8)) {
			t.Error("another seed gives the same ids")
		}

		e := layertest.New(layertest.Config{Switches: layertest.Switches{TimeBasedIDs: true}})
		defer e.Close()
		direct(t, e, "PUT", app+"/export_security", key)
		direct(t, e, "PUT", app+"/export_schedule", `{"interval":"daily"}`)
		time.Sleep(25 * time.Hour) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		list := parse[[]exportJSON](t, direct(t, e, "GET", app+"/exports", "").body)
		if len(list) != 1 || uuid.MustParse(idIn(list[0].ID)).Version() != 1 {
			t.Errorf("got %+v, want one export with a time-based id", list)
		}
	})
}

// idIn returns the UUID in a layer:/// URL.
func idIn(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }
