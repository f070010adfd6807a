package worker

import (
	"fmt"
	"sync"
	"time"
)

const (
	// settleTime is what a call that is cut off at the end of a drain gets to
	// return. A cancelled HTTP call needs milliseconds.
	settleTime = time.Second

	// handBackTime is what asynq gets to hand tasks back and to say goodbye: a
	// few commands, unless Redis does not answer.
	handBackTime = 5 * time.Second
)

// drain stops the worker so that nothing is lost, done twice or counted:
//
//  1. The hook gives up every wait and hands nothing out any more, and the asynq
//     servers stop asking: no task begins from here on. Tasks that wait for a permit
//     go back at once.
//  2. Running tasks go on, for DrainTimeout.
//  3. Then their contexts end. Once its call has returned, each task goes to
//     the front of its queue as it was, unless the call was answered all the same.
func (w *Worker) drain() error {
	start := time.Now()
	w.state.Store(int32(draining))
	w.opts.Log.Info("worker drains", "in_flight", w.flight.total(), "timeout", w.opts.DrainTimeout)

	timer := time.AfterFunc(w.opts.DrainTimeout, w.cutOff)
	defer timer.Stop()
	w.hook.Close()
	w.drains()
	go w.shutDown()
	return w.await(start)
}

// shutDown ends the asynq servers, and closes w.ended then.
func (w *Worker) shutDown() {
	defer close(w.ended)
	var all sync.WaitGroup
	for _, srv := range w.servers {
		all.Go(func() {
			srv.Stop()
			srv.Shutdown()
		})
	}
	all.Wait()
}

// await waits until asynq has ended. asynq waits for Redis without a limit, so
// this gives up: handBackTime after the last task, or after the last one should have
// been handed back.
func (w *Worker) await(start time.Time) error {
	limit := time.After(w.opts.DrainTimeout + settleTime + handBackTime)
	look := time.NewTicker(handBackTime / 50)
	defer look.Stop()
	busy, before := time.Now(), w.pipeline.settler.left.Load()
	left := func() error {
		n := int(w.pipeline.settler.left.Load()-before) + w.flight.total()
		if n == 0 {
			return nil
		}
		return fmt.Errorf("worker: stopped with %d tasks in hand, as Redis does not answer: other workers run them again when their leases have ended", n)
	}
	for {
		select {
		case <-w.ended:
			w.opts.Log.Info("worker stopped", "took", time.Since(start))
			return left()
		case <-limit:
			return left()
		case <-look.C:
			if w.flight.total() > 0 {
				busy = time.Now()
			}
			if time.Since(busy) > handBackTime {
				w.opts.Log.Warn("worker stopped although Redis does not answer", "took", time.Since(start))
				return left()
			}
		}
	}
}
