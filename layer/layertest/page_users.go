package layertest

import (
	"cmp"
	"net/http"
	"slices"
)

const (
	shownUsers         = 200
	shownAnnouncements = 5
	shownPushes        = 50
)

type shownUser struct {
	ID            string
	Suspended     bool
	Identity      []property
	Blocks        []string
	Unread        int
	Badge         int
	Queued        int // patches that have not taken effect yet
	Announcements []shownMessage
}

type property struct{ Name, Value string }

// shownPush is a notification that came without a message.
type shownPush struct {
	At         string
	Recipients []string
	Text       string
}

func (e *Emulator) pageUsers(w http.ResponseWriter, r *http.Request) {
	a, f := e.frame(r, "Users", "Users")
	data := struct {
		frame
		Users  []shownUser
		Pushes []shownPush
		excerpt
	}{frame: f}
	a.mu.RLock()
	ids := make([]string, 0, len(a.users))
	for id := range a.users {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	data.excerpt = excerptOf(r, len(ids), shownUsers)
	queued := map[string]int{}
	for _, p := range a.queued {
		queued[p.user]++
	}
	for _, id := range ids[data.begin:data.end] {
		data.Users = append(data.Users, showUser(a.users[id]))
		data.Users[len(data.Users)-1].Queued = queued[id]
	}
	for _, p := range slices.Backward(a.pushes[max(0, len(a.pushes)-shownPushes):]) {
		data.Pushes = append(data.Pushes, shownPush{showTime(p.at), p.recipients, p.text})
	}
	a.mu.RUnlock()
	show(w, http.StatusOK, "users.html", data)
}

// showUser copies a user for a page. The caller holds the lock.
func showUser(u *user) shownUser {
	s := shownUser{ID: u.id, Suspended: u.suspended, Blocks: u.blocks.ids(), Badge: u.badge}
	for key, v := range u.identity {
		switch v := v.(type) {
		case string:
			s.Identity = append(s.Identity, property{key, v})
		case map[string]any:
			s.Identity = append(s.Identity, property{key, string(marshal(v))})
		}
	}
	slices.SortFunc(s.Identity, func(a, b property) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range u.members {
		s.Unread += m.unread
	}
	for _, d := range slices.Backward(u.inbox) {
		if d.deleted || len(s.Announcements) == shownAnnouncements {
			continue
		}
		n := shownMessage{Sender: d.sender.name, At: showTime(d.sentAt)}
		for _, p := range d.parts {
			n.Parts = append(n.Parts, showPart(p))
		}
		s.Announcements = append(s.Announcements, n)
	}
	return s
}
