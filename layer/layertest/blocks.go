package layertest

import (
	"cmp"
	"maps"
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
			for _, id := range u.blocks.ids() {
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
	return u != nil && u.blocks.has(id)
}

func (a *app) setBlock(owner *user, id string) {
	if owner.blocks.add(id) {
		a.live.blocks++
	}
}

func (a *app) clearBlock(owner *user, id string) {
	if owner.blocks.has(id) {
		delete(owner.blocks.since, id)
		a.live.blocks--
	}
}

// blockList is a set with an order, since there may be very many: it holds for
// each user the number of those who came on it before.
type blockList struct {
	since map[string]int
	came  int
}

func newBlockList(ids []string) blockList {
	var list blockList
	for _, id := range ids {
		list.add(id)
	}
	return list
}

func (l *blockList) has(id string) bool {
	_, ok := l.since[id]
	return ok
}

// add says whether the user was not on the list.
func (l *blockList) add(id string) bool {
	if l.has(id) {
		return false
	}
	if l.since == nil {
		l.since = map[string]int{}
	}
	l.since[id] = l.came
	l.came++
	return true
}

// ids are in the order in which they came.
func (l *blockList) ids() []string {
	return slices.SortedFunc(maps.Keys(l.since), func(a, b string) int { return cmp.Compare(l.since[a], l.since[b]) })
}
