package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/console"
	"github.com/layerq/layerq/internal/golden"
	"github.com/layerq/layerq/internal/testlog"
	"github.com/layerq/layerq/layer/layertest"
)

// asProgram makes the test binary the program itself, for tests that need a
// process to signal and kill.
const asProgram = "LAYERQ_TEST_RUN_EMULATOR"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// served waits for the addresses that the program logs, by what they serve.
func served(t *testing.T, log *testlog.Buffer, want int) map[string]string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		addrs := map[string]string{}
		for line := range strings.Lines(log.String()) {
			var v struct{ Msg, What, Addr string }
			if json.Unmarshal([]byte(line), &v) == nil && v.Msg == "serving" {
				addrs[v.What] = v.Addr
			}
		}
		if len(addrs) == want {
			return addrs
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the program does not serve: %s", log)
		}
	}
}

// start runs the program until the test ends, on free ports.
func start(t *testing.T, listeners int, args ...string) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var log testlog.Buffer
	done := make(chan int)
	go func() {
		done <- run(ctx, append([]string{"--addr", "127.0.0.1:0", "--log-format", "json"}, args...), nil, io.Discard, &log)
	}()
	addrs := served(t, &log, listeners)
	t.Cleanup(func() {
		stop()
		if code := <-done; code != console.Done {
			t.Errorf("exit code %d: %s", code, &log)
		}
	})
	return addrs
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func newClient(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, nil, &out, io.Discard); code != console.Done {
		t.Errorf("exit code %d", code)
	}
	golden.Equal(t, "help.golden", out.Bytes())
	var s layertest.Switches
	for _, sw := range s.List() {
		if !strings.Contains(out.String(), "--"+sw.Name) {
			t.Errorf("help does not list the switch %s", sw.Name)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--version"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, nil, &out, io.Discard); code != console.Done || !strings.Contains(out.String(), "layer-emulator") {
			t.Errorf("%v: exit code %d, %q", args, code, out.String())
		}
	}
}

