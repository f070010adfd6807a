package tasks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
)

// An effect that outlives its context would keep a worker's slot and run beside
// its own repetition.
func TestEveryEffectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, k := range types {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			srv := layertest.NewServer(t)
			srv.Fault(layertest.Rule{Hang: true})
			_, payload := goldenPayload(t, k.name)
			task, err := Decode(k.name, payload)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err = Perform(ctx, srv.Client(t), someID, task)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
