package layertest

import (
	"net/http"
	"slices"

	"github.com/google/uuid"
)

var messageRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/conversations/:conversation/messages", handle: (*call).sendMessage, tagged: true},
	{method: http.MethodGet, path: "/apps/:app/conversations/:conversation/messages", handle: (*call).listMessages},
	{method: http.MethodGet, path: "/apps/:app/conversations/:conversation/messages/:message", handle: (*call).getMessage},
	{method: http.MethodDelete, path: "/apps/:app/conversations/:conversation/messages/:message", handle: (*call).deleteMessage},
}

// sendMessage answers POST /apps/A/conversations/C/messages.
//
// Layer docs: platform, messages, send.
func (c *call) sendMessage() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	from, f := parseSender(body)
	if f != nil {
		return answer{}, f
	}
	parts, f := c.parseParts(body, false)
	if f != nil {
		return answer{}, f
	}
	if f = c.checkNotification(body["notification"]); f != nil {
		return answer{}, f
	}
	delay, f := parseSchedule(body["schedule"])
	if f != nil {
		return answer{}, f
	}
	packed := pack(from, parts)
	return c.write(func(tx *tx) (answer, *failure) {
		if first, ok := c.known(tx.app, aMessage); ok {
			return c.repeated(aMessage, first, func() answer { return c.sentBefore(tx) })
		}
		conv, f := c.writable(tx.app)
		if f != nil {
			return answer{}, f
		}
		if from.isUser && !conv.roster.has(from.name) && !c.e.config.Switches.OutsideSender {
			return answer{}, invalid("sender.user_id", "it is no participant of the conversation")
		}
		if f := c.checkContents(tx.app, conv, parts); f != nil {
			return answer{}, f
		}
		if delay > 0 {
			return c.schedule(tx, conv, packed, delay), nil
		}
		msg := tx.post(conv, c.newID(), packed)
		return rawAnswer(http.StatusCreated, c.created(msg)), nil
	})
}

// parseSender reads who a message is from: a user or a free name.
func parseSender(body object) (sender, *failure) {
	if !body.has("sender") {
		return sender{}, missing("sender")
	}
	m, ok := body["sender"].(map[string]any)
	if !ok {
		return sender{}, invalid("sender", "it must be an object")
	}
	o := object(m)
	user, f := o.text("user_id", "sender.user_id")
	if f != nil {
		return sender{}, f
	}
	name, f := o.text("name", "sender.name")
	switch {
	case f != nil:
		return sender{}, f
	case o.has("user_id") && o.has("name"):
		return sender{}, invalid("sender", "user_id and name exclude one another")
	case user != "":
		return sender{name: user, isUser: true}, nil
	case name != "":
		return sender{name: name}, nil
	case o.has("user_id"):
		return sender{}, invalid("sender.user_id", "it must not be empty")
	case o.has("name"):
		return sender{}, invalid("sender.name", "it must not be empty")
	default:
		return sender{}, invalid("sender", "it must have user_id or name")
	}
}

// post adds a message to a conversation and to the views of its participants.
func (tx *tx) post(conv *conversation, id uuid.UUID, packed string) *message {
	conv.seq++
	msg := &message{id: id, conv: conv, roster: conv.roster, packed: packed, sentAt: tx.now.UnixNano(), seq: conv.seq}
	tx.hideFromBlocked(msg)
	conv.messages = append(conv.messages, msg)
	tx.messages[id] = msg
	tx.live.messages++
	for _, id := range conv.roster.ids {
		m := conv.members[id]
		if m.hidden && !msg.hiddenFrom(id) {
			m.hidden, m.from = false, msg.seq // it comes back, beginning here
			tx.touch(conv)
		}
		if m.sees(msg) {
			m.visible++
			if msg.unreadBy(id) {
				m.unread++
			}
		}
	}
	tx.touch(msg)
	tx.tellMessage(messageSent, msg, msg.author())
	return msg
}

// hideFromBlocked keeps a message from those who block its sender, and from
// those whom the sender blocks; nobody is told.
//
// Layer docs: knowledge base, block policies.
func (tx *tx) hideFromBlocked(msg *message) {
	from := msg.author()
	if !from.isUser || tx.live.blocks == 0 {
		return
	}
	for _, id := range msg.roster.ids {
		if id != from.name && (tx.blocked(id, from.name) || tx.blocked(from.name, id)) {
			msg.hide(id)
		}
	}
}

// getMessage answers GET /apps/A/conversations/C/messages/M. Reads of messages
// speak with the words of the Client API, where what was deleted is not found.
//
// Layer docs: platform, messages, retrieve one.
func (c *call) getMessage() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		msg := a.messages[c.id("message")]
		if msg == nil || msg.deleted() || msg.conv.deleted || msg.conv.id != c.id("conversation") {
			return answer{}, absent("Message")
		}
		return rawAnswer(http.StatusOK, c.systemMessage(msg)), nil
	})
}

// listMessages answers GET /apps/A/conversations/C/messages, newest first.
//
// Layer docs: platform, messages, retrieve all.
func (c *call) listMessages() (answer, *failure) {
	page, f := c.page("messages")
	if f != nil {
		return answer{}, f
	}
	return c.read(func(a *app) (answer, *failure) {
		conv, f := a.conversation(c.id("conversation"))
		if f != nil {
			return answer{}, f
		}
		end, f := c.end(a, conv, page)
		if f != nil {
			return answer{}, f
		}
		list := []byte{'['}
		for i := end - 1; i >= 0 && end-1-i < page.size; i-- {
			list = c.letter(conv.messages[i]).appendRead(comma(list, end-1-i), c)
		}
		return rawAnswer(http.StatusOK, append(list, ']')).withCount(len(conv.messages)), nil
	})
}

// deleteMessage answers DELETE /apps/A/conversations/C/messages/M: for
// everyone.
//
// Layer docs: platform, messages, delete.
func (c *call) deleteMessage() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		msg := tx.messages[c.id("message")]
		ours := msg != nil && msg.conv.id == c.id("conversation")
		switch {
		case ours && !msg.deleted() && !msg.conv.deleted:
			tx.removeMessage(msg)
		case ours && c.e.config.Switches.RepeatedDelete:
		default:
			return answer{}, absent("Message")
		}
		return noContent(), nil
	})
}

func (tx *tx) removeMessage(msg *message) {
	tx.tellMessage(messageDeleted, msg, sender{})
	for _, m := range msg.conv.members {
		m.lose(msg)
	}
	if i, ok := indexOf(msg.conv, msg.seq); ok {
		msg.conv.messages = slices.Delete(msg.conv.messages, i, i+1)
	}
	msg.mark().deleted = true
	tx.live.messages--
	tx.touch(msg)
}
