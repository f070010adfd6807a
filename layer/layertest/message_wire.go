package layertest

import "github.com/go-json-experiment/json/jsontext"

// letter returns a message as the system perspective shows it, with the url of
// a read.
func (c *call) letter(msg *message) *letter {
	from, parts := msg.unpack()
	return &letter{
		kind: "messages", id: msg.id,
		url:          c.app.url + "/conversations/" + msg.conv.id.String() + "/messages/" + msg.id.String(),
		conversation: msg.conv, base: c.app.url, sender: from, parts: parts, sentAt: msg.time(),
		status: msg.appendStatus,
	}
}

// created renders a message as the answer to its create.
func (c *call) created(msg *message) jsontext.Value {
	l := c.letter(msg)
	l.url = c.app.url + "/messages/" + msg.id.String()
	return l.appendCreated(nil, c)
}

// systemMessage renders a message as a read in the system perspective.
func (c *call) systemMessage(msg *message) jsontext.Value { return c.letter(msg).appendRead(nil, c) }

// userMessage renders a message as one of its users reads it.
func (c *call) userMessage(m *member, msg *message) jsontext.Value {
	return c.userLetter(m, msg).appendRead(nil, c)
}

func (c *call) userLetter(m *member, msg *message) *letter {
	l := c.letter(msg)
	l.base = c.userURL(m.user)
	l.url = l.base + "/messages/" + msg.id.String()
	l.viewed, l.position, l.unread = true, position(msg.seq), msg.unreadBy(m.user.id)
	return l
}

// position is where a message stands in its conversation. The service's values
// went beyond 2^32, so these do.
func position(seq uint64) int64 { return int64(seq) << 32 }

// appendStatus writes the members of recipient_status.
func (msg *message) appendStatus(b []byte) []byte {
	for i, id := range msg.roster.ids {
		b = appendText(comma(b, i), id)
		b = append(append(append(b, `:"`...), msg.statusOf(id)...), '"')
	}
	return b
}
