//go:build faults && linux

package faults

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/tasks"
)

// job is one task as the application means it.
type job struct {
	n    int
	key  string
	task tasks.Task
	id   uuid.UUID

	conversation layer.ConversationID // of a message
	text         string               // of a message or an announcement

	at time.Time     // when it is to be done at the earliest; zero for at once
	in time.Duration // after which delay; zero for none

	bareID string // that asynq gave it in the comparison

	sent     time.Time // when Enqueue was first asked
	accepted time.Time // zero until Enqueue said so
}

// load is what the application of a row enqueues.
type load struct {
	site          *site
	name          string // before every key, text and user: a row may have several loads
	jobs          []*job
	enqueued      int // how many of them have been handed over
	byID          map[uuid.UUID]*job
	conversations []layer.ConversationID
	since         int64          // requests of the emulator before
	bare          []asynq.Option // of its tasks in the comparison
}

// lanes is how many lanes of each kind a load has: few enough for tasks to wait for
// each other, many enough for workers to be busy.
func lanes(n int) int { return max(10, min(200, n/25)) }

// load makes n tasks: messages only for bare asynq, whose handler knows nothing else; for
// layerq two of three, and beside them what makes other resources and what carries
// no UUID.
func (s *site) load(n int) *load {
	s.t.Helper()
	l := s.emptyLoad(lanes(n))
	if s.engine == layerq {
		abreast(lanes(n), func(i int) { s.identity(l.user(i)) }) // only what is there can be changed
		l.since = s.emulator.Mark()
	}
	for i := range n {
		l.add(l.mixed(i, lanes(n)))
	}
	return l
}

// messages makes a load of messages only.
func (s *site) messages(n, conversations int) *load {
	s.t.Helper()
	l := s.emptyLoad(conversations)
	l.addMessages(n)
	return l
}

func (s *site) emptyLoad(conversations int) *load {
	s.t.Helper()
	l := &load{site: s, byID: make(map[uuid.UUID]*job), name: "load " + strconv.Itoa(len(s.loads)) + " "}
	for i := range conversations {
		id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s %d %s %d", s.row, s.seed, l.name, i))
		l.conversations = append(l.conversations, s.emulator.Conversation(id))
	}
	s.loads = append(s.loads, l)
	l.since = s.emulator.Mark()
	return l
}

func (l *load) add(j *job) *job {
	j.n = len(l.jobs)
	if j.key == "" {
		j.key = l.name + strconv.Itoa(j.n)
	}
	j.id = tasks.KeyID(j.task.Type(), j.key)
	l.jobs = append(l.jobs, j)
	l.byID[j.id] = j
	return j
}

// addMessages adds n messages, which the next enqueue hands over.
func (l *load) addMessages(n int) {
	for range n {
		l.add(l.message(len(l.jobs), ""))
	}
}

func (l *load) mixed(n, lanes int) *job {
	if l.site.engine == bare {
		return l.message(n, "")
	}
	lane, member := l.user(l.site.dice.n(lanes)), l.name+"member "+strconv.Itoa(l.site.dice.n(lanes))
	switch l.site.dice.n(24) {
	case 0:
		text := l.name + "announcement " + strconv.Itoa(n)
		return &job{text: text, task: tasks.SendAnnouncement{Recipients: []string{lane}, Sender: layer.Sender{Name: "Harbour"}, Parts: []tasks.Part{tasks.Text(text)}}}
	case 1:
		return &job{task: tasks.CreateConversation{Participants: []string{lane, l.name + "creator"}, Metadata: layer.Metadata{"job": l.name + strconv.Itoa(n)}}}
	case 2:
		if l.site.dice.n(2) == 0 {
			return &job{task: tasks.BlockUser{Owner: lane, User: "mallory"}}
		}
		return &job{task: tasks.UnblockUser{Owner: lane, User: "mallory"}}
	case 3:
		return &job{task: tasks.UpsertIdentity{User: lane, Identity: layer.Identity{DisplayName: "name " + strconv.Itoa(n)}}}
	case 4:
		return &job{task: tasks.SetBadge{User: lane, ExternalUnreadCount: &n}}
	case 5:
		c := l.conversations[l.site.dice.n(len(l.conversations))]
		return &job{task: tasks.UpdateConversation{Conversation: c, Operations: layer.Patch{}.Set("metadata."+noteKey, "note "+strconv.Itoa(n))}}
	case 6:
		return &job{task: tasks.UpdateIdentity{User: lane, Properties: map[string]any{"display_name": "name " + strconv.Itoa(n)}}}
	case 7:
		if l.site.dice.n(2) == 0 {
			return &job{task: tasks.SuspendUser{User: member}}
		}
		return &job{task: tasks.UnsuspendUser{User: member}}
	}
	return l.message(n, "")
}

