//go:build limits && linux

package limits

import (
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// site is what workers run on: a redis-server and the emulator, each a process,
// and the ways to them.
type site struct {
	*rig.Fleet
	t        *testing.T
	redis    *rig.Redis
	emulator *rig.Emulator
	tasks    *tasks.Client
	rooms    []layer.ConversationID
}

// conversations are as many as let no task wait for another one of its conversation.
const conversations = 501

// newSite has workers with this environment, who reach the emulator directly.
func newSite(t *testing.T, env ...string) *site {
	t.Helper()
	return newSiteFarFrom(t, 0, 0, env...)
}

// newSiteFarFrom puts a network between the workers and the emulator that takes low to high
// for each request with its answer.
func newSiteFarFrom(t *testing.T, low, high time.Duration, env ...string) *site {
	t.Helper()
	// No fsync: no machine fails here, and a disk that others keep busy would stop Redis for seconds.
	s := &site{t: t, redis: rig.StartRedis(t, t.TempDir(), "no"), emulator: rig.StartEmulator(t, programs)}
	var err error
	if s.tasks, err = tasks.NewClientFromRedis(s.redis.Client); err != nil {
		t.Fatal(err)
	}
	for range conversations {
		s.rooms = append(s.rooms, s.emulator.Conversation(uuid.New()))
	}
	toLayer := s.emulator.Addr
	if high > 0 {
		network := rig.NewLink(t, s.emulator.Addr)
		network.Add(rig.Latency(low, high)...)
		toLayer = network.Addr()
	}
	all := append(s.emulator.Env(toLayer), "REDIS_URL="+s.redis.URL(), "LAYERQ_ADMIN_ADDR=127.0.0.1:0")
	if hasFile := func(v string) bool { return strings.HasPrefix(v, "LAYER_TOKEN_FILE=") }; slices.ContainsFunc(env, hasFile) {
		all = slices.DeleteFunc(all, func(v string) bool { return strings.HasPrefix(v, "LAYER_TOKEN=") })
	}
	s.Fleet = rig.NewFleet(t, programs.Path("worker"), append(all, env...)...)
	return s
}

// replace kills a worker with -9 and starts another in its place.
func (s *site) replace() {
	s.t.Helper()
	s.Replace(rand.IntN)
}

// arrivals are the workers' requests, in order of their arrival at the emulator.
func (s *site) arrivals() arrivals {
	s.t.Helper()
	var list arrivals
	for _, r := range s.emulator.Requests(conversations) {
		list = append(list, arrival{r.At, r.Status == http.StatusTooManyRequests, r.Path})
	}
	return list
}

// enqueue puts n messages into a queue, over all conversations, and returns their ids.
func (s *site) enqueue(n int, queue string) []uuid.UUID {
	s.t.Helper()
	requests := make([]tasks.Request, n)
	for i := range requests {
		requests[i] = message(s.rooms[i%len(s.rooms)], queue)
	}
	return s.enqueueAll(requests)
}

// enqueueAll enqueues tasks, and returns their ids.
func (s *site) enqueueAll(requests []tasks.Request) (ids []uuid.UUID) {
	s.t.Helper()
	answers, err := s.tasks.EnqueueMany(s.t.Context(), requests)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range answers {
		if a.Err != nil {
			s.t.Fatal(a.Err)
		}
		ids = append(ids, a.Info.ID)
	}
	return ids
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

var adminAddr = regexp.MustCompile(`admin address serves" addr=(\S+)`)

// admin returns a page of a worker's admin address.
func (s *site) admin(p *rig.Process, path string) string {
	s.t.Helper()
	var found []string
	rig.Eventually(s.t, 20*time.Second, "the admin address", func() bool {
		found = adminAddr.FindStringSubmatch(p.Output())
		return found != nil
	})
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+found[1]+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
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
