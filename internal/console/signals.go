package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Signals returns a context that ends with the first SIGINT or SIGTERM: the
// program winds up. Who sends a second one does not want to wait: the process
// ends at once, with exit code [Failed] and a line that says so. Call stop at the end.
func Signals(name string, stderr io.Writer) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	say := &atomic.Pointer[func(os.Signal)]{}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case got := <-signals:
				if !first {
					sayLast(say, name, stderr, got)
					os.Exit(Failed)
				}
				cancel()
			case <-stopped:
				return
			}
		}
	}()
	return context.WithValue(ctx, sayKey{}, say), func() {
		signal.Stop(signals)
		close(stopped)
		cancel()
	}
}

// OnSecondSignal has a second signal told by say, in place of a line on standard
// error. The context is that of [Signals] or comes from it; with another one this does nothing.
func OnSecondSignal(ctx context.Context, say func(os.Signal)) {
	if there, ok := ctx.Value(sayKey{}).(*atomic.Pointer[func(os.Signal)]); ok {
		there.Store(&say)
	}
}

type sayKey struct{}

func sayLast(say *atomic.Pointer[func(os.Signal)], name string, stderr io.Writer, got os.Signal) {
	if f := say.Load(); f != nil {
		(*f)(got)
		return
	}
	fmt.Fprintf(stderr, "%s: second signal (%v), ends at once\n", name, got)
}
