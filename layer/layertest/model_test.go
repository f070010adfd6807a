package layertest_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/layer/layertest"
)

// model is what the emulator should hold, kept the naive way: each view is a
// list of messages, and nothing is counted in advance.
type model struct {
	conversations []*modelConversation
	blocks        map[string]map[string]bool
}

type modelConversation struct {
	id           string
	participants map[string]bool
	messages     []*modelMessage
	views        map[string]*modelView
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
	c.participants[u] = true
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

// machine runs the same operations on the emulator and on the model.
type machine struct {
	t     *testing.T
	dir   string
	e     *layertest.Emulator
	model model
	next  int
}

func (m *machine) do(rt *rapid.T, want int, method, path, body string, headers ...string) answer {
	a := direct(m.t, m.e, method, app+path, body, headers...)
	if a.status != want {
		rt.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, a.status, a.body, want)
	}
	return a
}

func (m *machine) newID() string {
	m.next++
	return uuid.NewSHA1(uuid.Nil, []byte(strconv.Itoa(m.next))).String()
}

func (m *machine) user(rt *rapid.T) string { return rapid.SampledFrom(modelUsers).Draw(rt, "user") }

// conversation draws one that is not deleted.
func (m *machine) conversation(rt *rapid.T) *modelConversation {
	live := slices.DeleteFunc(slices.Clone(m.model.conversations), func(c *modelConversation) bool { return c.deleted })
	if len(live) == 0 {
		rt.Skip("no conversation") // rapid draws another action
	}
	return rapid.SampledFrom(live).Draw(rt, "conversation")
}

// view draws a view that shows its conversation.
func (m *machine) view(rt *rapid.T) (*modelConversation, string, *modelView) {
	c, u := m.conversation(rt), m.user(rt)
	v := c.views[u]
	if v == nil || v.hidden {
		rt.Skip("not in view")
	}
	return c, u, v
}

func (m *machine) message(rt *rapid.T) (*modelConversation, string, *modelView, *modelMessage) {
	c, u, v := m.view(rt)
	if len(v.messages) == 0 {
		rt.Skip("no message")
	}
	return c, u, v, rapid.SampledFrom(v.messages).Draw(rt, "message")
}

func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create": func(rt *rapid.T) {
			c := &modelConversation{id: m.newID(), participants: map[string]bool{}, views: map[string]*modelView{}}
			for _, u := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelUsers), 1, 3, rapid.ID).Draw(rt, "users") {
				m.model.join(c, u)
			}
			body := fmt.Sprintf(`{"participants":%q}`, slices.Collect(maps.Keys(c.participants)))
			m.do(rt, 201, "POST", "/conversations", commas(body), "If-None-Match", c.id)
			m.model.conversations = append(m.model.conversations, c)
		},
		"send": func(rt *rapid.T) {
			c, u := m.conversation(rt), m.user(rt)
			if !c.participants[u] {
				rt.Skip("no participant")
			}
			msg := &modelMessage{id: m.newID(), sender: u}
			for range rapid.IntRange(1, 2).Draw(rt, "times") { // once, whatever the times
				m.do(rt, 201, "POST", "/conversations/"+c.id+"/messages", textFrom(u, "x"), "If-None-Match", msg.id)
			}
			m.model.post(c, msg)
		},
		"add": func(rt *rapid.T) {
			c, u := m.conversation(rt), m.user(rt)
			m.do(rt, 204, "PATCH", "/conversations/"+c.id, fmt.Sprintf(`[{"operation":"add","property":"participants","value":%q}]`, u))
			m.model.join(c, u)
		},
		"remove": func(rt *rapid.T) {
			c, u := m.conversation(rt), m.user(rt)
			m.do(rt, 204, "PATCH", "/conversations/"+c.id, fmt.Sprintf(`[{"operation":"remove","property":"participants","value":%q}]`, u))
			m.model.leave(c, u)
		},
		"read": func(rt *rapid.T) {
			_, u, _, msg := m.message(rt)
			m.do(rt, 204, "POST", "/users/"+u+"/messages/"+msg.id+"/receipts", `{"type":"read"}`)
			msg.read[u] = true
		},
		"deliver": func(rt *rapid.T) {
			_, u, _, msg := m.message(rt)
			m.do(rt, 204, "POST", "/users/"+u+"/messages/"+msg.id+"/receipts", `{"type":"delivery"}`)
		},
		"delete message": func(rt *rapid.T) {
			c, _, _, msg := m.message(rt)
			m.do(rt, 204, "DELETE", "/conversations/"+c.id+"/messages/"+msg.id, "")
			m.model.remove(c, msg)
		},
		"delete message for me": func(rt *rapid.T) {
			_, u, v, msg := m.message(rt)
			m.do(rt, 204, "DELETE", "/users/"+u+"/messages/"+msg.id+"?mode=my_devices", "")
			msg.hidden[u] = true
			v.messages = slices.DeleteFunc(v.messages, func(o *modelMessage) bool { return o == msg })
		},
		"delete for me": func(rt *rapid.T) {
			c, u, v := m.view(rt)
			leave := rapid.Bool().Draw(rt, "leave")
			m.do(rt, 204, "DELETE", fmt.Sprintf("/users/%s/conversations/%s?mode=my_devices&leave=%v", u, c.id, leave), "")
			v.hidden, v.messages = true, nil
			if leave {
				m.model.leave(c, u)
			}
		},
		"delete": func(rt *rapid.T) {
			if rapid.IntRange(0, 3).Draw(rt, "seldom") > 0 {
				rt.Skip("not now")
			}
			c := m.conversation(rt)
			m.do(rt, 204, "DELETE", "/conversations/"+c.id, "")
			c.deleted = true
		},
		"block": func(rt *rapid.T) {
			u, v := m.user(rt), m.user(rt)
			m.do(rt, 204, "POST", "/users/"+u+"/blocks", fmt.Sprintf(`{"user_id":%q}`, v))
			if m.model.blocks[u] == nil {
				m.model.blocks[u] = map[string]bool{}
			}
			m.model.blocks[u][v] = true
		},
		"unblock": func(rt *rapid.T) {
			u, v := m.user(rt), m.user(rt)
			m.do(rt, 204, "DELETE", "/users/"+u+"/blocks/"+v, "")
			delete(m.model.blocks[u], v)
		},
		"restart": func(rt *rapid.T) {
			if m.dir == "" {
				rt.Skip("in memory")
			}
			if err := m.e.Close(); err != nil {
				rt.Fatal(err)
			}
			m.open(rt)
		},
		"": m.check,
	}
}

func (m *machine) open(rt *rapid.T) {
	if m.dir == "" {
		m.e = layertest.New(layertest.Config{})
		return
	}
	var err error
	if m.e, err = layertest.Open(m.dir, layertest.Config{}); err != nil {
		rt.Fatal(err)
	}
}

// commas makes a JSON array of the %q of a slice.
func commas(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r == ' ' {
			r = ','
		}
		out = append(out, r)
	}
	return string(out)
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
	want, unread, known := []string{}, 0, false
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
		m := &machine{t: t, model: model{blocks: map[string]map[string]bool{}}}
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
		m := &machine{t: t, dir: t.TempDir(), model: model{blocks: map[string]map[string]bool{}}}
		m.open(rt)
		defer func() { m.e.Close() }()
		rt.Repeat(m.actions())
	})
}
