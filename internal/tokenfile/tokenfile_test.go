package tokenfile

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// file is what Read finds.
type file struct {
	mu    sync.Mutex
	token string
	err   error
}

func (f *file) set(token string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token, f.err = token, err
}

func (f *file) read() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.token, f.err
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f, changes := &file{token: "one"}, 0
		token := Follow("one", Options{Read: f.read, Changed: func() { changes++ }, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for _, step := range []struct {
			token   string
			err     error
			want    string
			changes int
			lines   int
		}{
			{"one", nil, "one", 0, 0},
			{"two", nil, "two", 1, 1},
			{"", errors.New("there is no such file"), "two", 1, 2},
			{"", errors.New("there is no such file"), "two", 1, 2},
			{"two", nil, "two", 1, 2},
			{"three", nil, "three", 2, 3},
			{"", errors.New("the file is empty"), "three", 2, 4},
		} {
			f.set(step.token, step.err)
			<-time.After(interval)
			synctest.Wait()
			if got := token.Current(); got != step.want || changes != step.changes || strings.Count(log.String(), "\n") != step.lines {
				t.Errorf("after %q, %v: %q, %d changes, log\n%s", step.token, step.err, got, changes, log.String())
			}
		}
		token.Close()
		token.Close()
		if strings.Contains(log.String(), "two") {
			t.Errorf("the log tells the token:\n%s", log.String())
		}
	})
}
