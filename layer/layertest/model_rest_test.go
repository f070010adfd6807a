package layertest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// modelRest is what the emulator holds beside messages and their views.
type modelRest struct {
	identities    map[string]map[string]string
	badges        map[string]int
	announcements []*modelAnnouncement
}

type modelAnnouncement struct {
	id      string
	to      map[string]bool
	read    map[string]bool
	deleted map[string]bool
}

func newModelRest() modelRest {
	return modelRest{identities: map[string]map[string]string{}, badges: map[string]int{}}
}

// knows says whether a user exists by an identity or an announcement.
func (r *modelRest) knows(user string) bool {
	return r.identities[user] != nil || slices.ContainsFunc(r.announcements, func(n *modelAnnouncement) bool { return n.to[user] })
}

func newModelConversation(id string) *modelConversation {
	return &modelConversation{id: id, participants: map[string]bool{}, views: map[string]*modelView{}, metadata: map[string]string{}}
}

func (m *machine) users(rt *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(modelUsers), 1, 3, rapid.ID).Draw(rt, "users")
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func setOf(users []string) map[string]bool {
	set := map[string]bool{}
	for _, u := range users {
		set[u] = true
	}
	return set
}

func (m *machine) restActions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create distinct": func(rt *rapid.T) {
			users := m.users(rt)
			id := m.newID()
			body := fmt.Sprintf(`{"participants":%s,"distinct":true}`, text(users))
			for _, c := range m.model.conversations {
				if c.distinct && !c.deleted && maps.Equal(c.participants, setOf(users)) {
					a := m.do(rt, 200, "POST", "/conversations", body, "If-None-Match", id)
					if !strings.Contains(a.body, c.id) {
						rt.Fatalf("got %s, want %s", a.body, c.id)
					}
					m.do(rt, 409, "POST", "/conversations", strings.TrimSuffix(body, "}")+`,"metadata":{"nobody":"has this"}}`)
					return
				}
			}
			m.do(rt, 201, "POST", "/conversations", body, "If-None-Match", id)
			c := newModelConversation(id)
			for _, u := range users {
				m.model.join(c, u)
			}
			c.distinct = true
			m.model.conversations = append(m.model.conversations, c)
		},
		"replace participants": func(rt *rapid.T) {
			c, users := m.conversation(rt), m.users(rt)
			m.do(rt, 204, "PATCH", "/conversations/"+c.id, fmt.Sprintf(`[{"operation":"set","property":"participants","value":%s}]`, text(users)))
			for _, u := range modelUsers {
				if slices.Contains(users, u) {
					m.model.join(c, u)
				} else {
					m.model.leave(c, u)
				}
			}
		},
		"metadata": func(rt *rapid.T) {
			c, key, value := m.conversation(rt), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key"), rapid.SampledFrom([]string{"x", "y", ""}).Draw(rt, "value")
			op := fmt.Sprintf(`{"operation":"set","property":"metadata.%s","value":%q}`, key, value)
			if value == "" {
				op = fmt.Sprintf(`{"operation":"delete","property":"metadata.%s"}`, key)
				delete(c.metadata, key)
			} else {
				c.metadata[key] = value
			}
			m.do(rt, 204, "PATCH", "/conversations/"+c.id, "["+op+"]")
			m.do(rt, 422, "PATCH", "/conversations/"+c.id, `[{"operation":"set","property":"metadata.a","value":"undone"},{"operation":"set","property":"metadata.b","value":7}]`)
		},
		"delete for everyone, as a user": func(rt *rapid.T) {
			c, u, v := m.view(rt)
			if rapid.IntRange(0, 3).Draw(rt, "seldom") > 0 {
				rt.Skip("not now")
			}
			path := "/users/" + u + "/conversations/" + c.id + "?mode=all_participants"
			if !v.active {
				m.do(rt, 403, "DELETE", path, "")
				return
			}
			m.do(rt, 204, "DELETE", path, "")
			c.deleted = true
		},
		"create identity": func(rt *rapid.T) {
			u := m.user(rt)
			status := 201
			if m.model.rest.identities[u] != nil {
				status = 409
			} else {
				m.model.rest.identities[u] = map[string]string{"display_name": u}
			}
			m.do(rt, status, "POST", "/users/"+u+"/identity", `{"display_name":"`+u+`"}`)
		},
		"change identity": func(rt *rapid.T) {
			u, name := m.user(rt), rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "name")
			status := 204
			if id := m.model.rest.identities[u]; id == nil {
				status = 404
			} else if rapid.Bool().Draw(rt, "whole") {
				m.model.rest.identities[u] = map[string]string{"display_name": name}
				m.do(rt, status, "PUT", "/users/"+u+"/identity", `{"display_name":"`+name+`"}`)
				return
			} else {
				id["last_name"] = name
			}
			m.do(rt, status, "PATCH", "/users/"+u+"/identity", `[{"operation":"set","property":"last_name","value":"`+name+`"}]`)
		},
		"delete identity": func(rt *rapid.T) {
			u := m.user(rt)
			status := 204
			if m.model.rest.identities[u] == nil {
				status = 404
			}
			delete(m.model.rest.identities, u)
			m.do(rt, status, "DELETE", "/users/"+u+"/identity", "")
		},
		"badge": func(rt *rapid.T) {
			u, n := m.user(rt), rapid.IntRange(0, 3).Draw(rt, "n")
			m.model.rest.badges[u] = n
			m.do(rt, 204, "PUT", "/users/"+u+"/badge", fmt.Sprintf(`{"external_unread_count":%d}`, n))
		},
		"suspend and back": func(rt *rapid.T) {
			u := m.user(rt)
			set := func(to bool) {
				m.do(rt, 202, "PATCH", "/users/"+u, fmt.Sprintf(`[{"operation":"set","property":"suspended","value":%v}]`, to))
			}
			status := 404
			known := m.model.rest.knows(u) || slices.ContainsFunc(m.model.conversations, func(c *modelConversation) bool { return c.views[u] != nil })
			if known {
				status = 403
			}
			set(true)
			m.do(rt, status, "GET", "/users/"+u+"/conversations", "")
			set(false)
		},
		"announce": func(rt *rapid.T) {
			n := &modelAnnouncement{id: m.newID(), to: setOf(m.users(rt)), read: map[string]bool{}, deleted: map[string]bool{}}
			body := fmt.Sprintf(`{"recipients":%s,"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`, text(slices.Collect(maps.Keys(n.to))))
			for range rapid.IntRange(1, 2).Draw(rt, "times") {
				m.do(rt, 202, "POST", "/announcements", body, "If-None-Match", n.id)
			}
			m.model.rest.announcements = append(m.model.rest.announcements, n)
		},
		"read or delete an announcement": func(rt *rapid.T) {
			if len(m.model.rest.announcements) == 0 {
				rt.Skip("none")
			}
			n, u := rapid.SampledFrom(m.model.rest.announcements).Draw(rt, "announcement"), m.user(rt)
			path, status := "/users/"+u+"/announcements/"+n.id, 204
			if !n.to[u] || n.deleted[u] {
				status = 404
			}
			if rapid.Bool().Draw(rt, "delete") {
				m.do(rt, status, "DELETE", path, "")
				n.deleted[u] = true
				return
			}
			m.do(rt, status, "POST", path+"/receipts", `{"type":"read"}`)
			n.read[u] = true
		},
	}
}

