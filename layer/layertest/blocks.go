package layertest

import (
	"net/http"
	"slices"
	"time"
)

var blockRoutes = []route{
	{method: http.MethodGet, path: "/apps/:app/users/:user/blocks", handle: (*call).listBlocks},
	{method: http.MethodPost, path: "/apps/:app/users/:user/blocks", handle: (*call).block},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/blocks/:blocked", handle: (*call).unblock},
}

type wireBlock struct {
	UserID string `json:"user_id"`
}

// listBlocks answers GET /apps/A/users/U/blocks, also for users never seen.
//
// Layer docs: platform, block lists.
func (c *call) listBlocks() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		list := []wireBlock{}
		if u := a.users[c.user()]; u != nil {
			for _, id := range u.blocks {
				list = append(list, wireBlock{id})
			}
		}
		return jsonAnswer(http.StatusOK, list), nil
	})
}

// block answers POST /apps/A/users/U/blocks.
//
// Layer docs: platform, block lists.
func (c *call) block() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	if !body.has("user_id") {
		return answer{}, missing("user_id")
	}
	id, f := body.text("user_id", "user_id")
	switch {
	case f != nil:
		return answer{}, f
	case id == "":
		return answer{}, invalid("user_id", "it must not be empty")
	}
	return c.write(func(a *app, _ time.Time) (answer, *failure) {
		a.setBlock(c.user(), id)
		return noContent(), nil
	})
}

// unblock answers DELETE /apps/A/users/U/blocks/V, also if V was not blocked.
//
// Layer docs: platform, block lists.
func (c *call) unblock() (answer, *failure) {
	return c.write(func(a *app, _ time.Time) (answer, *failure) {
		a.clearBlock(c.user(), c.blocked())
		return noContent(), nil
	})
}

func (a *app) blocked(owner, id string) bool {
	u := a.users[owner]
	return u != nil && slices.Contains(u.blocks, id)
}

func (a *app) setBlock(owner, id string) {
	if u := a.user(owner); !slices.Contains(u.blocks, id) {
		u.blocks = append(u.blocks, id)
		a.blocks++
	}
}

func (a *app) clearBlock(owner, id string) {
	u := a.users[owner]
	if u == nil {
		return
	}
	if i := slices.Index(u.blocks, id); i >= 0 {
		u.blocks = slices.Delete(u.blocks, i, i+1)
		a.blocks--
	}
}
