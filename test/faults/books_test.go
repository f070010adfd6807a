//go:build faults && linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/tasks"
	"github.com/layerq/layerq/test/rig"
)

// books are what became of the tasks of a row.
type books struct {
	Tasks    int // accepted
	Effects  int // that are there
	Twice    int // tasks with more than one
	Lost     int // tasks without one, and not in the archive with a reason
	Archived int
	Turned   int // messages that came before an earlier one of their conversation
	Repeated int // calls after one of the same task that was answered with success
	Recovery time.Duration
	Open     bool // it did not come to its end in Recovery
}

// allowed is what a row may show and be right all the same.
type allowed struct {
	archived func(*job) bool // jobs that must be archived; nil for none
	repeats  int             // at most this many calls more than needed; -1 for any number
	lost     func(*job) bool // accepted jobs that Redis may have forgotten; nil for none
	fails    bool            // Layer answers with failures: these spend attempts
}

const anyNumber = -1

// finish ends a row: it closes it, records its books, and fails it if it took too long until all was done.
func (s *site) finish(l *load, since time.Time, ok allowed, most time.Duration) {
	s.t.Helper()
	b := s.close(l, since, ok)
	s.record(b)
	s.within(b, most)
}

// close waits until everything is settled, stops the workers, and balances the books of
// the load. since is when the fault was over.
func (s *site) close(l *load, since time.Time, ok allowed) *books {
	s.t.Helper()
	took, settled := s.settle(since, patience)
	s.stopWorkers()
	b := s.balance(l, ok)
	b.Recovery, b.Open = took, !settled
	s.leftovers()
	return b
}

// within fails the row if it took too long until all was done.
func (s *site) within(b *books, most time.Duration) {
	s.t.Helper()
	if s.engine == layerq && b.Recovery > most {
		s.t.Errorf("all was done %v after the fault, which is to be within %v", b.Recovery.Round(time.Second), most)
	}
}

// accepted counts the tasks of all loads that are to be found.
func (s *site) accepted() int {
	n := 0
	for _, l := range s.loads {
		n += len(l.accepted())
	}
	return n
}

// missing is how long nothing may be open before it is believed that no more will come.
const missing = 10 * time.Second

// settle waits until every task is completed or archived, and returns how long
// that took since the fault was over, and whether it came to that.
func (s *site) settle(since time.Time, limit time.Duration) (took time.Duration, settled bool) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	if without("recovery") {
		deadline = time.Now().Add(min(limit, 2*recovery)) // what is not there by then does not come
	}
	if s.engine == bare {
		deadline = since.Add(barePatience)
		s.leavePlace() // it waits for leases, most of the time
	}
	store := queue.NewStore(s.redis.Client)
	var last []queue.Info
	var idle time.Time // since when nothing is open
	done := func() bool {
		ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
		defer cancel()
		infos, err := store.Queues(ctx)
		if err != nil {
			return false
		}
		last = infos
		open, ended := 0, 0
		for _, i := range infos {
			open += i.Pending + i.Waiting + i.Scheduled + i.Active + i.Retry
			ended += i.Completed + i.Archived
		}
		if open > 0 {
			idle = time.Time{}
			return false
		}
		if idle.IsZero() {
			idle = time.Now()
		}
		// Tasks may be missing: the books will tell.
		return ended >= s.accepted() || time.Since(idle) > missing
	}
	for !done() {
		if time.Now().After(deadline) {
			s.failf("not settled %v after the fault: %+v", time.Since(since).Round(time.Second), last)
			return time.Since(since), false
		}
		<-time.After(50 * time.Millisecond)
	}
	return max(0, idle.Sub(since)), true
}

// eventually waits for a state. In a row of bare asynq it need not come, and may take longer.
func (s *site) eventually(limit time.Duration, what string, holds func() bool) {
	s.t.Helper()
	if s.engine == layerq {
		rig.Eventually(s.t, limit, what, holds)
		return
	}
	s.leavePlace()
	for deadline := time.Now().Add(barePatience); !holds(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Logf("not within %v: %s", barePatience, what)
			return
		}
	}
}

