package docs_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var (
	onceBlock = regexp.MustCompile("(?ms)^<!-- tested: once -->\n```sh\n(.*?)^```$")
	curlLine  = regexp.MustCompile(`^curl(?: -X (\w+))? (\S+)(?: -d '(.*)')?$`)
)

// onceClaim is what the README says of that block; the test has the numbers.
const onceClaim = "takes a few seconds and two attempts, and is there once: `\"messages\"` went up by one, `\"dedupe_hits\"` by five."

// What the README shows of a Layer that does the work and fails is run here as it
// stands, but for curl, which not every machine has.
func TestReadmeOnceIsOnce(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	block := onceBlock.FindStringSubmatch(readme)
	if block == nil || !strings.Contains(readme, onceClaim) {
		t.Fatal("README.md does not show what becomes of a message that Layer answers with failures, or not what this test knows of it")
	}
	enqueue := build(t, "enqueue")
	redisURL, layerURL := startSandbox(t)
	before := emulatorStats(t, []byte(request(t, http.MethodGet, layerURL+"/_emulator/stats", "")))
	var task struct {
		State    string
		Attempts int
	}
	after := before
	for command := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", "")) {
		command = strings.Join(strings.Fields(command), " ")
		command = strings.ReplaceAll(command, "http://127.0.0.1:18080", layerURL)
		if curl := curlLine.FindStringSubmatch(command); curl != nil {
			method := http.MethodGet
			if curl[1] != "" {
				method = curl[1]
			}
			if answer := request(t, method, curl[2], curl[3]); strings.HasSuffix(curl[2], "/stats") {
				after = emulatorStats(t, []byte(answer))
			}
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(command, "go run ./cmd/enqueue", enqueue))
		cmd.Env = append(os.Environ(), "REDIS_URL="+redisURL)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", command, err, out, stderr.Bytes())
		}
		if err := json.Unmarshal(out, &task); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	if task.State != "completed" || task.Attempts != 2 {
		t.Errorf("%+v, want completed with two attempts", task)
	}
	if messages, hits := after.Messages-before.Messages, after.Hits-before.Hits; messages != 1 || hits != 5 {
		t.Errorf("messages went up by %d, dedupe_hits by %d; want 1 and 5", messages, hits)
	}
}

type emulated struct {
	Messages int
	Hits     int `json:"dedupe_hits"`
}

func emulatorStats(t *testing.T, answer []byte) (stats emulated) {
	t.Helper()
	if err := json.Unmarshal(answer, &stats); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	return stats
}

// request does what curl does, and fails where it would show a failure.
func request(t *testing.T, method, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %s, %v", method, url, resp.StatusCode, answer, err)
	}
	return string(answer)
}
