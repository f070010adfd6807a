package worker

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/tasks"
)

// A refusing hook answers so many settlements with errors before it takes one.
type refusing struct {
	*bench
	answers []error
}

func (h *refusing) Settle(ctx context.Context, d *dequeue.Delivery, e queue.Settlement) (bool, error) {
	if len(h.answers) > 0 {
		err := h.answers[0]
		h.answers = h.answers[1:]
		return false, err
	}
	return h.bench.Settle(ctx, d, e)
}

// Users of a Redis are changed, or come back after it: what was done meanwhile is not forgotten, or it would be done again.
func TestSettler_outlasts_a_Redis_that_refuses_its_user(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"NOPERM User worker has no permissions to run the 'evalsha' command",
		"NOAUTH Authentication required.",
		"WRONGPASS invalid username-password pair or user is disabled.",
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, succeed)
				b.settler.hook = &refusing{b, []error{replied(answer), replied(answer), replied(answer)}}
				e := b.process(t, uuid.NewString(), tasks.TypeBlockUser, validBlock, nil)
				if e.Verdict != queue.VerdictDone || field(e, queue.FieldResult) == "" || b.calls != 1 || b.settler.left.Load() != 0 {
					t.Errorf("%+v after %d calls, %d were left", e, b.calls, b.settler.left.Load())
				}
			})
		})
	}
}
