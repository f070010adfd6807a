package layertest

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/layerq/layerq/internal/testlog"
)

// TestCloseWaitsForWhatATimerBegan holds that what is under way is kept: the
// journal stays open for it.
func TestCloseWaitsForWhatATimerBegan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{})
		began, end := make(chan struct{}), make(chan struct{})
		e.after(time.Second, func() { close(began); <-end })
		<-began
		closed := make(chan error, 1)
		go func() { closed <- e.Close() }()
		synctest.Wait()
		if len(closed) > 0 {
			t.Error("Close did not wait")
		}
		close(end)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// TestNothingHappensAfterClose plans after a clean stop what a timer that went off
// meanwhile would: it finds the journal closed.
func TestNothingHappensAfterClose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log testlog.Buffer
		e, err := Open(dir, Config{
			Log: slog.New(slog.NewTextHandler(&log, nil)), PatchDelay: time.Minute, Switches: Switches{QueuedPatches: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		delayed := `{"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}],"schedule":{"delay_in_seconds":60}}`
		for _, ask := range []struct {
			method, path, body string
			want               int
		}{
			{"POST", "/conversations", `{"participants":["ana"]}`, 201},
			{"POST", "/conversations/" + keptID + "/messages", delayed, 202},
			{"PATCH", "/users/ana", `[{"operation":"add","property":"blocks","value":"boris"}]`, 202},
			{"PUT", "/export_schedule", `{"interval":"daily"}`, 200},
		} {
			dedupe := map[int]string{201: keptID}[ask.want]
			if status := write(e, ask.method, ask.path, ask.body, dedupe); status != ask.want {
				t.Fatalf("%s %s: got %d, want %d", ask.method, ask.path, status, ask.want)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		a := e.anyApp()
		a.mu.Lock()
		a.planQueued()
		a.planExport()
		for _, s := range a.scheduled {
			a.plan(s)
		}
		a.mu.Unlock()
		time.Sleep(100 * time.Hour) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if log.String() != "" {
			t.Errorf("after a clean stop: %s", &log)
		}
	})
}
