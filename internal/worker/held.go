package worker

import (
	"context"
	"errors"

	"github.com/layerq/layerq/internal/dequeue"
	"github.com/layerq/layerq/internal/holds"
)

// valve lets tasks be taken while the fleet is not held.
type valve struct{ keeper *holds.Keeper }

func valveOf(k *holds.Keeper) dequeue.Valve {
	if k == nil {
		return nil
	}
	return valve{k}
}

// Enter implements [dequeue.Valve].
func (v valve) Enter(ctx context.Context, queue string) (dequeue.Pass, error) {
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

// judge is decide, but for a probe that fails: that costs its task no attempt, and the
// task makes room for another one, in case it is the reason.
func (d *delivery) judge(err error) verdict {
	v := decide(err)
	if d.Pass != nil && d.Pass.Probe() && (v.outcome == retry || isHeld(err)) {
		v.outcome = hold
	}
	return v
}