func (m *machine) checkRest(rt *rapid.T) {
	for _, c := range m.model.conversations {
		if c.deleted {
			m.do(rt, 410, "GET", "/conversations/"+c.id, "")
			continue
		}
		got := parse[struct {
			Metadata map[string]string `json:"metadata"`
			Distinct bool              `json:"distinct"`
		}](m.t, m.do(rt, 200, "GET", "/conversations/"+c.id, "").body)
		if !maps.Equal(got.Metadata, c.metadata) || got.Distinct != c.distinct {
			rt.Fatalf("%s is %+v, want metadata %v, distinct %v", c.id, got, c.metadata, c.distinct)
		}
	}
	for _, u := range modelUsers {
		m.checkRestOf(rt, u)
	}
}

func (m *machine) checkRestOf(rt *rapid.T, u string) {
	if id := m.model.rest.identities[u]; id == nil {
		m.do(rt, 404, "GET", "/users/"+u+"/identity", "")
	} else {
		got := parse[map[string]any](m.t, m.do(rt, 200, "GET", "/users/"+u+"/identity", "").body)
		for _, name := range []string{"display_name", "last_name"} {
			if want, there := id[name]; there != (got[name] != nil) || there && got[name] != want {
				rt.Fatalf("the identity of %s is %v, want %v", u, got, id)
			}
		}
	}
	badge := m.do(rt, 200, "GET", "/users/"+u+"/badge", "").body
	if want := fmt.Sprintf(`"external_unread_count":%d,`, m.model.rest.badges[u]); !strings.Contains(badge, want) {
		rt.Fatalf("the badge of %s is %s, want %s", u, badge, want)
	}
	var want []string
	for _, n := range slices.Backward(m.model.rest.announcements) {
		if n.to[u] && !n.deleted[u] {
			want = append(want, fmt.Sprint(n.id, " unread ", !n.read[u]))
		}
	}
	known := m.model.rest.knows(u) || slices.ContainsFunc(m.model.conversations, func(c *modelConversation) bool { return c.views[u] != nil })
	if !known {
		m.do(rt, 404, "GET", "/users/"+u+"/announcements", "")
		return
	}
	var got []string
	for _, n := range parse[[]struct {
		ID     string `json:"id"`
		Unread bool   `json:"is_unread"`
	}](m.t, m.do(rt, 200, "GET", "/users/"+u+"/announcements", "").body) {
		got = append(got, fmt.Sprint(strings.TrimPrefix(n.ID, "layer:///announcements/"), " unread ", n.Unread))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("announcements of %s (-want +got):\n%s", u, diff)
	}
}
