package layertest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/layerq/layerq/layer/layertest"
)

// TestEveryRouteAtOnce lets callers meet on few resources, for the race
// detector; and no answer is a failure of the emulator's own.
func TestEveryRouteAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := layertest.Open(dir, layertest.Config{Seed: 1, Switches: layertest.Switches{HTTPWebhooks: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, e)
	routes := layertest.Routes()
	id := func(kind string, n int) string { return fmt.Sprintf("%s0000000-0000-4000-8000-%012d", kind, n) }
	var wg sync.WaitGroup
	for caller := range uint64(8) {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(1, caller))
			user := func() string { return []string{"ana", "boris", "chen"}[dice.IntN(3)] }
			bodies := []func() string{
				func() string { return textFrom(user(), "x") },
				func() string { return `{"participants":["ana","boris"]}` },
				func() string {
					return `{"recipients":["ana","chen"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}],"notification":{"text":"x"}}`
				},
				func() string { return `{"type":"read","user_id":"boris","display_name":"x","external_unread_count":1}` },
				func() string {
					return `[{"operation":"add","property":"participants","value":"` + user() + `"},{"operation":"set","property":"metadata.a","value":"b"}]`
				},
				func() string {
					return `[{"operation":"remove","property":"participants","value":"` + user() + `"}]`
				},
				func() string { return `[{"operation":"set","property":"metadata.a","value":"b"}]` },
				func() string { return `[{"operation":"add","property":"blocks","value":"` + user() + `"}]` },
				func() string { return registration("http://127.0.0.1:1", `"message.sent","conversation.created"`) },
			}
			for range 400 {
				r := routes[dice.IntN(len(routes))]
				path := strings.NewReplacer(":app", layertest.DefaultAppID, ":user", user(), ":blocked", user(),
					":conversation", id("c", dice.IntN(3)), ":message", id("d", dice.IntN(20)), ":announcement", id("e", dice.IntN(3)),
					":content", other, ":webhook", other, ":export", other).Replace(r.Path)
				dedupe := id("c", dice.IntN(3))
				if strings.HasSuffix(r.Path, "/messages") {
					dedupe = id("d", dice.IntN(20))
				}
				if r.Method == "DELETE" && dice.IntN(10) > 0 {
					continue
				}
				headers := []string{"If-None-Match", dedupe, "Upload-Content-Type", "a/b", "Upload-Content-Length", "3"}
				if strings.Contains(r.Path, "/webhooks") {
					headers = append(headers, "Accept", hooksJSON)
				}
				a := direct(t, e, r.Method, path+"?mode=my_devices", bodies[dice.IntN(len(bodies))](), headers...)
				if a.status >= 500 {
					t.Errorf("%s %s: got %d %s", r.Method, path, a.status, a.body)
				}
				if dice.IntN(50) == 0 {
					direct(t, e, "GET", []string{"/_emulator/", "/_emulator/page/users", "/_emulator/stats"}[dice.IntN(3)], "")
				}
			}
		})
	}
	wg.Wait()
	if got := e.Stats(); got.DedupeHits < 10 {
		t.Errorf("the callers did not meet: %+v", got)
	}
}
