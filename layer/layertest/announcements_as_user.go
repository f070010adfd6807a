package layertest

import (
	"net/http"
	"slices"
)

var announcementUserRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/announcements", handle: (*call).listUserAnnouncements},
	{method: http.MethodGet, path: "/apps/:app/users/:user/announcements/:announcement", handle: (*call).getUserAnnouncement},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/announcements/:announcement", handle: (*call).deleteUserAnnouncement},
	{method: http.MethodPost, path: "/apps/:app/users/:user/announcements/:announcement/receipts", handle: (*call).sendAnnouncementReceipt},
}

// wireAnnouncement is an announcement as a recipient reads it: a message
// outside any conversation.
type wireAnnouncement struct {
	wireMessage
	Recipients []string `json:"recipients"`
}

func (c *call) userAnnouncement(d *delivery) wireAnnouncement {
	self := c.userURL(d.user) + "/announcements/" + d.id.String()
	at := timestamp(d.sentAt)
	return wireAnnouncement{
		wireMessage: wireMessage{
			ID: announcementID(d.id), URL: self, ReceiptsURL: new(self + "/receipts"), Position: new(position(d.order)),
			Parts: c.readParts(announcementID(d.id), nil, d.parts), SentAt: at, ReceivedAt: &at,
			Sender: d.sender.wire(), IsUnread: new(d.status != read),
			RecipientStatus: map[string]receipt{d.user.id: d.status},
		},
		Recipients: d.recipients,
	}
}

// delivery finds the announcement of a call in the inbox of its user.
func (c *call) delivery(a *app) (*delivery, *failure) {
	u, f := c.viewer(a)
	if f != nil {
		return nil, f
	}
	for _, d := range u.inbox {
		if d.id == c.id("announcement") && !d.deleted {
			return d, nil
		}
	}
	return nil, absent("Announcement")
}

// listUserAnnouncements answers GET /apps/A/users/U/announcements, newest
// first.
//
// Layer docs: client/rest, announcements.
func (c *call) listUserAnnouncements() (answer, *failure) {
	page, f := c.page("announcements")
	if f != nil {
		return answer{}, f
	}
	return c.read(func(a *app) (answer, *failure) {
		u, f := c.viewer(a)
		if f != nil {
			return answer{}, f
		}
		var all []*delivery
		for _, d := range slices.Backward(u.inbox) {
			if !d.deleted {
				all = append(all, d)
			}
		}
		begin, f := c.begin(page, "Announcement", func(p pageRequest) int {
			return slices.IndexFunc(all, func(d *delivery) bool { return d.id == p.from })
		}, len(all))
		if f != nil {
			return answer{}, f
		}
		list := []wireAnnouncement{}
		for _, d := range all[begin:min(begin+page.size, len(all))] {
			list = append(list, c.userAnnouncement(d))
		}
		return jsonAnswer(http.StatusOK, list).withCount(len(all)), nil
	})
}

// getUserAnnouncement answers GET /apps/A/users/U/announcements/N.
//
// Layer docs: client/rest, announcements.
func (c *call) getUserAnnouncement() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		d, f := c.delivery(a)
		if f != nil {
			return answer{}, f
		}
		return jsonAnswer(http.StatusOK, c.userAnnouncement(d)), nil
	})
}

// deleteUserAnnouncement answers DELETE /apps/A/users/U/announcements/N: the
// user's own copy goes.
//
// Layer docs: client/rest, announcements.
func (c *call) deleteUserAnnouncement() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		d, f := c.delivery(tx.app)
		if f != nil {
			return answer{}, f
		}
		d.deleted = true
		tx.touch(d.announcement)
		return noContent(), nil
	})
}

// sendAnnouncementReceipt answers POST
// /apps/A/users/U/announcements/N/receipts.
//
// Layer docs: client/rest, receipts.
func (c *call) sendAnnouncementReceipt() (answer, *failure) {
	status, f := c.decodeReceipt()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		d, f := c.delivery(tx.app)
		if f != nil {
			return answer{}, f
		}
		if status.after(d.status) {
			d.status = status
			tx.touch(d.announcement)
		}
		return noContent(), nil
	})
}
