package layertest

import (
	"net/http"
	"net/url"
	"strings"
)

var messageUserRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/conversations/:conversation/messages", handle: (*call).listUserMessages},
	{method: http.MethodGet, path: "/apps/:app/users/:user/messages/:message", handle: (*call).getUserMessage},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/messages/:message", handle: (*call).deleteUserMessage, proxied: true},
	{method: http.MethodPost, path: "/apps/:app/users/:user/messages/:message/receipts", handle: (*call).sendReceipt, proxied: true},
}

// escapeSegment escapes a user id for a path. The service names + among what
// must be escaped, which url.PathEscape leaves alone.
func escapeSegment(s string) string { return strings.ReplaceAll(url.PathEscape(s), "+", "%2B") }

// userMessageOf finds the message of a call in the view of its user.
func (c *call) userMessageOf(a *app) (*member, *message, *failure) {
	u, f := c.viewer(a)
	if f != nil {
		return nil, nil, f
	}
	msg := a.messages[c.id("message")]
	if msg == nil || msg.deleted() || msg.conv.deleted {
		return nil, nil, absent("Message")
	}
	m := msg.conv.members[u.id]
	if m == nil || !m.sees(msg) {
		return nil, nil, absent("Message")
	}
	return m, msg, nil
}

// getUserMessage answers GET /apps/A/users/U/messages/M.
//
// Layer docs: platform, messages, retrieve one for a user.
func (c *call) getUserMessage() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		m, msg, f := c.userMessageOf(a)
		if f != nil {
			return answer{}, f
		}
		return rawAnswer(http.StatusOK, c.userMessage(m, msg)), nil
	})
}

// listUserMessages answers GET /apps/A/users/U/conversations/C/messages,
// newest first.
//
// Layer docs: platform, messages, retrieve all for a user.
func (c *call) listUserMessages() (answer, *failure) {
	page, f := c.page("messages")
	if f != nil {
		return answer{}, f
	}
	return c.read(func(a *app) (answer, *failure) {
		m, f := c.member(a)
		if f != nil {
			return answer{}, f
		}
		end, f := c.end(a, m.conv, page)
		if f != nil {
			return answer{}, f
		}
		list := []byte{'['}
		for i, n := end-1, 0; i >= 0 && n < page.size; i-- {
			if msg := m.conv.messages[i]; m.sees(msg) {
				list = c.userLetter(m, msg).appendRead(comma(list, n), c)
				n++
			}
		}
		return rawAnswer(http.StatusOK, append(list, ']')).withCount(m.visible), nil
	})
}

// deleteUserMessage answers DELETE /apps/A/users/U/messages/M.
//
// Layer docs: client/rest, messages, delete.
func (c *call) deleteUserMessage() (answer, *failure) {
	mode, f := c.deletionMode()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		m, msg, f := c.userMessageOf(tx.app)
		switch {
		case f != nil:
			return answer{}, f
		case mode == myDevices:
			m.forget(msg)
			tx.touch(msg)
		case !m.active:
			return answer{}, formerParticipant()
		default:
			tx.removeMessage(msg)
		}
		return noContent(), nil
	})
}

// forget hides a message from one user.
func (m *member) forget(msg *message) {
	m.lose(msg)
	msg.hide(m.user.id)
}

// lose takes a message that is about to go out of the counts of a view.
func (m *member) lose(msg *message) {
	if !m.sees(msg) {
		return
	}
	m.visible--
	if msg.unreadBy(m.user.id) {
		m.unread--
	}
}

// sendReceipt answers POST /apps/A/users/U/messages/M/receipts. What was read
// stays read.
//
// Layer docs: client/rest, receipts.
func (c *call) sendReceipt() (answer, *failure) {
	status, f := c.decodeReceipt()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		m, msg, f := c.userMessageOf(tx.app)
		if f != nil {
			return answer{}, f
		}
		if !msg.roster.has(m.user.id) || !status.after(msg.statusOf(m.user.id)) {
			return noContent(), nil
		}
		if status == read && msg.unreadBy(m.user.id) {
			m.unread--
		}
		marks := msg.mark()
		if marks.status == nil {
			marks.status = map[string]receipt{}
		}
		marks.status[m.user.id] = status
		tx.touch(msg)
		event := messageDelivered
		if status == read {
			event = messageRead
		}
		tx.tellMessage(event, msg, sender{name: m.user.id, isUser: true})
		return noContent(), nil
	})
}

func (c *call) decodeReceipt() (receipt, *failure) {
	body, f := c.decodeObject()
	switch {
	case f != nil:
		return "", f
	case !body.has("type"):
		return "", missing("type")
	case body["type"] == "read":
		return read, nil
	case body["type"] == "delivery":
		return delivered, nil
	default:
		return "", invalid("type", "it must be read or delivery")
	}
}

// after says whether r comes later in the life of a message than s.
func (r receipt) after(s receipt) bool { return r.rank() > s.rank() }

func (r receipt) rank() int {
	switch r {
	case read:
		return 2
	case delivered:
		return 1
	default:
		return 0
	}
}
