package layertest

import (
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

var identityRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/users/:user/identity", handle: (*call).createIdentity},
	{method: http.MethodGet, path: "/apps/:app/users/:user/identity", handle: (*call).getIdentity},
	{method: http.MethodPut, path: "/apps/:app/users/:user/identity", handle: (*call).replaceIdentity},
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
	return c.write(func(a *app, _ time.Time) (answer, *failure) {
		if u := a.users[c.user()]; u != nil && u.identity != nil {
			k := conflict
			if c.e.config.Switches.IdentityInUse {
				k = idInUse
			}
			return answer{}, &failure{kind: k, url: docsPlatform, message: "The user has an identity already.", data: u.identity.wire()}
		}
		a.setIdentity(c.user(), id)
		return answer{status: http.StatusCreated}, nil
	})
}

// getIdentity answers GET /apps/A/users/U/identity.
//
// Layer docs: platform, identities, retrieve.
func (c *call) getIdentity() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		u := a.users[c.user()]
		if u == nil || u.identity == nil {
			return answer{}, unknown("identity")
		}
		return jsonAnswer(http.StatusOK, u.identity.wire()), nil
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
	return c.write(func(a *app, _ time.Time) (answer, *failure) {
		if u := a.users[c.user()]; (u == nil || u.identity == nil) && !c.e.config.Switches.PutIdentityCreates {
			return answer{}, unknown("identity")
		}
		a.setIdentity(c.user(), id)
		return noContent(), nil
	})
}

func (a *app) setIdentity(user string, id identity) {
	u := a.user(user)
	if (u.identity == nil) != (id == nil) {
		if id == nil {
			a.identities--
		} else {
			a.identities++
		}
	}
	u.identity = id
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

// wire has every key, with explicit nulls, as reads do.
func (id identity) wire() map[string]any {
	out := map[string]any{"metadata": map[string]any{}}
	for _, key := range identityKeys {
		out[key.name] = nil
	}
	for key, v := range id {
		out[key] = v
	}
	return out
}