// failf fails the row of layerq; what bare asynq does not keep, the table says.
func (s *site) failf(format string, args ...any) {
	s.t.Helper()
	if s.engine == bare {
		s.t.Logf(format, args...)
		return
	}
	s.t.Errorf(format, args...)
}

// balance counts what is there.
func (s *site) balance(l *load, ok allowed) *books {
	s.t.Helper()
	b := &books{Tasks: len(l.accepted())}
	texts := l.texts(s.t)
	seen := make(map[*job]int)
	s.countMessages(l, b, texts, seen)
	if s.engine == bare {
		s.balanceBare(l, b, seen)
		return b
	}
	states := s.states(l)
	s.countAnnouncements(l, texts, seen)
	s.countConversations(l, seen)
	s.countStates(l, states, seen)
	s.countDeletions(l, seen)
	s.early(l)
	for _, j := range l.accepted() {
		s.judge(b, j, seen[j], states[j], ok)
	}
	if !ok.fails {
		s.spent(l, states)
	}
	b.Repeated = s.repeats(l)
	if ok.repeats >= 0 && b.Repeated > ok.repeats {
		s.t.Errorf("%d calls were made after the task had been answered with success, at most %d are to be explained", b.Repeated, ok.repeats)
	}
	if b.Turned > 0 {
		s.t.Errorf("%d messages came before an earlier one of their conversation", b.Turned)
	}
	return b
}

// spent fails the row for tasks that have spent more than one attempt although Layer answered each call rightly: a
// worker that dies, and a connection that breaks, are no fault of the task's.
func (s *site) spent(l *load, states map[*job]*tasks.Info) {
	s.t.Helper()
	n := 0
	for _, j := range l.accepted() {
		if state := states[j]; state != nil && state.Attempts > 1 {
			if n++; n == 1 {
				s.t.Logf("%s %s (%s) has spent %d attempts", j.key, j.task.Type(), j.id, state.Attempts)
			}
		}
	}
	if n > 0 {
		s.t.Errorf("%d tasks have spent more than one attempt, and Layer failed with none", n)
	}
}

func (b *books) count(effects int) {
	b.Effects += min(effects, 1)
	switch {
	case effects == 0:
		b.Lost++
	case effects > 1:
		b.Twice++
	}
}

// judge is the verdict on one task.
func (s *site) judge(b *books, j *job, effects int, state *tasks.Info, ok allowed) {
	s.t.Helper()
	wantArchived := ok.archived != nil && ok.archived(j)
	switch {
	case state == nil && ok.lost != nil && ok.lost(j):
		s.t.Logf("%s was accepted at %s, and Redis has forgotten it", j.key, j.accepted)
		b.count(effects)
	case state == nil:
		s.t.Errorf("%s %s: Redis knows nothing of it", j.key, j.task.Type())
		b.count(effects)
	case state.State == tasks.StateArchived:
		b.Archived++
		if state.Error == "" {
			s.t.Errorf("%s is archived without a reason", j.key)
		}
		if !wantArchived {
			s.t.Errorf("%s %s is archived: %s", j.key, j.task.Type(), state.Error)
		}
		if effects > 1 {
			b.Twice++
		}
	default:
		b.count(effects)
		switch {
		case state.State != tasks.StateCompleted:
			s.t.Errorf("%s %s is %s", j.key, j.task.Type(), state.State)
		case wantArchived:
			s.t.Errorf("%s is completed, and was to be archived", j.key)
		case effects != 1:
			s.t.Errorf("%s %s (%s) has %d effects", j.key, j.task.Type(), j.id, effects)
		}
	}
}

// listAll is from the newest to the oldest.
var listAll layer.ListOptions

