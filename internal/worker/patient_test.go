package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// replied is an error that Redis answers with.
type replied string

func (e replied) Error() string { return string(e) }
func (e replied) RedisError()   {}

func TestPatiently(t *testing.T) {
	t.Parallel()
	cut := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	for _, c := range []struct {
		name      string
		passes    func(error) bool
		answers   []error
		wantCalls int
		want      error
	}{
		{"answered", mayPass, []error{nil}, 1, nil},
		{"answered after an outage", mayPass, []error{cut, cut, replied("LOADING Redis is loading"), replied("OOM command not allowed"), nil}, 5, nil},
		{"answered after a disk was full, and replicas were missing", mayPass, []error{
			replied("MISCONF Errors writing to the AOF file: No space left on device"), replied("NOREPLICAS Not enough good replicas to write."),
			replied("ERR max number of clients reached"), nil,
		}, 4, nil},
		{"answered after a failover of Redis 6.2", mayPass, []error{
			replied("ERR Error running script (call to f_1): @user_script:24: @user_script: 24: -READONLY You can't write against a read only replica."), nil,
		}, 2, nil},
		{"refused", mayPass, []error{replied("NOPERM no permission")}, 1, replied("NOPERM no permission")},
		{"refused after an outage", mayPass, []error{cut, replied("WRONGTYPE")}, 2, replied("WRONGTYPE")},
		{"answered after users were missing", whileOpen, []error{
			replied("NOPERM no permission"), replied("NOAUTH Authentication required."), replied("WRONGPASS invalid username-password pair or user is disabled."),
			fmt.Errorf("sentinel: GetMasterAddrByName: %w", redis.Nil), replied("WRONGTYPE"), cut, nil,
		}, 7, nil},
		{"closed", whileOpen, []error{cut, redis.ErrClosed}, 2, redis.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := patiently(t.Context(), c.passes, func() error {
					calls++
					return c.answers[calls-1]
				})
				if err != c.want || calls != c.wantCalls { //nolint:errorlint // it is returned as it is
					t.Errorf("%v after %d calls, want %v after %d", err, calls, c.want, c.wantCalls)
				}
			})
		})
	}
}

func TestPatiently_ends_with_its_context(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		refused := errors.New("connection refused")
		err := patiently(ctx, mayPass, func() error {
			if time.Since(start) < 25*time.Second {
				return refused
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if err != refused || time.Since(start) != 30*time.Second { //nolint:errorlint // it is returned as it is
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
