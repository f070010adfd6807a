package layertest

import "math"

// member is a user's view of a conversation: everyone who ever was a
// participant has one.
type member struct {
	conv   *conversation
	user   *user
	active bool // a participant now
	hidden bool // deleted by the user from its own devices
	from   uint64
	until  uint64 // the messages of the view, by seq, both ends included

	visible int // messages in the view
	unread  int // of these, addressed to the user and not read
}

// join makes a user a participant. The view of who comes, or comes back, gets
// the whole history.
func (a *app) join(conv *conversation, id string) {
	m := conv.members[id]
	if m == nil {
		m = &member{conv: conv, user: a.user(id)}
		conv.members[id] = m
		m.user.known = true
		m.user.members = append(m.user.members, m)
	}
	m.active, m.hidden, m.from, m.until = true, false, 1, math.MaxUint64
	m.recount()
}

// leave ends a user's participation; the view ends there, too.
func (m *member) leave() {
	m.active = false
	m.until = m.conv.seq
}

// recount computes what is otherwise kept up to date message by message.
func (m *member) recount() {
	m.visible, m.unread = 0, 0
	for _, msg := range m.conv.messages {
		if m.sees(msg) {
			m.visible++
			if msg.unreadBy(m.user.id) {
				m.unread++
			}
		}
	}
}

// sees says whether a message is in the view.
func (m *member) sees(msg *message) bool {
	return !m.hidden && m.from <= msg.seq && msg.seq <= m.until && !msg.hiddenFrom(m.user.id)
}
