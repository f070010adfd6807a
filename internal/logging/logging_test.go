package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/layerq/layerq/internal/logging"
)

func TestText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logging.New(&out, logging.Text, slog.LevelInfo)
	log.Debug("not shown")
	log.Info("task done", slog.String("task_id", "a b"), slog.Duration("took", 12*time.Millisecond))
	want := regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg="task done" task_id="a b" took=12ms\n$`)
	if !want.Match(out.Bytes()) {
		t.Errorf("got %q, want a match of %s", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logging.New(&out, logging.JSON, slog.LevelWarn)
	log.Info("not shown")
	log.Warn("redis is away", slog.Any("error", errors.New("refused")), slog.Group("redis", slog.Time("seen", time.Unix(0, 0).UTC())))
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	at, _ := got["time"].(string)
	if _, err := time.Parse(time.RFC3339, at); err != nil {
		t.Error(err)
	}
	delete(got, "time")
	want := map[string]any{"level": "warn", "msg": "redis is away", "error": "refused", "redis": map[string]any{"seen": "1970-01-01T00:00:00Z"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestLevelsBetweenTheNamedOnesKeepTheirName(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logging.New(&out, logging.Text, slog.LevelDebug).Log(t.Context(), slog.LevelInfo+2, "between")
	if !bytes.Contains(out.Bytes(), []byte("level=INFO+2 ")) {
		t.Errorf("got %q", out.String())
	}
}
