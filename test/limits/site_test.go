//go:build limits && linux

package limits

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
)

// site is what workers run on: a redis-server and the emulator, each a process,
// and the ways to them.
type site struct {
	t         *testing.T
	rdb       *redis.Client
	redis     *process
	redisPort int
	redisDir  string
	emulator  string // its address
	toLayer   string // the address that workers get
	http      *http.Client
	tasks     *tasks.Client
	rooms     []layer.ConversationID
	env       []string
	workers   []*process
	started   int
}

// conversations are as many as let no task wait for another one of its conversation.
const conversations = 400

func newSite(t *testing.T, env ...string) *site {
	t.Helper()
	s := &site{t: t, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}}
	s.startRedis()
	s.startEmulator()
	s.toLayer = s.emulator
	s.env = append([]string{
		"REDIS_URL=redis://" + s.redisAddr(), "LAYER_APP_ID=" + layertest.DefaultAppID, "LAYER_TOKEN=" + layertest.DefaultToken,
		"LAYERQ_ADMIN_ADDR=127.0.0.1:0",
	}, env...)
	return s
}

func (s *site) redisAddr() string { return "127.0.0.1:" + strconv.Itoa(s.redisPort) }

func (s *site) startRedis() {
	s.t.Helper()
	s.redisPort, s.redisDir = freePort(s.t), s.t.TempDir()
	s.runRedis()
	s.rdb = redis.NewClient(&redis.Options{Addr: s.redisAddr()})
	s.t.Cleanup(func() { _ = s.rdb.Close() })
	var err error
	if s.tasks, err = tasks.NewClientFromRedis(s.rdb); err != nil {
		s.t.Fatal(err)
	}
}

// runRedis starts the server, with what its append-only file holds.
func (s *site) runRedis() {
	s.t.Helper()
	s.redis = start(s.t, "redis", "redis-server", nil, "--port", strconv.Itoa(s.redisPort), "--bind", "127.0.0.1",
		"--dir", s.redisDir, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction")
	eventually(s.t, 20*time.Second, "redis answers", func() bool {
		return strings.Contains(s.redis.output(), "Ready to accept connections")
	})
}

var servesAt = regexp.MustCompile(`msg=serving what=api addr=(\S+)`)

func (s *site) startEmulator() {
	s.t.Helper()
	p := start(s.t, "layer-emulator", filepath.Join(programs, "layer-emulator"), nil, "--addr", "127.0.0.1:0")
	eventually(s.t, 20*time.Second, "the emulator serves", func() bool {
		found := servesAt.FindStringSubmatch(p.output())
		if found != nil {
			s.emulator = found[1]
		}
		return found != nil
	})
	app := layertest.DefaultApp()
	api, err := layer.New(app.ID, app.Token, layer.WithBaseURL("http://"+s.emulator))
	if err != nil {
		s.t.Fatal(err)
	}
	defer api.Close()
	for range conversations {
		made, err := api.Conversations.Create(s.t.Context(), uuid.New(), layer.CreateConversationRequest{Participants: []string{"alice", "bob"}})
		if err != nil {
			s.t.Fatal(err)
		}
		s.rooms = append(s.rooms, made.ID)
	}
}

// jitter puts a network between the workers and the emulator that takes low to high
// for each request with its answer.
func (s *site) jitter(low, high time.Duration) {
	s.t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	s.toLayer = "127.0.0.1:" + strconv.Itoa(freePort(s.t))
	proxy := toxiproxy.NewProxy(server, s.t.Name(), s.toLayer, s.emulator)
	if err := proxy.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(proxy.Stop)
	for _, stream := range []string{"upstream", "downstream"} {
		toxic := fmt.Sprintf(`{"name":%q,"type":"latency","stream":%q,"attributes":{"latency":%d,"jitter":%d}}`,
			stream, stream, (low+high).Milliseconds()/4, (high-low).Milliseconds()/4)
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// limit sets what the emulator allows.
func (s *site) limit(rate string) {
	s.t.Helper()
	encoded, err := json.Marshal(map[string]string{"limit": rate})
	if err != nil {
		s.t.Fatal(err)
	}
	s.control(http.MethodPut, "limit", encoded)
}

func (s *site) control(method, path string, body []byte) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), method, "http://"+s.emulator+"/_emulator/"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatalf("emulator: %v", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("emulator: %s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

// arrivals are the workers' requests, in order of their arrival at the emulator.
func (s *site) arrivals() arrivals {
	s.t.Helper()
	var list arrivals
	lines := bufio.NewScanner(bytes.NewReader(s.control(http.MethodGet, "requests?since="+strconv.Itoa(conversations), nil)))
	for lines.Scan() {
		var r layertest.Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, arrival{r.At, r.Status == http.StatusTooManyRequests, r.Path})
	}
	return list
}

// enqueue puts n messages into a queue, over all conversations.
func (s *site) enqueue(n int, queue string) {
	s.t.Helper()
	requests := make([]tasks.Request, n)
	for i := range requests {
		requests[i] = message(s.rooms[i%len(s.rooms)], queue)
	}
	answers, err := s.tasks.EnqueueMany(s.t.Context(), requests)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			s.t.Fatal(a.Err)
		}
	}
}

// room is a conversation to which nothing goes but by enqueueTo.
func (s *site) room() layer.ConversationID {
	last := len(s.rooms) - 1
	room := s.rooms[last]
	s.rooms = s.rooms[:last]
	return room
}

func (s *site) enqueueTo(room layer.ConversationID, queue string) {
	s.t.Helper()
	m := message(room, queue)
	if _, err := s.tasks.Enqueue(s.t.Context(), m.Task, m.Options...); err != nil {
		s.t.Fatal(err)
	}
}

func message(room layer.ConversationID, queue string) tasks.Request {
	return tasks.Request{Options: []tasks.Option{tasks.Queue(queue)}, Task: tasks.SendMessage{
		Conversation: room, Sender: layer.Sender{UserID: "alice"}, Parts: []tasks.Part{{MIMEType: "text/plain", Body: "hello"}},
	}}
}

// queue is how a queue is.
func (s *site) queue(name string) tasks.QueueInfo {
	s.t.Helper()
	list, err := s.tasks.Queues(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, q := range list {
		if q.Queue == name {
			return q
		}
	}
	s.t.Fatalf("there is no queue %s", name)
	return tasks.QueueInfo{}
}

// worker starts one more worker.
func (s *site) worker(env ...string) *process {
	s.t.Helper()
	s.started++
	all := append(append([]string{"LAYER_BASE_URL=http://" + s.toLayer}, s.env...), env...)
	p := start(s.t, "worker-"+strconv.Itoa(s.started), filepath.Join(programs, "worker"), all)
	s.workers = append(s.workers, p)
	return p
}

func (s *site) start(n int) {
	s.t.Helper()
	for range n {
		s.worker()
	}
}

// replace kills a worker with -9 and starts another in its place.
func (s *site) replace() {
	s.t.Helper()
	i := rand.IntN(len(s.workers))
	s.workers[i].kill()
	s.worker()
	last := len(s.workers) - 1
	s.workers[i], s.workers = s.workers[last], s.workers[:last]
}

var adminAddr = regexp.MustCompile(`admin address serves" addr=(\S+)`)

// admin returns a page of a worker's admin address.
func (s *site) admin(p *process, path string) string {
	s.t.Helper()
	var found []string
	eventually(s.t, 20*time.Second, "the admin address", func() bool {
		found = adminAddr.FindStringSubmatch(p.output())
		return found != nil
	})
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+found[1]+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%v is no TCP address", ln.Addr())
	}
	return addr.Port
}
