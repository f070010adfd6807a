package layertest_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is what the emulator should hold, kept the naive way: each view is a
// list of messages, and nothing is counted in advance.
type model struct {
	conversations []*modelConversation
	blocks        map[string]map[string]bool
	rest          modelRest
}

type modelConversation struct {
	id           string
	participants map[string]bool
	messages     []*modelMessage
	views        map[string]*modelView
	metadata     map[string]string
	distinct     bool
	deleted      bool
}

type modelMessage struct {
	id     string
	sender string
	to     map[string]bool
	read   map[string]bool
	hidden map[string]bool // from whom
	gone   bool
}

type modelView struct {
	messages []*modelMessage
	hidden   bool // the conversation was deleted by the user
	active   bool
}

func newModel() model { return model{blocks: map[string]map[string]bool{}, rest: newModelRest()} }

var modelUsers = []string{"ana", "boris", "chen"}

func (m *model) post(c *modelConversation, msg *modelMessage) {
	msg.to, msg.read, msg.hidden = maps.Clone(c.participants), map[string]bool{msg.sender: true}, map[string]bool{}
	c.messages = append(c.messages, msg)
	for u := range c.participants {
		if m.blocks[u][msg.sender] || m.blocks[msg.sender][u] {
			if u != msg.sender {
				msg.hidden[u] = true
				continue
			}
		}
		v := c.views[u]
		if v.hidden {
			v.hidden, v.messages = false, nil
		}
		v.messages = append(v.messages, msg)
	}
}

func (m *model) join(c *modelConversation, u string) {
	if c.participants[u] {
		return
	}
	c.participants[u], c.distinct = true, false
	v := &modelView{active: true}
	for _, msg := range c.messages {
		if !msg.gone && !msg.hidden[u] {
			v.messages = append(v.messages, msg)
		}
	}
	c.views[u] = v
}

func (m *model) leave(c *modelConversation, u string) {
	if c.participants[u] {
		c.distinct = false
		delete(c.participants, u)
		c.views[u].active = false
	}
}

func (m *model) remove(c *modelConversation, msg *modelMessage) {
	msg.gone = true
	for _, v := range c.views {
		v.messages = slices.DeleteFunc(v.messages, func(o *modelMessage) bool { return o == msg })
	}
}

func (v *modelView) ids() []string {
	out := []string{}
	for _, msg := range slices.Backward(v.messages) {
		out = append(out, msg.id)
	}
	return out
}

func (v *modelView) unread(u string) int {
	n := 0
	for _, msg := range v.messages {
		if msg.to[u] && !msg.read[u] {
			n++
		}
	}
	return n
}

// check compares what the emulator says with the model, from every side.
func (m *machine) check(rt *rapid.T) {
	stats, live, messages, blocks := m.e.Stats(), 0, 0, 0
	for _, c := range m.model.conversations {
		if !c.deleted {
			live++
			messages += m.checkConversation(rt, c)
		}
	}
	for _, list := range m.model.blocks {
		blocks += len(list)
	}
	if stats.Conversations != live || stats.Messages != messages || stats.Blocks != blocks {
		rt.Fatalf("got %+v, want %d conversations, %d messages, %d blocks", stats, live, messages, blocks)
	}
	for _, u := range modelUsers {
		m.checkUser(rt, u)
	}
	m.checkRest(rt)
}

type idJSON struct {
	ID           string   `json:"id"`
	Participants []string `json:"participants"`
	LastMessage  *idJSON  `json:"last_message"`
	Unread       int      `json:"unread_message_count"`
}

func idsOf(t *testing.T, a answer, kind string) []string {
	t.Helper()
	out := []string{}
	for _, x := range parse[[]idJSON](t, a.body) {
		out = append(out, x.ID[len("layer:///"+kind+"/"):])
	}
	return out
}

func (m *machine) checkConversation(rt *rapid.T, c *modelConversation) int {
	all := []string{}
	for _, msg := range slices.Backward(c.messages) {
		if !msg.gone {
			all = append(all, msg.id)
		}
	}
	got := m.do(rt, 200, "GET", "/conversations/"+c.id+"/messages", "")
	if diff := cmp.Diff(all, idsOf(m.t, got, "messages")); diff != "" {
		rt.Fatalf("messages of %s (-want +got):\n%s", c.id, diff)
	}
	for u, v := range c.views {
		if v.hidden {
			m.do(rt, 404, "GET", "/users/"+u+"/conversations/"+c.id, "")
			continue
		}
		list := m.do(rt, 200, "GET", "/users/"+u+"/conversations/"+c.id+"/messages", "")
		if diff := cmp.Diff(v.ids(), idsOf(m.t, list, "messages")); diff != "" {
			rt.Fatalf("what %s sees of %s (-want +got):\n%s", u, c.id, diff)
		}
		if count := list.header.Get("Layer-Count"); count != strconv.Itoa(len(v.messages)) {
			rt.Fatalf("what %s sees of %s: Layer-Count %s, want %d", u, c.id, count, len(v.messages))
		}
		one := parse[idJSON](m.t, m.do(rt, 200, "GET", "/users/"+u+"/conversations/"+c.id, "").body)
		want := []string{}
		if v.active {
			want = slices.Sorted(maps.Keys(c.participants))
			slices.Reverse(want)
		}
		last := ""
		if one.LastMessage != nil {
			last = one.LastMessage.ID[len("layer:///messages/"):]
		}
		if first := append(v.ids(), "")[0]; last != first || one.Unread != v.unread(u) || !slices.Equal(one.Participants, want) {
			rt.Fatalf("%s sees %s as %+v, want last message %q, %d unread, participants %v", u, c.id, one, first, v.unread(u), want)
		}
	}
	return len(all)
}

func (m *machine) checkUser(rt *rapid.T, u string) {
	want, unread, known := []string{}, 0, m.model.rest.knows(u)
	for _, c := range slices.Backward(m.model.conversations) {
		v := c.views[u]
		known = known || v != nil
		if v != nil && !v.hidden && !c.deleted {
			want = append(want, c.id)
			unread += v.unread(u)
		}
	}
	if !known {
		m.do(rt, 404, "GET", "/users/"+u+"/conversations", "")
		return
	}
	if diff := cmp.Diff(want, idsOf(m.t, m.do(rt, 200, "GET", "/users/"+u+"/conversations", ""), "conversations")); diff != "" {
		rt.Fatalf("conversations of %s (-want +got):\n%s", u, diff)
	}
	type badge struct {
		Messages int `json:"unread_message_count"`
	}
	if got := parse[badge](m.t, m.do(rt, 200, "GET", "/users/"+u+"/badge", "").body); got.Messages != unread {
		rt.Fatalf("the badge of %s says %d unread, want %d", u, got.Messages, unread)
	}
}

// TestAnySequenceLeavesWhatTheModelSays is the law of the emulator's state.
func TestAnySequenceLeavesWhatTheModelSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, model: newModel()}
		m.open(rt)
		defer m.e.Close()
		rt.Repeat(m.actions())
	})
}

// TestAnySequenceSurvivesRestarts is the same law for an emulator that keeps
// its state and is stopped and started in between.
func TestAnySequenceSurvivesRestarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, dir: t.TempDir(), model: newModel()}
		m.open(rt)
		defer func() { m.e.Close() }()
		rt.Repeat(m.actions())
	})
}
