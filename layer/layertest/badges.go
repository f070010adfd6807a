package layertest

import "net/http"

var badgeRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/badge", handle: (*call).getBadge},
	{method: http.MethodPut, path: "/apps/:app/users/:user/badge", handle: (*call).putBadge},
}

type wireBadge struct {
	External      int `json:"external_unread_count"`
	Conversations int `json:"unread_conversation_count"`
	Messages      int `json:"unread_message_count"`
}

// getBadge answers GET /apps/A/users/U/badge, also for users never seen.
//
// Layer docs: platform, users, badges.
func (c *call) getBadge() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		var w wireBadge
		if u := a.users[c.user()]; u != nil {
			w.External = u.badge
			for _, m := range u.members {
				if m.unread > 0 {
					w.Conversations++
					w.Messages += m.unread
				}
			}
		}
		return jsonAnswer(http.StatusOK, w), nil
	})
}

// putBadge answers PUT /apps/A/users/U/badge, also for users never seen.
//
// Layer docs: platform, users, badges.
func (c *call) putBadge() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("external_unread_count") {
		return answer{}, missing("external_unread_count")
	}
	n, ok := wholeNumber(body["external_unread_count"])
	if !ok || n < 0 {
		return answer{}, invalid("external_unread_count", "it must be a whole number from 0")
	}
	return c.write(func(tx *tx) (answer, *failure) {
		u := tx.user(c.user())
		u.badge = n
		tx.touch(u)
		return noContent(), nil
	})
}
