package layertest_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/layerq/layerq/layer/layertest"
)

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
	actions := m.restActions()
	maps.Copy(actions, map[string]func(*rapid.T){
		"create": func(rt *rapid.T) {
			c := newModelConversation(m.newID())
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
	})
	return actions
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
