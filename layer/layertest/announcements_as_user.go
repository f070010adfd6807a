package layertest

import (
	"net/http"
	"slices"
)

var announcementUserRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/announcements", handle: (*call).listUserAnnouncements, proxied: true},
	{method: http.MethodGet, path: "/apps/:app/users/:user/announcements/:announcement", handle: (*call).getUserAnnouncement, proxied: true},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/announcements/:announcement", handle: (*call).deleteUserAnnouncement, proxied: true},
	{method: http.MethodPost, path: "/apps/:app/users/:user/announcements/:announcement/receipts", handle: (*call).sendAnnouncementReceipt, proxied: true},
}

// userAnnouncement shows an announcement to a recipient: a message outside any
// conversation.
func (c *call) userAnnouncement(d *delivery) *letter {
	l := d.letter(c.userURL(d.user))
	l.viewed, l.position, l.unread = true, position(d.order), d.status != read
	l.status = func(b []byte) []byte {
		return append(append(append(appendText(b, d.user.id), `:"`...), d.status...), '"')
	}
	return l
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
		list := []byte{'['}
		for i, d := range all[begin:min(begin+page.size, len(all))] {
			list = c.userAnnouncement(d).appendRead(comma(list, i), c)
		}
		return rawAnswer(http.StatusOK, append(list, ']')).withCount(len(all)), nil
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
		return rawAnswer(http.StatusOK, c.userAnnouncement(d).appendRead(nil, c)), nil
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
