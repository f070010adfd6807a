package layertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

func queueing(delay time.Duration) layertest.Config {
	return layertest.Config{Switches: layertest.Switches{QueuedPatches: true}, PatchDelay: delay}
}

// patchUser asks for a change of a user, which is acknowledged with nothing.
func patchUser(t *testing.T, e *layertest.Emulator, user, ops string) {
	t.Helper()
	if a := direct(t, e, "PATCH", app+"/users/"+user, ops); a.status != 202 || a.body != "" {
		t.Fatalf("PATCH of %s: got %d %q, want 202 and no body", user, a.status, a.body)
	}
}

func wantBlocks(t *testing.T, e *layertest.Emulator, user, want string) {
	t.Helper()
	if a := direct(t, e, "GET", app+"/users/"+user+"/blocks", ""); a.body != want {
		t.Errorf("%s blocks %s, want %s", user, a.body, want)
	}
}

func TestQueuedPatchesTakeEffectLaterInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := layertest.New(queueing(10 * time.Second))
		defer e.Close()
		direct(t, e, "POST", app+"/conversations", `{"participants":["ana"]}`)
		patchUser(t, e, "ana", `[{"operation":"set","property":"blocks","value":["boris","chen"]}]`)
		time.Sleep(6 * time.Second) //nolint:forbidigo // the bubble's clock
		patchUser(t, e, "ana", `[{"operation":"remove","property":"blocks","value":"boris"},{"operation":"set","property":"suspended","value":true}]`)
		if a := direct(t, e, "POST", app+"/users/ana/blocks", `{"user_id":"dora"}`); a.status != 204 {
			t.Errorf("a block of its own: got %d, want 204 at once", a.status)
		}
		wantBlocks(t, e, "ana", `[{"user_id":"dora"}]`)

		time.Sleep(5 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		wantBlocks(t, e, "ana", `[{"user_id":"boris"},{"user_id":"chen"}]`) // set replaced what came meanwhile
		if a := direct(t, e, "GET", app+"/users/ana/conversations", ""); a.status != 200 {
			t.Errorf("before its suspension: got %d, want 200", a.status)
		}

		time.Sleep(6 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		wantBlocks(t, e, "ana", `[{"user_id":"chen"}]`)
		if a := direct(t, e, "GET", app+"/users/ana/conversations", ""); a.status != 403 {
			t.Errorf("after its suspension: got %d, want 403", a.status)
		}
		if got := e.Stats().Blocks; got != 1 {
			t.Errorf("%d blocks are counted, want 1", got)
		}
	})
}

func TestResetForgetsQueuedPatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := layertest.New(queueing(time.Second))
		defer e.Close()
		patchUser(t, e, "ana", `[{"operation":"add","property":"blocks","value":"boris"}]`)
		if err := e.Reset(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		wantBlocks(t, e, "ana", `[]`)
	})
}

func TestQueuedPatchesSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(cfg layertest.Config) *layertest.Emulator {
		e, err := layertest.Open(dir, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := open(queueing(time.Hour))
	patchUser(t, e, "ana", `[{"operation":"set","property":"blocks","value":["boris"]}]`)
	patchUser(t, e, "ana", `[{"operation":"add","property":"blocks","value":"chen"},{"operation":"set","property":"suspended","value":true}]`)
	closed(t, e)

	e = open(queueing(time.Hour))
	wantBlocks(t, e, "ana", `[]`) // the time has not come
	closed(t, e)

	e = open(layertest.Config{}) // where nothing waits
	wantBlocks(t, e, "ana", `[{"user_id":"boris"},{"user_id":"chen"}]`)
	patchUser(t, e, "ana", `[{"operation":"set","property":"blocks","value":[]}]`)
	closed(t, e)

	e = open(queueing(time.Hour)) // what took effect does so once
	defer closed(t, e)
	wantBlocks(t, e, "ana", `[]`)
	if a := direct(t, e, "GET", app+"/users/ana", ""); !parse[struct{ Suspended bool }](t, a.body).Suspended {
		t.Errorf("ana is %s, want her suspended", a.body)
	}
}
