package layertest

import (
	"net/http"
	"slices"
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
	return c.write(func(tx *tx) (answer, *failure) {
		owner := tx.user(c.user())
		tx.setBlock(owner, id)
		tx.touch(owner)
		return noContent(), nil
	})
}

// unblock answers DELETE /apps/A/users/U/blocks/V, also if V was not blocked.
//
// Layer docs: platform, block lists.
func (c *call) unblock() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		if owner := tx.users[c.user()]; owner != nil {
			tx.clearBlock(owner, c.blocked())
			tx.touch(owner)
		}
		return noContent(), nil
	})
}

func (a *app) blocked(owner, id string) bool {
	u := a.users[owner]
	return u != nil && slices.Contains(u.blocks, id)
}

func (a *app) setBlock(owner *user, id string) {
	if !slices.Contains(owner.blocks, id) {
		owner.blocks = append(owner.blocks, id)
		a.live.blocks++
	}
}

func (a *app) clearBlock(owner *user, id string) {
	if i := slices.Index(owner.blocks, id); i >= 0 {
		owner.blocks = slices.Delete(owner.blocks, i, i+1)
		a.live.blocks--
	}
}
