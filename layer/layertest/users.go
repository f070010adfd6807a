package layertest

import (
	"net/http"
)

var userRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user", handle: (*call).getUser},
	{method: http.MethodPatch, path: "/apps/:app/users/:user", handle: (*call).patchUser},
}

// user is everything that hangs on a user id. Blocks and badge work for ids
// never seen before, so having an entry does not make a user known.
type user struct {
	id        string
	known     bool     // is or was a participant or a recipient
	identity  identity // nil without one
	blocks    blockList
	suspended bool
	badge     int // the external unread count
	members   []*member
	inbox     []*delivery // announcements, oldest first
}

type wireUser struct {
	ID        string         `json:"id"`
	Identity  map[string]any `json:"identity"`
	Suspended bool           `json:"suspended"`
}

// user returns the entry of a user id, making one.
func (a *app) user(id string) *user {
	u := a.users[id]
	if u == nil {
		u = &user{id: id}
		a.users[id] = u
	}
	return u
}

// exists says whether the service would know a user: as a participant, by an
// identity or as the recipient of an announcement.
func (u *user) exists() bool { return u != nil && (u.known || u.identity != nil) }

// viewer returns the user on whose behalf a call is made.
//
// Layer docs: platform, changelog of 21 June 2016.
func (c *call) viewer(a *app) (*user, *failure) {
	u := a.users[c.user()]
	switch {
	case !u.exists() && c.e.config.Switches.UnknownUsersEmpty:
		return &user{id: c.user()}, nil
	case !u.exists():
		return nil, absent("User")
	case u.suspended && !c.e.config.Switches.SuspendedMayRead:
		return nil, &failure{kind: userSuspended, url: docsPlatform, message: "The user is suspended."}
	}
	return u, nil
}

// getUser answers GET /apps/A/users/U.
//
// Layer docs: platform, users.
func (c *call) getUser() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		u := a.users[c.user()]
		if !u.exists() && (u == nil || !u.suspended) {
			return answer{}, unknown("user")
		}
		w := wireUser{ID: u.id, Suspended: u.suspended}
		if u.identity != nil {
			w.Identity = c.identity(u)
		} else {
			w.Identity = map[string]any{}
		}
		return jsonAnswer(http.StatusOK, w), nil
	})
}

// patchUser answers PATCH /apps/A/users/U: the block list and suspension. The
// service queued the change; unless the switch says so, it takes effect at once.
//
// Layer docs: platform, block lists, bulk; users, suspending.
func (c *call) patchUser() (answer, *failure) {
	ops, f := c.decodePatch()
	if f != nil {
		return answer{}, f
	}
	for _, op := range ops {
		if f := op.checkUser(); f != nil {
			return answer{}, f
		}
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if c.e.config.Switches.QueuedPatches {
			tx.queuePatch(c.user(), ops)
		} else {
			tx.patchUser(c.user(), ops)
		}
		return accepted(), nil
	})
}

func (tx *tx) patchUser(id string, ops []operation) {
	u := tx.user(id)
	for _, op := range ops {
		tx.applyToUser(u, op)
	}
	tx.touch(u)
}

func (op operation) checkUser() *failure {
	switch op.property {
	case "suspended":
		if op.kind != opSet {
			return op.wrong("it takes set")
		}
		if _, ok := op.value.(bool); !ok {
			return invalid("suspended", "it must be true or false")
		}
		return nil
	case "blocks":
		switch op.kind {
		case opAdd, opRemove:
			if id, ok := op.value.(string); !ok || id == "" {
				return invalid("blocks", "the value must be a user id")
			}
			return nil
		case opSet:
			_, f := userIDs(op.value, "blocks")
			return f
		case opDelete:
		}
	}
	return op.wrong("a user has blocks, which take add, remove and set, and suspended, which takes set")
}

func (tx *tx) applyToUser(u *user, op operation) {
	id, _ := op.value.(string)
	switch {
	case op.property == "suspended":
		u.suspended, _ = op.value.(bool)
	case op.kind == opAdd:
		tx.setBlock(u, id)
	case op.kind == opRemove:
		tx.clearBlock(u, id)
	default:
		tx.live.blocks -= len(u.blocks.since)
		u.blocks = blockList{}
		ids, _ := userIDs(op.value, "blocks") // checked before
		for _, id := range ids {
			tx.setBlock(u, id)
		}
	}
}
