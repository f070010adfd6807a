package admin

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/internal/redistest"
)

func TestReadyz_names_the_reasons(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) {
		o.Ready = func(context.Context) []string { return []string{"redis: connection refused", "draining"} }
	})
	w := ask(t, a, "GET", "/readyz", nil, nil)
	if want := `{"ready":false,"reasons":["redis: connection refused","draining"]}`; w.Code != 503 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s, want 503 %s", w.Code, w.Body, want)
	}
	if w := ask(t, a, "GET", "/livez", nil, nil); w.Code != 200 {
		t.Errorf("a worker that is not ready is not alive: %d", w.Code)
	}
	if w := ask(t, newAdmin(t, nil), "GET", "/readyz", nil, nil); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"ready":true}` {
		t.Errorf("ready: %d %s", w.Code, w.Body)
	}
}

func TestStart_shows_queues_and_escapes(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, func(o *Options) {
		o.Version = "v1.2.3"
		page := o.Page(t.Context())
		page.Facts = []Fact{{"Layer", "http://127.0.0.1:18080/?<script>alert(1)</script>"}}
		page.Reasons = []string{"redis: <b>gone</b>"}
		page.Limit = &Limit{Rate: "100/1s", InUse: 87, Most: 100, Waiting: "12 calls wait", Problem: "only a share"}
		page.Hold = &Hold{Reason: "outage: 503 <gone>", Until: time.Now().Add(90 * time.Second), Advice: "It goes on by itself."}
		page.QueuesError, page.LaneError = "the queues <cannot> be counted", "the lane <cannot> be told"
		page.Lane = &Lane{Queue: "default", Name: "user:<b>bob</b>", Waiting: 4999, First: "0b6f3c1e", State: "retry"}
		o.Page = func(context.Context) Page { return page }
	})
	body := ask(t, a, "GET", "/", nil, nil).Body.String()
	for _, want := range []string{
		"default</a>", ">3</td>", "2s", "0 of 32", "v1.2.3", "not ready", "&lt;b&gt;gone", "read-only", `max="100" value="87"`, "87 of 100/1s in use; 12 calls wait", "only a share", `href="/asynqmon/"`,
		"UTC (in 1m", "outage: 503 &lt;gone&gt;.", "It goes on by itself.", "user:&lt;b&gt;bob", "4999 wait behind", `href="/asynqmon/queues/default/tasks/0b6f3c1e"`, "which is retry",
		"the queues &lt;cannot&gt; be counted", "the lane &lt;cannot&gt; be told",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the start page lacks %q", want)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "https://") {
		t.Errorf("the start page carries a script or loads from elsewhere:\n%s", body)
	}
}

func TestAsynqmon_masks_what_people_wrote(t *testing.T) {
	t.Parallel()
	rdb := redistest.New(t)
	client := asynq.NewClientFromRedisClient(rdb)
	payload := `{"v":1,"args":{"conversation":"layer:///conversations/1","parts":[{"mime_type":"text/plain","body":"swordfish"}]}}`
	info, err := client.Enqueue(asynq.NewTask("message:send", []byte(payload)))
	if err != nil {
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), "asynq:{default}:t:"+info.ID, "result", `{"message_id":"layer:///messages/01234567-89ab-4cde-8f01-23456789abcd","note":"swordfish"}`)

	a := newAdmin(t, func(o *Options) { o.Redis = rdb })
	for _, path := range []string{"/asynqmon/api/queues/default/pending_tasks", "/asynqmon/api/queues/default/tasks/" + info.ID} {
		w := ask(t, a, "GET", path, nil, nil)
		if w.Code != 200 || strings.Contains(w.Body.String(), "swordfish") || !strings.Contains(w.Body.String(), "9 bytes") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	var task struct{ Result string }
	if err := json.Unmarshal(ask(t, a, "GET", "/asynqmon/api/queues/default/tasks/"+info.ID, nil, nil).Body.Bytes(), &task); err != nil {
		t.Fatal(err)
	}
	if want := `{"message_id":"layer:///messages/01234567-89ab-4cde-8f01-23456789abcd","note":"‹9 bytes›"}`; task.Result != want {
		t.Errorf("result %s, want %s", task.Result, want)
	}
}

func TestAsynqmon_pictures_have_a_type(t *testing.T) {
	t.Parallel()
	w := ask(t, newAdmin(t, nil), "GET", "/asynqmon/static/media/logo-color.c2b0c1f3.svg", nil, nil)
	if got := w.Header().Values("Content-Type"); w.Code != 200 || len(got) != 1 || got[0] != "image/svg+xml" {
		t.Errorf("%d, Content-Type %q", w.Code, got)
	}
}

func TestListen_names_the_setting(t *testing.T) {
	t.Parallel()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = Listen(ln.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "LAYERQ_ADMIN_ADDR") || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("a taken port: %v", err)
	}
	for addr, want := range map[string]string{"127.0.0.1:8080": "127.0.0.1:8081", "[::1]:9000": "[::1]:9001", ":65535": ":8081"} {
		if got := alternative(addr); got != want {
			t.Errorf("in place of %s: %s, want %s", addr, got, want)
		}
	}
	if _, err := Listen("192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "LAYERQ_ADMIN_ADDR") {
		t.Errorf("an address of another host: %v", err)
	}
}

func TestServe_ends_with_its_context(t *testing.T) {
	t.Parallel()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, newAdmin(t, nil), slog.New(slog.DiscardHandler)) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+ln.Addr().String()+"/livez", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != "ok\n" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	_ = resp.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the address still answers")
	}
}
