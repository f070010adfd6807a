package layertest

import (
	"maps"
	"net/http"
	"strconv"
	"unicode/utf8"
)

var identityRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/users/:user/identity", handle: (*call).createIdentity},
	{method: http.MethodGet, path: "/apps/:app/users/:user/identity", handle: (*call).getIdentity},
	{method: http.MethodPatch, path: "/apps/:app/users/:user/identity", handle: (*call).patchIdentity},
	{method: http.MethodPut, path: "/apps/:app/users/:user/identity", handle: (*call).replaceIdentity},
	{method: http.MethodDelete, path: "/apps/:app/users/:user/identity", handle: (*call).deleteIdentity},
}

// identityKeys are the members of an identity and the characters that each
// takes; 0 is no limit.
var identityKeys = []struct {
	name string
	max  int
}{
	{"display_name", 128},
	{"avatar_url", 1024},
	{"first_name", 128},
	{"last_name", 128},
	{"phone_number", 32},
	{"email_address", 255},
	{"public_key", 0},
}

const maxIdentityMetadata = 16

// identity holds what was given: strings, and metadata as a map of strings.
type identity map[string]any

// createIdentity answers POST /apps/A/users/U/identity.
//
// Layer docs: platform, identities, create.
func (c *call) createIdentity() (answer, *failure) {
	id, f := c.decodeIdentity()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if u := tx.users[c.user()]; u != nil && u.identity != nil {
			k := conflict
			if c.e.config.Switches.IdentityInUse {
				k = idInUse
			}
			return answer{}, &failure{kind: k, url: docsPlatform, message: "The user has an identity already.", data: c.identity(u)}
		}
		tx.setIdentity(tx.user(c.user()), id)
		return answer{status: http.StatusCreated}, nil
	})
}

// getIdentity answers GET /apps/A/users/U/identity.
//
// Layer docs: platform, identities, retrieve.
func (c *call) getIdentity() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		u, f := a.identified(c.user())
		if f != nil {
			return answer{}, f
		}
		return jsonAnswer(http.StatusOK, c.identity(u)), nil
	})
}

// replaceIdentity answers PUT /apps/A/users/U/identity.
//
// Layer docs: platform, identities, replace.
func (c *call) replaceIdentity() (answer, *failure) {
	id, f := c.decodeIdentity()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		if _, f := tx.identified(c.user()); f != nil && !c.e.config.Switches.PutIdentityCreates {
			return answer{}, f
		}
		tx.setIdentity(tx.user(c.user()), id)
		return noContent(), nil
	})
}

// patchIdentity answers PATCH /apps/A/users/U/identity.
//
// Layer docs: platform, identities, update.
func (c *call) patchIdentity() (answer, *failure) {
	ops, f := c.decodePatch()
	if f != nil {
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		u, f := tx.identified(c.user())
		if f != nil {
			return answer{}, f
		}
		id := maps.Clone(u.identity)
		for _, op := range ops {
			if f := id.apply(op); f != nil {
				return answer{}, f
			}
		}
		tx.setIdentity(u, id)
		return noContent(), nil
	})
}

// deleteIdentity answers DELETE /apps/A/users/U/identity.
//
// Layer docs: platform, identities, delete.
func (c *call) deleteIdentity() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		u, f := tx.identified(c.user())
		if f != nil {
			return answer{}, f
		}
		tx.setIdentity(u, nil)
		return noContent(), nil
	})
}

// identified finds a user who has an identity.
func (a *app) identified(id string) (*user, *failure) {
	u := a.users[id]
	if u == nil || u.identity == nil {
		return nil, unknown("identity")
	}
	return u, nil
}

func (tx *tx) setIdentity(u *user, id identity) {
	if u.identity != nil {
		tx.live.identities--
	}
	if id != nil {
		tx.live.identities++
	}
	u.identity = id
	tx.touch(u)
}

// apply changes one property.
func (id identity) apply(op operation) *failure {
	if op.kind != opSet && op.kind != opDelete {
		return op.wrong("the properties of an identity take set and delete")
	}
	if op.path[0] == "metadata" {
		old, _ := id["metadata"].(map[string]any)
		changed, f := op.applyTo(maps.Clone(old)) // the old one may be read meanwhile
		if f == nil {
			id["metadata"], f = identityMetadata(changed)
		}
		return f
	}
	for _, key := range identityKeys {
		if op.property != key.name {
			continue
		}
		if op.kind == opDelete {
			if key.name == "display_name" {
				return op.wrong("an identity needs it")
			}
			delete(id, key.name)
			return nil
		}
		text, f := identityText(key.name, key.max, op.value)
		if f == nil {
			id[key.name] = text
		}
		return f
	}
	return op.wrong("an identity has no such property")
}

// decodeIdentity reads a whole identity; null counts as absent.
func (c *call) decodeIdentity() (identity, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return nil, f
	}
	if !body.has("display_name") {
		return nil, missing("display_name")
	}
	id := identity{}
	for _, key := range identityKeys {
		if !body.has(key.name) {
			continue
		}
		if id[key.name], f = identityText(key.name, key.max, body[key.name]); f != nil {
			return nil, f
		}
	}
	if body.has("metadata") {
		if id["metadata"], f = identityMetadata(body["metadata"]); f != nil {
			return nil, f
		}
	}
	return id, nil
}

func identityText(key string, limit int, v any) (string, *failure) {
	s, ok := v.(string)
	switch {
	case !ok:
		return "", invalid(key, "it must be a string")
	case limit > 0 && utf8.RuneCountInString(s) > limit:
		return "", invalid(key, "it is longer than "+strconv.Itoa(limit)+" characters")
	}
	return s, nil
}

func identityMetadata(v any) (map[string]any, *failure) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, invalid("metadata", "it must be an object")
	}
	for key, v := range m {
		if _, ok := v.(string); !ok {
			return nil, invalid("metadata."+key, "it must be a string")
		}
	}
	if len(m) > maxIdentityMetadata {
		return nil, invalid("metadata", "it has more than "+strconv.Itoa(maxIdentityMetadata)+" keys")
	}
	return m, nil
}

// identity renders a user's identity with every key and explicit nulls, as
// reads do.
func (c *call) identity(u *user) map[string]any {
	out := map[string]any{"metadata": map[string]any{}}
	for _, key := range identityKeys {
		out[key.name] = nil
	}
	maps.Copy(out, u.identity)
	if c.e.config.Switches.IdentityIDs {
		out["id"], out["user_id"], out["url"] = "layer:///identities/"+escapeSegment(u.id), u.id, c.userURL(u)+"/identity"
	}
	return out
}