// noteKey is where the metadata of a conversation has what the last change of it said.
const noteKey = "note"

// user is one of the load's, with an identity.
func (l *load) user(i int) string { return l.name + "user " + strconv.Itoa(i) }

func (l *load) message(n int, mark string) *job {
	c := l.conversations[l.site.dice.n(len(l.conversations))]
	text := fmt.Sprintf("%smessage %d%s", l.name, n, mark)
	return &job{
		conversation: c, text: text,
		task: tasks.SendMessage{Conversation: c, Sender: layer.Sender{Name: "Shop"}, Parts: []tasks.Part{tasks.Text(text)}},
	}
}

// batch is how many of n tasks go to Redis at once: few where there is time.
func batch(n int, over time.Duration) int {
	const most, least, batches = 500, 20, 100
	if over == 0 {
		return most
	}
	return max(least, n/batches)
}

// enqueue hands all tasks over that it has not handed over before, in their order, spread over a time. What is not
// accepted is tried again until it is: with the same keys, as applications do.
func (l *load) enqueue(over time.Duration) {
	l.site.t.Helper()
	l.enqueueThrough(l.site.redis.Addr(), over)
}

func (l *load) enqueueThrough(addr string, over time.Duration) {
	l.site.t.Helper()
	if l.site.engine == bare {
		l.enqueueBare(addr, over)
		return
	}
	client, err := tasks.NewClient("redis://" + addr)
	if err != nil {
		l.site.t.Fatal(err)
	}
	defer client.Close()
	l.spread(over, func(ctx context.Context, jobs []*job) []error {
		requests := make([]tasks.Request, len(jobs))
		for i, j := range jobs {
			requests[i] = tasks.Request{Task: j.task, Options: j.options()}
			if without("lanes") {
				requests[i].Options = append(requests[i].Options, tasks.Unordered())
			}
		}
		answers, _ := client.EnqueueMany(ctx, requests) // each answer has its error
		errs := make([]error, len(jobs))
		for i, a := range answers {
			errs[i] = a.Err
		}
		return errs
	})
}

// spread sends batches at even distances. A batch is complete before the next one
// begins, since the order of lanes is the order of acceptance.
func (l *load) spread(over time.Duration, send func(context.Context, []*job) []error) {
	l.site.t.Helper()
	all := l.jobs[l.enqueued:]
	l.enqueued = len(l.jobs)
	begin, size := time.Now(), batch(len(all), over)
	for first := 0; first < len(all); first += size {
		due := begin.Add(over * time.Duration(first) / time.Duration(len(all)))
		<-time.After(time.Until(due))
		jobs := all[first:min(first+size, len(all))]
		for tries := 0; len(jobs) > 0; tries++ {
			if tries > 300 {
				l.site.t.Fatalf("%d tasks are not accepted after %d tries", len(jobs), tries)
			}
			if tries > 0 {
				<-time.After(100 * time.Millisecond)
			}
			jobs = l.sendOnce(jobs, send)
		}
	}
}

// sendOnce returns the jobs from the first on that was not accepted.
func (l *load) sendOnce(jobs []*job, send func(context.Context, []*job) []error) []*job {
	var left []*job
	now := time.Now()
	for _, j := range jobs {
		if j.sent.IsZero() {
			j.sent = now
		}
	}
	for i, err := range send(l.site.t.Context(), jobs) {
		if err != nil {
			left = append(left, jobs[i])
			continue
		}
		jobs[i].accepted = time.Now()
	}
	return left
}

// accepted are the jobs that Enqueue said yes to.
func (l *load) accepted() []*job {
	var list []*job
	for _, j := range l.jobs {
		if !j.accepted.IsZero() {
			list = append(list, j)
		}
	}
	return list
}

// byDedupe is the job with the UUID that a call carried; nil if it carried none of the load's.
func (l *load) byDedupe(text string) *job {
	id, err := uuid.Parse(text)
	if err != nil {
		return nil
	}
	return l.byID[id]
}

func (l *load) texts(t *testing.T) map[string]*job {
	t.Helper()
	texts := make(map[string]*job)
	for _, j := range l.jobs {
		if j.text != "" {
			texts[j.text] = j
		}
	}
	return texts
}
