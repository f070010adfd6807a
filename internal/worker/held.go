package worker

import (
	"context"
	"errors"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/holds"
	"github.com/layerq/layerq/internal/permits"
)

// valve lets tasks be taken while the fleet is not held, and there are permits for them.
type valve struct {
	keeper  *holds.Keeper    // nil: nothing is held
	permits *permits.Limiter // nil: there is no limit
	queues  map[string]int   // concurrency
}

func valveOf(opts Options) dequeue.Valve {
	if opts.Holds == nil && opts.Permits == nil {
		return nil
	}
	return valve{opts.Holds, opts.Permits, opts.Queues}
}

// queued is the part of a queue's places that tasks take which wait for permits: enough
// for all that come free at the same moment, until more are taken.
const queued = 4

// Enter implements [dequeue.Valve].
func (v valve) Enter(ctx context.Context, queue string) (dequeue.Pass, error) {
	if v.permits != nil {
		if err := v.permits.Enter(ctx, queue, max(2, v.queues[queue]/queued)); err != nil {
			return nil, err
		}
	}
	if v.keeper == nil {
		return nil, nil
	}
	pass, err := v.keeper.Enter(ctx, queue)
	if err != nil {
		return nil, err
	}
	return pass, nil
}

// withPass makes the calls of a task those that its pass is for.
func withPass(ctx context.Context, pass dequeue.Pass) context.Context {
	if p, ok := pass.(*holds.Pass); ok {
		return holds.WithPass(ctx, p)
	}
	return ctx
}

// isHeld tells whether an execution ended because the fleet is held.
func isHeld(err error) bool {
	_, held := errors.AsType[*holds.HeldError](err)
	return held
}

// judge is decide's verdict, but for a probe that fails: that costs its task no attempt, and the
// task makes room for another one, in case it is the reason.
func (d *delivery) judge(v verdict, err error) verdict {
	if d.Pass != nil && d.Pass.Probe() && (v.outcome == retry || v.outcome == hold || isHeld(err)) {
		return verdict{hold, false}
	}
	return v
}