func TestWrongValuesAreNamed(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, tt := range []struct {
		args []string
		env  []string
		want []string
	}{
		{args: []string{"--addr", "x"}, want: []string{`--addr "x"`, "host:port"}},
		{args: []string{"--addr", taken.Addr().String()}, want: []string{"--addr", taken.Addr().String(), "free port"}},
		{args: []string{"--addr", "127.0.0.1:0", "--control-addr", taken.Addr().String()}, want: []string{"--control-addr", taken.Addr().String()}},
		{args: []string{"--control-addr", "x"}, want: []string{`--control-addr "x"`}},
		{args: []string{"--app", "x"}, want: []string{`--app "x"`, "UUID"}},
		{args: []string{"--app", layertest.DefaultAppID, "--app", layertest.DefaultAppID, "--token", "a"}, want: []string{"2 apps and 1 tokens"}},
		{args: []string{"--token", "a b"}, want: []string{"--token", "without spaces"}},
		{args: []string{"--rate", "fast"}, want: []string{`--rate: "fast"`, "100/1s"}},
		{args: []string{"--latency", "x"}, want: []string{"--latency", "x"}},
		{args: []string{"--latency", "-1s"}, want: []string{`--latency "-1s"`}},
		{args: []string{"--download-ttl", "0s"}, want: []string{`--download-ttl "0s"`}},
		{args: []string{"--patch-delay", "0s", "--queued-patches"}, want: []string{`--patch-delay "0s"`, "above 0"}},
		{args: []string{"--patch-delay", "5s"}, want: []string{`--patch-delay "5s"`, "--queued-patches"}},
		{args: []string{"--patch-delay", "1s"}, want: []string{`--patch-delay "1s"`, "--queued-patches"}},
		{args: []string{"--public-url", "api"}, want: []string{`--public-url "api"`, "https"}},
		{args: []string{"--tls-cert", "x"}, want: []string{"--tls-cert and --tls-key"}},
		{args: []string{"--addr", "127.0.0.1:0", "--tls-cert", missing, "--tls-key", missing}, want: []string{"--tls-cert", missing}},
		{args: []string{"--addr", "127.0.0.1:0", "--tls-self-signed", "--tls-ca-file", filepath.Join(missing, "x")}, want: []string{"--tls-ca-file", missing}},
		{args: []string{"--tls-self-signed", "--tls-cert", "x", "--tls-key", "x"}, want: []string{"want one of them"}},
		{args: []string{"--connect-proxy", "127.0.0.1:0"}, want: []string{"--connect-proxy", "needs --tls-self-signed"}},
		{args: []string{"--connect-proxy", "x", "--tls-self-signed"}, want: []string{`--connect-proxy "x"`}},
		{args: []string{"--log-format", "xml"}, want: []string{`--log-format "xml"`, "text or json"}},
		{args: []string{"--log-level", "loud"}, want: []string{`--log-level "loud"`, "debug, info, warn or error"}},
		{args: []string{"--addr", "127.0.0.1:0", "--data", "/dev/null/x"}, want: []string{`--data "/dev/null/x"`}},
		{args: []string{"--nonsense"}, want: []string{"--nonsense"}},
		{args: []string{"nonsense"}, want: []string{`"nonsense"`}},
		{env: []string{"LAYER_EMULATOR_RATE=fast"}, want: []string{`LAYER_EMULATOR_RATE: "fast"`}},
		{env: []string{"LAYER_EMULATOR_PATCH_DELAY=5s"}, want: []string{`LAYER_EMULATOR_PATCH_DELAY "5s"`, "--queued-patches"}},
		{env: []string{"LAYER_EMULATOR_PATCH_DELAY=5s", "LAYER_EMULATOR_QUEUED_PATCHES=false"}, want: []string{`LAYER_EMULATOR_PATCH_DELAY "5s"`, "LAYER_EMULATOR_QUEUED_PATCHES"}},
		{env: []string{"LAYER_EMULATOR_ADDR=x"}, want: []string{`LAYER_EMULATOR_ADDR "x"`}},
		{env: []string{"LAYER_EMULATOR_LATENCY=x"}, want: []string{"LAYER_EMULATOR_LATENCY", "x"}},
		{env: []string{"LAYER_EMULATOR_TOKEN_FILE=" + missing}, want: []string{"LAYER_EMULATOR_TOKEN_FILE", missing}},
		{env: []string{"LAYER_EMULATOR_RATE=off", "LAYER_EMULATOR_RATE_FILE=" + missing}, want: []string{"LAYER_EMULATOR_RATE_FILE", "one of them"}},
		{env: []string{"LAYER_EMULATOR_RAET=100/1s"}, want: []string{"LAYER_EMULATOR_RAET", "did you mean LAYER_EMULATOR_RATE?"}},
		{env: []string{"LAYER_EMULATOR_TOKENS_FILE=x", "LAYER_EMULATOR_SERVICE_HOST=10.0.0.1", "LAYER_EMULATOR_PORT=tcp://10.0.0.1:80"}, want: []string{"LAYER_EMULATOR_TOKENS_FILE: is no variable"}},
		{args: []string{"--adr", "127.0.0.1:0"}, want: []string{"unknown flag --adr, did you mean --addr?", "See 'layer-emulator --help'."}},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), tt.args, tt.env, io.Discard, &stderr); code != console.Wrong {
			t.Errorf("%v %v: exit code %d, want %d", tt.args, tt.env, code, console.Wrong)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%v %v: %q does not name %q", tt.args, tt.env, stderr.String(), want)
			}
		}
	}
}

func TestFlagsGoOverVariablesOverDefaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"LAYER_EMULATOR_RATE=5/1s", "LAYER_EMULATOR_LATENCY=7ms", "LAYER_EMULATOR_EVERYONE=true",
		"LAYER_EMULATOR_APP=" + layertest.DefaultAppID + ",6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5", "LAYER_EMULATOR_TOKEN=a,b",
	}
	var s settings
	cmd := newCommand(nil)
	cmd.ResetFlags()
	addFlags(cmd, &s)
	if err := cmd.Flags().Parse([]string{"--rate", "9/1s"}); err != nil {
		t.Fatal(err)
	}
	if err := s.fromEnv(cmd.Flags(), env); err != nil {
		t.Fatal(err)
	}
	cfg, err := s.check()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Rate.String() != "9/1s" || cfg.Latency != 7*time.Millisecond || !cfg.Switches.Everyone || s.addr != "127.0.0.1:18080" {
		t.Errorf("got %+v", cfg)
	}
	if len(cfg.Apps) != 2 || cfg.Apps[1].Token != "b" || cfg.Apps[1].ID.UUID().String() != "6c1f0d2e-8a44-4b7e-9d53-2f10a7c9e3b5" {
		t.Errorf("got apps %v", cfg.Apps)
	}
}

func TestControlAddr(t *testing.T) {
	t.Parallel()
	addrs := start(t, 2, "--control-addr", "localhost:0")
	client := newClient(t, &http.Transport{})
	for _, what := range []string{"api", "control"} {
		if status, body := get(t, client, "http://"+addrs[what]+"/_emulator/stats"); status != 200 || !strings.Contains(body, `"requests":0`) {
			t.Errorf("%s: got %d %s", what, status, body)
		}
	}
	if status, _ := get(t, client, "http://"+addrs["control"]+"/apps/x"); status != 404 {
		t.Errorf("the API on the control address: got %d", status)
	}
}
