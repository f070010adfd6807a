package docs_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/config"
	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/sandbox"
	"github.com/layerq/layerq/internal/worker"
	"github.com/layerq/layerq/layer"
)

// sandboxConversation is there in every sandbox; the test fails if it is not.
const sandboxConversation = "layer:///conversations/22222222-2222-4222-8222-222222222222"

var tested = regexp.MustCompile("(?ms)^<!-- tested -->\n```sh\n(.*?)^```$")

// Whoever copies the commands that the README shows has them work: each runs
// here as it stands, against a sandbox and a worker.
func TestReadmeCommandsRun(t *testing.T) {
	t.Parallel()
	scripts := tested.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(scripts) == 0 {
		t.Fatal("README.md has no commands marked <!-- tested -->")
	}
	enqueue := build(t, "enqueue")
	redisURL, _ := startSandbox(t)
	for _, script := range scripts {
		run := strings.ReplaceAll(script[1], "go run ./cmd/enqueue", enqueue)
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", run)
		cmd.Env = append(os.Environ(), "REDIS_URL="+redisURL)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Errorf("%v\n%s\n%s", err, run, out.Bytes())
		}
	}
}

// build makes one of the programs and returns its path.
func build(t *testing.T, program string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), program)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/"+program)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build ./cmd/%s: %v\n%s", program, err, out)
	}
	return binary
}

// startSandbox runs what the worker runs with nothing configured, on ports that
// are free, and returns where its Redis and its Layer are.
func startSandbox(t *testing.T) (redisURL, layerURL string) {
	t.Helper()
	app, err := layer.ParseAppID(config.SandboxAppID)
	if err != nil {
		t.Fatal(err)
	}
	opts := sandbox.Options{RedisAddr: freeAddr(t), LayerAddr: freeAddr(t), App: app, Token: config.SandboxToken, Log: slog.New(slog.DiscardHandler)}
	box, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	if got := box.Conversation.String(); got != sandboxConversation {
		t.Fatalf("the sandbox has conversation %s, the README uses %s", got, sandboxConversation)
	}
	layerURL = "http://" + opts.LayerAddr
	api, err := layer.New(app, config.SandboxToken, layer.WithBaseURL(layerURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	startWorker(t, opts.RedisAddr, api)
	return "redis://" + opts.RedisAddr, layerURL
}

func startWorker(t *testing.T, redisAddr string, api *layer.Client) {
	t.Helper()
	client := func() *redis.Client {
		rdb := redis.NewClient(&redis.Options{Addr: redisAddr})
		t.Cleanup(func() { _ = rdb.Close() })
		return rdb
	}
	pool, err := worker.New(worker.Options{
		Redis: client(), Status: client(), API: api, DrainTimeout: 5 * time.Second,
		Queues: map[string]int{queue.Critical: 4, queue.Default: 4, queue.Bulk: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- pool.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