// states asks what users ask.
func (s *site) states(l *load) map[*job]*tasks.Info {
	s.t.Helper()
	client, err := tasks.NewClient(s.redis.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	jobs := l.accepted()
	infos := make([]*tasks.Info, len(jobs))
	abreast(len(jobs), func(i int) {
		info, err := client.Status(s.t.Context(), jobs[i].id)
		switch {
		case err == nil:
			infos[i] = info
		case !errors.Is(err, tasks.ErrNotFound): // which is judged
			s.t.Errorf("%s: %v", jobs[i].key, err)
		}
	})
	states := make(map[*job]*tasks.Info)
	for i, info := range infos {
		if info != nil { // else it is judged as unknown
			states[jobs[i]] = info
		}
	}
	return states
}

// abreast does something for each number below n, some of them at a time.
func abreast(n int, do func(i int)) {
	const width = 16
	var next atomic.Int64
	var all sync.WaitGroup
	for range width {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

func (s *site) countMessages(l *load, b *books, texts map[string]*job, seen map[*job]int) {
	s.t.Helper()
	for _, c := range l.conversations {
		var found []*job // oldest first
		for m, err := range s.emulator.API.Messages.All(s.t.Context(), c, listAll) {
			if err != nil {
				s.t.Fatalf("messages of %s: %v", c, err)
			}
			j := texts[m.Parts[0].Body]
			if j == nil {
				s.t.Errorf("a message that nobody sent: %q", m.Parts[0].Body)
				continue
			}
			seen[j]++
			found = append(found, j)
		}
		slices.Reverse(found)
		b.Turned += turned(found)
	}
}

func (s *site) countAnnouncements(l *load, texts map[string]*job, seen map[*job]int) {
	s.t.Helper()
	users := make(map[string]bool)
	for _, j := range l.jobs {
		if a, ok := j.task.(tasks.SendAnnouncement); ok {
			users[a.Recipients[0]] = true
		}
	}
	for user := range users {
		for a, err := range s.emulator.API.Announcements.AllAsUser(s.t.Context(), user, layer.AnnouncementListOptions{}) {
			if err != nil {
				s.t.Fatalf("announcements of %s: %v", user, err)
			}
			if j := texts[a.Parts[0].Body]; j != nil {
				seen[j]++
			}
		}
	}
}

func (s *site) countConversations(l *load, seen map[*job]int) {
	s.t.Helper()
	byNumber := make(map[string]*job)
	for _, j := range l.jobs {
		if c, ok := j.task.(tasks.CreateConversation); ok {
			number, _ := c.Metadata["job"].(string)
			byNumber[number] = j
		}
	}
	if len(byNumber) == 0 {
		return
	}
	for c, err := range s.emulator.API.Conversations.AllAsUser(s.t.Context(), l.name+"creator", layer.ConversationListOptions{}) {
		if err != nil {
			s.t.Fatalf("conversations: %v", err)
		}
		number, _ := c.Metadata["job"].(string)
		if j := byNumber[number]; j != nil {
			seen[j]++
		}
	}
}

// countStates is for what has no resource of its own. What is there at the end must be what the last task of the lane
// said; and of the calls that were answered with success there must be one for each task, in their order: else a task has
// had no effect, whatever came after it.
func (s *site) countStates(l *load, states map[*job]*tasks.Info, seen map[*job]int) {
	s.t.Helper()
	lanes, calls := make(map[string][]*job), s.callsOf(l)
	for _, j := range l.accepted() {
		if lane := laneOf(j.task); lane != "" && states[j] != nil && states[j].State == tasks.StateCompleted {
			lanes[lane] = append(lanes[lane], j)
		}
	}
	names := slices.Collect(maps.Keys(lanes))
	differs := make([]error, len(names))
	abreast(len(names), func(i int) {
		jobs := lanes[names[i]]
		differs[i] = s.holds(jobs[len(jobs)-1].task)
	})
	for i, lane := range names {
		jobs := lanes[lane]
		last := jobs[len(jobs)-1]
		for _, j := range called(jobs, calls[lane]) {
			seen[j]++
		}
		if err := differs[i]; err != nil {
			s.t.Errorf("%s: %s (%s) was the last of %d: %v", lane, last.key, last.task.Type(), len(jobs), err)
			seen[last] = 0
		}
	}
}

// countDeletions is for what must not be there.
func (s *site) countDeletions(l *load, seen map[*job]int) {
	s.t.Helper()
	var jobs []*job
	for _, j := range l.accepted() {
		if _, ok := j.task.(tasks.DeleteIdentity); ok {
			jobs = append(jobs, j)
		}
	}
	gone := make([]bool, len(jobs))
	abreast(len(jobs), func(i int) {
		_, err := s.emulator.API.Identities.Get(s.t.Context(), jobs[i].task.(tasks.DeleteIdentity).User) //nolint:errcheck,forcetypeassert // the others are left out above
		gone[i] = layer.CodeOf(err) == layer.CodeNotFound
	})
	for i, j := range jobs {
		if gone[i] {
			seen[j] = 1
		}
	}
}

// callsOf are the paths of the calls that were answered with success for tasks without a UUID, by lane.
func (s *site) callsOf(l *load) map[string][]string {
	s.t.Helper()
	lanes := make(map[string]string)
	for _, j := range l.jobs {
		if path := pathOf(j.task); path != "" {
			lanes[path] = laneOf(j.task)
		}
	}
	calls := make(map[string][]string)
	if len(lanes) == 0 {
		return calls
	}
	for _, r := range s.emulator.Requests(l.since) {
		if path := changed(s.t, r); path != "" && succeeded(r) {
			calls[lanes[path]] = append(calls[lanes[path]], path)
		}
	}
	return calls
}

// called are the jobs of a lane that have a call of their own: one after that of the job before.
func called(jobs []*job, calls []string) []*job {
	var have []*job
	for _, path := range calls {
		if len(have) < len(jobs) && pathOf(jobs[len(have)].task) == path {
			have = append(have, jobs[len(have)])
		}
	}
	return have
}

// laneOf names what tasks without a UUID of their own at Layer change.
func laneOf(t tasks.Task) string {
	switch t := t.(type) {
	case tasks.BlockUser:
		return "blocks of " + t.Owner
	case tasks.UnblockUser:
		return "blocks of " + t.Owner
	case tasks.UpsertIdentity:
		return "identity of " + t.User
	case tasks.UpdateIdentity:
		return "identity of " + t.User
	case tasks.SetBadge:
		return "badge of " + t.User
	case tasks.SuspendUser:
		return "suspension of " + t.User
	case tasks.UnsuspendUser:
		return "suspension of " + t.User
	case tasks.UpdateConversation:
		return "metadata of " + t.Conversation.String()
	}
	return ""
}

// holds reports what differs from what the task asked for.
func (s *site) holds(t tasks.Task) error {
	ctx, api := s.t.Context(), s.emulator.API
	blocked := func(owner, user string, want bool) error {
		list, err := api.Blocks.List(ctx, owner)
		if err == nil && slices.Contains(list, user) != want {
			return fmt.Errorf("blocked is %v", !want)
		}
		return err
	}
	named := func(user, want string) error {
		found, err := api.Identities.Get(ctx, user)
		if err == nil && found.DisplayName != want {
			return fmt.Errorf("the name is %q", found.DisplayName)
		}
		return err
	}
	suspended := func(user string, want bool) error {
		found, err := api.Users.Get(ctx, user)
		if layer.CodeOf(err) == layer.CodeNotFound {
			found, err = &layer.User{}, nil // Layer knows nobody of whom there is nothing to know
		}
		if err == nil && found.Suspended != want {
			return fmt.Errorf("suspended is %v", !want)
		}
		return err
	}
	switch t := t.(type) {
	case tasks.BlockUser:
		return blocked(t.Owner, t.User, true)
	case tasks.UnblockUser:
		return blocked(t.Owner, t.User, false)
	case tasks.UpsertIdentity:
		return named(t.User, t.Identity.DisplayName)
	case tasks.UpdateIdentity:
		return named(t.User, t.Properties["display_name"].(string)) //nolint:errcheck,forcetypeassert // the load writes nothing else
	case tasks.SuspendUser:
		return suspended(t.User, true)
	case tasks.UnsuspendUser:
		return suspended(t.User, false)
	case tasks.UpdateConversation:
		found, err := api.Conversations.Get(ctx, t.Conversation)
		if err == nil && found.Metadata[noteKey] != t.Operations[0].Value {
			return fmt.Errorf("the note is %v", found.Metadata[noteKey])
		}
		return err
	case tasks.SetBadge:
		found, err := api.Badges.Get(ctx, t.User)
		if err == nil && found.ExternalUnreadCount != *t.ExternalUnreadCount {
			return fmt.Errorf("the count is %d", found.ExternalUnreadCount)
		}
		return err
	}
	return nil
}

// repeats counts the calls that were made for a task after one was answered with
// success: by UUID where there is one, else by what they change.
func (s *site) repeats(l *load) int {
	s.t.Helper()
	repeated := 0
	var details []string
	done := make(map[string]bool)
	calls, want := make(map[string]int), make(map[string]int)
	for _, j := range l.jobs {
		if path := pathOf(j.task); path != "" && !j.accepted.IsZero() {
			want[path]++
		} else if path != "" {
			want[path] += 0 // it is the load's all the same
		}
	}
	for _, r := range s.emulator.Requests(l.since) {
		if l.byDedupe(r.Dedupe) != nil {
			if done[r.Dedupe] {
				repeated++
				details = append(details, fmt.Sprintf("%s %s %s %s %d", r.At.Format(time.StampMilli), r.Dedupe, r.Method, r.Path, r.Status))
			}
			done[r.Dedupe] = done[r.Dedupe] || succeeded(r)
			continue
		}
		path := changed(s.t, r)
		if _, ours := want[path]; ours && succeeded(r) {
			calls[path]++
		}
	}
	for path, n := range calls {
		if more := n - want[path]; more > 0 {
			repeated += more
			details = append(details, fmt.Sprintf("%s: %d calls for %d tasks", path, n, want[path]))
		}
	}
	const shown = 10
	for _, line := range details[:min(shown, len(details))] {
		s.t.Logf("repeated: %s", line)
	}
	return repeated
}

func succeeded(r layertest.Request) bool { return r.Status >= 200 && r.Status < 300 }

// changed is what a call changes, as pathOf has it; empty for one that tasks without a UUID do not make.
func changed(t *testing.T, r layertest.Request) string {
	t.Helper()
	if r.Method == http.MethodGet {
		return ""
	}
	_, path, found := strings.Cut(r.Path, "/users/")
	if !found && r.Method == http.MethodPatch {
		_, path, _ = strings.Cut(r.Path, "/conversations/")
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Method == http.MethodPatch {
		return patching + path
	}
	return path
}

// patching is before the paths of calls that change a part of what another call makes or replaces.
const patching = "PATCH "

// pathOf is where the calls of a task without a UUID go, below /users/ or /conversations/.
func pathOf(t tasks.Task) string {
	switch t := t.(type) {
	case tasks.BlockUser:
		return t.Owner + "/blocks"
	case tasks.UnblockUser:
		return t.Owner + "/blocks/" + t.User
	case tasks.UpsertIdentity:
		return t.User + "/identity"
	case tasks.DeleteIdentity:
		return t.User + "/identity"
	case tasks.SetBadge:
		return t.User + "/badge"
	case tasks.UpdateIdentity:
		return patching + t.User + "/identity"
	case tasks.SuspendUser:
		return patching + t.User
	case tasks.UnsuspendUser:
		return patching + t.User
	case tasks.UpdateConversation:
		return patching + t.Conversation.UUID().String()
	}
	return ""
}
