package redistest

import (
	"testing"
	"time"
)

const (
	// patience is how long a test waits for what must happen, on a machine that is busy with other tests.
	patience = 30 * time.Second
	// Something is looked at again after firstLook, then twice as late each time up to lastLook.
	firstLook = time.Millisecond
	lastLook  = 10 * time.Millisecond
)

// Eventually waits for a state that comes about elsewhere: in Redis, in another goroutine or process. It ends t
// if holds does not tell true within 30 s. Call it on t's goroutine.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := firstLook; !holds(); pause = min(2*pause, lastLook) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		<-time.After(pause)
	}
}
