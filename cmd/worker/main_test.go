package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
	"github.com/layerq/layerq/internal/testlog"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// The test binary is the command itself where this variable is set: signals
// need a process of their own.
const asCommand = "WORKER_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	redisurl.Quiet()
	goleak.VerifyTestMain(m)
}

const patience = 30 * time.Second

// output is what a program writes, read while it is written.
type output struct{ testlog.Buffer }

var adminAddr = regexp.MustCompile(`admin address serves" addr=(\S+)`)

// adminURL waits until the program says where its admin address is.
func (o *output) adminURL(t *testing.T) string {
	t.Helper()
	var found []string
	eventually(t, "the admin address", func() bool {
		found = adminAddr.FindStringSubmatch(o.String())
		return found != nil
	})
	return "http://" + found[1]
}

var eventually = redistest.Eventually

// A site is a Redis and a Layer API that the command is configured for.
type site struct {
	layer *layertest.Server
	tasks *tasks.Client
	env   []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{layer: layertest.NewServer(t, layertest.WithTCP())}
	var err error
	if s.tasks, err = tasks.NewClientFromRedis(redistest.New(t)); err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"REDIS_URL=" + redistest.URL(t), "LAYER_BASE_URL=" + s.layer.URL(),
		"LAYER_APP_ID=" + s.layer.App().String(), "LAYER_TOKEN=" + s.layer.Token(),
		"LAYERQ_ADMIN_ADDR=127.0.0.1:0",
	}
	return s
}

