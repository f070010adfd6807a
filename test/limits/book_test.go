//go:build limits && linux

package limits

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// book is what was enqueued, and what must have become of it.
type book struct {
	s     *site
	ids   []uuid.UUID
	texts map[layer.ConversationID][]string // in the order in which they were enqueued
}

func (s *site) book() *book { return &book{s: s, texts: make(map[layer.ConversationID][]string)} }

// send enqueues n messages, over so many of the conversations.
func (b *book) send(n, rooms int) {
	b.s.t.Helper()
	to := make([]layer.ConversationID, n)
	for i := range to {
		to[i] = b.s.rooms[i%rooms]
	}
	b.enqueue(to)
}

// sendTo enqueues n messages to one conversation.
func (b *book) sendTo(room layer.ConversationID, n int) {
	b.s.t.Helper()
	b.enqueue(slices.Repeat([]layer.ConversationID{room}, n))
}

func (b *book) enqueue(to []layer.ConversationID) {
	b.s.t.Helper()
	requests := make([]tasks.Request, len(to))
	for i, room := range to {
		text := strconv.Itoa(len(b.texts[room]))
		b.texts[room] = append(b.texts[room], text)
		requests[i] = tasks.Request{Task: tasks.SendMessage{
			Conversation: room, Sender: layer.Sender{UserID: "alice"}, Parts: []tasks.Part{tasks.Text(text)},
		}}
	}
	b.ids = append(b.ids, b.s.enqueueAll(requests)...)
}

// done waits until all is done, and judges: each message is there once, in the order in which it was
// enqueued, and none took more attempts than given.
func (b *book) done(within time.Duration, attempts int) {
	b.s.t.Helper()
	b.allDone(within)
	b.judge(attempts)
}

func (b *book) allDone(within time.Duration) {
	b.s.t.Helper()
	rig.Eventually(b.s.t, within, "all are done", func() bool {
		q := b.s.queue("default")
		return q.Completed+q.Archived == len(b.ids)
	})
}

func (b *book) judge(attempts int) {
	b.s.t.Helper()
	t := b.s.t
	most := 0
	for _, id := range b.ids {
		info, err := b.s.tasks.Status(t.Context(), id)
		if err != nil {
			t.Errorf("task %s: %v", id, err)
			continue
		}
		if info.State != tasks.StateCompleted {
			t.Errorf("task %s is %s: %s", id, info.State, info.Error)
		}
		most = max(most, info.Attempts)
	}
	if most > attempts {
		t.Errorf("a task took %d attempts, want %d at most", most, attempts)
	}
	for room, want := range b.texts {
		if got := b.s.messages(room); !slices.Equal(got, want) {
			t.Errorf("%s has %d messages, want %d, each once and in order:\n%v", room, len(got), len(want), got)
		}
	}
	t.Logf("%d tasks done, %d attempts at most", len(b.ids), most)
}

// messages are those of a conversation, oldest first.
func (s *site) messages(room layer.ConversationID) (texts []string) {
	s.t.Helper()
	for m, err := range s.emulator.API.Messages.All(s.t.Context(), room, layer.ListOptions{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		texts = append(texts, m.Parts[0].Body)
	}
	slices.Reverse(texts)
	return texts
}

// calls are the messages that workers sent between two times.
func (s *site) calls(from, to time.Time) (list []layertest.Request) {
	s.t.Helper()
	for _, r := range s.emulator.Requests(conversations) {
		if r.Method == http.MethodPost && !r.At.Before(from) && r.At.Before(to) {
			list = append(list, r)
		}
	}
	return list
}

// backAt is how long after a time a second begins in which n calls were answered with success; negative if none does.
func (s *site) backAt(since time.Time, n int) time.Duration {
	s.t.Helper()
	var good []time.Time
	for _, r := range s.calls(since, time.Now()) {
		if r.Status < http.StatusMultipleChoices && r.Status != 0 {
			good = append(good, r.At)
		}
	}
	for i := 0; i+n <= len(good); i++ {
		if good[i+n-1].Sub(good[i]) < time.Second {
			return good[i].Sub(since)
		}
	}
	return -1
}

// memory is what Redis uses, in bytes.
func (s *site) memory() float64 {
	s.t.Helper()
	info, err := s.redis.Client.InfoMap(s.t.Context(), "memory").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return number(s.t, info["Memory"]["used_memory"])
}

// sometimes is a share of calls that fail, each kind of failure as often.
func sometimes(share float64, rules ...layertest.Rule) []layertest.Rule {
	for i := range rules {
		rules[i].Match.Method = http.MethodPost
		p := share / float64(len(rules))
		rules[i].Probability = &p
	}
	return rules
}

// inLong chooses by the form in which the suite runs.
func inLong[T any](yes, no T) T {
	if *long {
		return yes
	}
	return no
}

// pass lets time pass in which nothing is to be waited for: what is judged is what happens meanwhile.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
