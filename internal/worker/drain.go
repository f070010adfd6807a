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
//     servers stop asking: no task begins from here on.
//  2. Running tasks go on, for DrainTimeout.
//  3. Then their contexts end. The pipeline waits with each task whose call was
//     cut off, so that when asynq loses its own patience, settleTime later, it
//     finds no call under way, and puts the tasks to the front of their queues
//     as they were.
func (w *Worker) drain() error {
	start := time.Now()
	w.state.Store(int32(draining))
	w.opts.Log.Info("worker drains", "in_flight", w.flight.total(), "timeout", w.opts.DrainTimeout)

	timer := time.AfterFunc(w.opts.DrainTimeout, w.cutOff)
	defer timer.Stop()
	w.hook.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var all sync.WaitGroup
		for _, srv := range w.servers {
			all.Go(func() {
				srv.Stop()
				srv.Shutdown()
			})
		}
		all.Wait()
	}()
	select {
	case <-ended:
		w.opts.Log.Info("worker stopped", "took", time.Since(start))
		return nil
	case <-time.After(w.opts.DrainTimeout + settleTime + handBackTime):
		return fmt.Errorf("worker: stopped with %d tasks in hand, as Redis does not answer: other workers run them again when their leases have ended", w.flight.total())
	}
}
