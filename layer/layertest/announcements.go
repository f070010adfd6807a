package layertest

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

var announcementRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/announcements", handle: (*call).sendAnnouncement, tagged: true},
}

type announcement struct {
	id         uuid.UUID
	order      uint64
	sentAt     time.Time
	recipients []string // as sent
	everyone   bool
	sender     sender
	parts      []part
	deliveries []*delivery
}

// delivery is a recipient's copy of an announcement.
type delivery struct {
	*announcement
	user    *user
	status  receipt
	deleted bool
}

// sendAnnouncement answers POST /apps/A/announcements.
//
// Layer docs: platform, announcements.
func (c *call) sendAnnouncement() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	recipients, everyone, f := c.parseRecipients(body)
	if f != nil {
		return answer{}, f
	}
	from, f := parseSender(body)
	switch {
	case f != nil:
		return answer{}, f
	case from.isUser:
		return answer{}, rejected("sender.user_id", "an announcement is sent by a name")
	}
	parts, f := c.parseParts(body, true)
	if f != nil {
		return answer{}, f
	}
	if f = c.checkNotification(body["notification"]); f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if first, ok := c.known(tx.app, anAnnounce); ok {
			return c.repeated(anAnnounce, first, func() answer { return c.announced(tx.announcements[c.dedupe]) })
		}
		n := &announcement{id: c.newID(), sentAt: tx.now, recipients: recipients, everyone: everyone, sender: from, parts: parts}
		tx.announce(n)
		return c.announced(n), nil
	})
}

func (c *call) parseRecipients(body object) (ids []string, everyone bool, f *failure) {
	switch {
	case !body.has("recipients"):
		return nil, false, missing("recipients")
	case body["recipients"] == "everyone" && c.e.config.Switches.Everyone:
		return nil, true, nil
	}
	ids, f = userIDs(body["recipients"], "recipients")
	if f == nil && len(ids) == 0 {
		f = invalid("recipients", "it must not be empty")
	}
	return ids, false, f
}

// announce puts an announcement into the inbox of each recipient.
func (tx *tx) announce(n *announcement) {
	tx.order++
	n.order = tx.order
	tx.announcements[n.id] = n
	ids := slices.Compact(slices.Sorted(slices.Values(n.recipients)))
	if n.everyone {
		ids = nil
		for id, u := range tx.users {
			if u.exists() {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
	}
	for _, id := range ids {
		tx.deliver(n, id, sent, false)
	}
	tx.touch(n)
}

func (a *app) deliver(n *announcement, id string, status receipt, deleted bool) {
	u := a.user(id)
	u.known = true
	d := &delivery{announcement: n, user: u, status: status, deleted: deleted}
	n.deliveries = append(n.deliveries, d)
	u.inbox = append(u.inbox, d)
}

// announced renders an announcement as the answer to its create.
func (c *call) announced(n *announcement) answer {
	l := n.letter(c.app.url)
	return rawAnswer(http.StatusAccepted, l.appendCreated(nil, c))
}

func (n *announcement) letter(base string) *letter {
	return &letter{
		kind: "announcements", id: n.id, url: base + "/announcements/" + n.id.String(), sender: n.sender,
		parts: n.parts, sentAt: n.sentAt, recipients: n.recipients, everyone: n.everyone,
	}
}
