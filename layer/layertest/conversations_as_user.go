package layertest

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

var conversationUserRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/conversations", handle: (*call).listUserConversations},
	{method: http.MethodGet, path: "/apps/:app/users/:user/conversations/:conversation", handle: (*call).getUserConversation},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/conversations/:conversation", handle: (*call).deleteUserConversation, proxied: true},
}

// wireUserConversation is a conversation as one of its users sees it.
type wireUserConversation struct {
	wireConversation
	LastMessage jsontext.Value `json:"last_message"`
	Unread      int            `json:"unread_message_count"`
}

func (c *call) userURL(u *user) string { return c.app.url + "/users/" + escapeSegment(u.id) }

// userConversation renders a conversation for a member. Who was removed sees
// no participants, and nothing that came later.
func (c *call) userConversation(m *member) wireUserConversation {
	w := wireUserConversation{wireConversation: c.conversationAt(m.conv, c.userURL(m.user)), Unread: m.unread}
	if !m.active {
		w.Participants = nil
	}
	w.LastMessage = jsontext.Value("null")
	if last := m.last(); last != nil {
		w.LastMessage = c.userMessage(m, last)
	}
	return w
}

// last returns the latest message of the view, or nil.
func (m *member) last() *message {
	if m.visible == 0 {
		return nil
	}
	messages := m.conv.messages
	if !m.active { // what came later may be much
		end, _ := indexOf(m.conv, m.until+1)
		messages = messages[:end]
	}
	for _, msg := range slices.Backward(messages) {
		if m.sees(msg) {
			return msg
		}
	}
	return nil
}

// member finds the conversation of a call in the view of its user.
func (c *call) member(a *app) (*member, *failure) {
	u, f := c.viewer(a)
	if f != nil {
		return nil, f
	}
	conv := a.conversations[c.id("conversation")]
	if conv == nil || conv.deleted {
		return nil, absent("Conversation")
	}
	m := conv.members[u.id]
	if m == nil || m.hidden {
		return nil, absent("Conversation")
	}
	return m, nil
}

// getUserConversation answers GET /apps/A/users/U/conversations/C.
//
// Layer docs: platform, conversations, retrieve for a user.
func (c *call) getUserConversation() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		m, f := c.member(a)
		if f != nil {
			return answer{}, f
		}
		return jsonAnswer(http.StatusOK, c.userConversation(m)), nil
	})
}

// listUserConversations answers GET /apps/A/users/U/conversations.
//
// Layer docs: platform, conversations, retrieve all for a user.
func (c *call) listUserConversations() (answer, *failure) {
	page, f := c.page("conversations")
	if f != nil {
		return answer{}, f
	}
	order := newestConversation
	switch by := c.r.URL.Query().Get("sort_by"); by {
	case "", "created_at":
	case "last_message":
		order = latestActivity
	default:
		return answer{}, invalid("sort_by", "it must be created_at or last_message")
	}
	return c.read(func(a *app) (answer, *failure) {
		u, f := c.viewer(a)
		if f != nil {
			return answer{}, f
		}
		all := make([]*member, 0, len(u.members))
		for _, m := range u.members {
			if !m.hidden {
				all = append(all, m)
			}
		}
		slices.SortFunc(all, order)
		begin, f := c.begin(page, "Conversation", func(p pageRequest) int {
			return slices.IndexFunc(all, func(m *member) bool { return m.conv.id == p.from })
		}, len(all))
		if f != nil {
			return answer{}, f
		}
		list := []wireUserConversation{}
		for _, m := range all[begin:min(begin+page.size, len(all))] {
			list = append(list, c.userConversation(m))
		}
		return jsonAnswer(http.StatusOK, list).withCount(len(all)), nil
	})
}

func newestConversation(a, b *member) int { return cmp.Compare(b.conv.order, a.conv.order) }

// latestActivity sorts by the last message; a conversation without one sorts
// by its creation.
func latestActivity(a, b *member) int {
	return cmp.Or(cmp.Compare(b.activity(), a.activity()), newestConversation(a, b))
}

func (m *member) activity() int64 {
	if last := m.last(); last != nil {
		return last.sentAt
	}
	return m.conv.createdAt.UnixNano()
}

// deleteUserConversation answers DELETE /apps/A/users/U/conversations/C: for
// the user alone, with or without leaving, or for everyone.
//
// Layer docs: client/rest, conversations, delete.
func (c *call) deleteUserConversation() (answer, *failure) {
	mode, f := c.deletionMode()
	if f != nil {
		return answer{}, f
	}
	leave := false
	switch s := c.r.URL.Query().Get("leave"); s {
	case "", "false":
	case "true":
		leave = true
	default:
		return answer{}, invalid("leave", "it must be true or false")
	}
	return c.write(func(tx *tx) (answer, *failure) {
		m, f := c.member(tx.app)
		if f != nil {
			return answer{}, f
		}
		if mode == allParticipants {
			if !m.active {
				return answer{}, formerParticipant()
			}
			tx.removeConversation(m.conv)
			return noContent(), nil
		}
		m.hidden, m.from = true, m.conv.seq+1
		m.recount()
		if leave {
			tx.setParticipants(m.conv, m.conv.roster.without(m.user.id))
		}
		tx.touch(m.conv)
		return noContent(), nil
	})
}

type deletionMode string

const (
	myDevices       deletionMode = "my_devices"
	allParticipants deletionMode = "all_participants"
)

// deletionMode reads for whom a user deletes something.
func (c *call) deletionMode() (deletionMode, *failure) {
	switch mode := deletionMode(c.r.URL.Query().Get("mode")); mode {
	case myDevices, allParticipants:
		return mode, nil
	case "":
		return "", missing("mode")
	default:
		return "", invalid("mode", "it must be my_devices or all_participants")
	}
}

func formerParticipant() *failure {
	return &failure{kind: accessDenied, url: docsPlatform, message: "The user is no participant of the conversation any more."}
}