func (s *site) enqueue(t *testing.T) *tasks.Info {
	t.Helper()
	info, err := s.tasks.Enqueue(t.Context(), tasks.SendMessage{
		Conversation: s.layer.AddConversation("alice", "bob"), Sender: layer.Sender{UserID: "alice"},
		Parts: []tasks.Part{{MIMEType: "text/plain", Body: "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func (s *site) wait(t *testing.T, info *tasks.Info, want tasks.State) {
	t.Helper()
	eventually(t, "task is "+string(want), func() bool {
		now, err := s.tasks.Status(t.Context(), info.ID)
		return err == nil && now.State == want
	})
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestRun_from_start_to_stop(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, nil, s.env, &stdout, &stderr) }()

	s.wait(t, s.enqueue(t), tasks.StateCompleted)
	admin := stderr.adminURL(t)
	if status, body := get(t, admin+"/readyz"); status != 200 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	for path, want := range map[string]string{
		"/livez":                     "ok",
		"/metrics":                   `layerq_tasks_total{outcome="done",queue="default",type="message:send"} 1`,
		"/":                          s.layer.URL(),
		"/asynqmon/api/queues":       `"queue":"default"`,
		"/asynqmon/queues/default":   "<title>Asynq",
		"/asynqmon/api/redis_info":   "address",
		"/asynqmon/api/servers":      `"queue_priorities"`,
		"/asynqmon/api/queue_stats":  "default",
		"/asynqmon/static/js/x.html": "<title>Asynq",
	} {
		if status, body := get(t, admin+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want %q in %.2000s", path, status, want, body)
		}
	}
	cancel()
	if got := <-code; got != console.Done {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
	for _, secret := range []string{s.layer.Token(), "hello"} {
		if strings.Contains(stderr.String()+stdout.String(), secret) {
			t.Errorf("the output shows %q:\n%s", secret, stderr.String())
		}
	}
}

// process starts the command in a process of its own.
func (s *site) process(t *testing.T, env ...string) (*exec.Cmd, *output) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append([]string{asCommand + "=1", "PATH=" + os.Getenv("PATH")}, s.env...), env...)
	stderr := new(output)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, stderr
}

func ended(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	select {
	case <-done:
		return cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatal("the process did not end")
		return -1
	}
}

func TestProcess_drains_on_SIGTERM(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.layer.Fault(layertest.Rule{Latency: layertest.Duration(3 * time.Second)})
	cmd, stderr := s.process(t)
	info := s.enqueue(t)
	s.wait(t, info, tasks.StateActive)
	eventually(t, "the call", func() bool { return s.layer.Stats().Requests == 1 })
	admin := stderr.adminURL(t)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not being ready", func() bool { status, _ := get(t, admin+"/readyz"); return status == 503 })
	if status, body := get(t, admin+"/readyz"); !strings.Contains(body, "draining") {
		t.Errorf("/readyz during the drain: %d %s", status, body)
	}
	if code := ended(t, cmd); code != console.Done {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	s.wait(t, info, tasks.StateCompleted)
	s.layer.WantRequests(t, 1)
}

func TestProcess_ends_at_once_on_a_second_signal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.layer.Fault(layertest.Rule{Latency: layertest.Duration(time.Minute)})
	cmd, stderr := s.process(t)
	s.wait(t, s.enqueue(t), tasks.StateActive)
	eventually(t, "the call", func() bool { return s.layer.Stats().Requests == 1 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drain", func() bool { return strings.Contains(stderr.String(), "worker drains") })
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != console.Failed || time.Since(start) > 2*time.Second {
		t.Errorf("exit %d after %v", code, time.Since(start))
	}
	if !strings.Contains(stderr.String(), `level=warn msg="second signal, the worker ends at once" signal=interrupt`) {
		t.Errorf("the log: %s", stderr.String())
	}
}

func TestRun_refuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the subtests, which run in parallel
	site := []string{
		"REDIS_URL=redis://127.0.0.1:1", "LAYER_BASE_URL=http://127.0.0.1:1", "LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=swordfish",
	}
	for _, c := range []struct {
		name string
		args []string
		env  []string
		want []string
	}{
		{"an admin port that is taken", nil, append(slices.Clone(site), "LAYERQ_ADMIN_ADDR="+taken.Addr().String()), []string{"LAYERQ_ADMIN_ADDR", taken.Addr().String(), "taken"}},
		{"an unknown flag", []string{"--quues", "bulk=1"}, site, []string{"unknown flag --quues, did you mean --queues?"}},
		{"an argument", []string{"start"}, site, []string{`"start"`}},
		{"a wrong value", []string{"--retry-min", "soon"}, site, []string{"--retry-min", `"soon"`, "allowed"}},
		{"a wrong variable", nil, append(slices.Clone(site), "LAYERQ_QUEUES=urgent=1"), []string{"LAYERQ_QUEUES", "urgent", "critical"}},
		{"a real API without a Redis", nil, []string{"LAYER_TOKEN=swordfish"}, []string{"REDIS_URL"}},
		{"an unknown format", []string{"--print-config=xml"}, site, []string{"--print-config", "xml", "json"}},
		{"probe without an address", []string{"probe"}, site, []string{"URL is missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.args, c.env, &stdout, &stderr); code != console.Wrong {
				t.Errorf("exit %d, want %d", code, console.Wrong)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr lacks %q: %s", want, stderr.String())
				}
			}
			if stdout.Len() > 0 || strings.Contains(stderr.String(), "swordfish") {
				t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestRun_prints_its_configuration(t *testing.T) {
	t.Parallel()
	env := []string{
		"REDIS_URL=redis://user:swordfish@127.0.0.1:1", "LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=swordfish", "LAYERQ_ADMIN_TOKEN=swordfish",
	}
	for _, c := range []struct{ flag, want string }{
		{"--print-config", "retry-max"}, {"--print-config=json", `"LAYERQ_RETRY_MAX"`}, {"--version", "go1."}, {"--help", "worker --print-config"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{c.flag}, env, &stdout, &stderr); code != console.Done || stderr.Len() > 0 {
			t.Errorf("%s: exit %d, %s", c.flag, code, stderr.String())
		}
		if !strings.Contains(stdout.String(), c.want) || strings.Contains(stdout.String(), "swordfish") {
			t.Errorf("%s prints %s", c.flag, stdout.String())
		}
		if strings.HasSuffix(c.flag, "json") && !json.Valid(stdout.Bytes()) {
			t.Errorf("%s is no JSON", c.flag)
		}
	}
}

func TestRun_completes(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"completion", shell}, nil, &stdout, &stderr); code != console.Done || stdout.Len() == 0 {
			t.Errorf("%s: exit %d, %s", shell, code, stderr.String())
		}
	}
}
