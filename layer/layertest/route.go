package layertest

import (
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Route is an endpoint that the emulator serves.
type Route struct {
	Method  string
	Path    string // as in /apps/:app/conversations/:conversation
	Handler string // the method that answers it, as in (*call).getConversation
}

// Routes returns every endpoint of the Layer API that an emulator serves, in
// the order of the documentation.
func Routes() []Route {
	out := make([]Route, 0, len(routes))
	for _, r := range routes {
		name := runtime.FuncForPC(reflect.ValueOf(r.handle).Pointer()).Name()
		out = append(out, Route{r.method, r.path, name[strings.LastIndex(name, "/layertest.")+len("/layertest."):]})
	}
	return out
}

type handler func(*call) (answer, *failure)

type route struct {
	method string
	path   string
	handle handler
	tagged bool // If-None-Match has a meaning

	// proxied is a call of the Client API that the Platform API's documentation
	// does not have for versions 1.0 and 1.1.
	proxied bool

	segments []string
}

var routes []route

func init() { //nolint:gochecknoinits // the handlers refer to the table through the call
	routes = slices.Concat(
		conversationRoutes, conversationUserRoutes, messageRoutes, messageUserRoutes, contentRoutes,
		announcementRoutes, announcementUserRoutes, notificationRoutes, blockRoutes, identityRoutes,
		badgeRoutes, userRoutes, sessionRoutes, webhookRoutes, exportRoutes,
	)
	for i := range routes {
		routes[i].segments = strings.Split(routes[i].path[1:], "/")
	}
}

// params are the variable segments of a path by the name in the pattern: ids
// as UUIDs, user ids as text.
type params struct {
	ids   [2]uuid.UUID
	names [2]string
	users [2]string
	nIDs  int
	nUser int
}

// find returns the route for a method and the segments of an escaped path.
// Without one for the method, it returns the methods that the path has; an
// unknown path has none. Proxied calls are left out if documented says so.
func find(method string, segments []string, documented bool) (*route, params, []string) {
	var allowed []string
	for i := range routes {
		r := &routes[i]
		if len(r.segments) != len(segments) || r.proxied && documented {
			continue
		}
		p, ok := match(r.segments, segments)
		if !ok {
			continue
		}
		if r.method == method {
			return r, p, nil
		}
		allowed = append(allowed, r.method)
	}
	return nil, params{}, allowed
}

// match fills the parameters of a pattern whose first two segments, the app,
// have been seen to already.
func match(pattern, segments []string) (params, bool) {
	var p params
	for i := 2; i < len(pattern); i++ {
		switch want := pattern[i]; {
		case want[0] != ':':
			if segments[i] != want {
				return p, false
			}
		case want == ":user" || want == ":blocked":
			user, err := url.PathUnescape(segments[i])
			if err != nil || user == "" || !utf8.ValidString(user) {
				return p, false // bytes that are no text cannot be an id in JSON either
			}
			p.users[p.nUser] = user
			p.nUser++
		default:
			id, ok := parseID(segments[i])
			if !ok {
				return p, false
			}
			p.ids[p.nIDs], p.names[p.nIDs] = id, want[1:]
			p.nIDs++
		}
	}
	return p, true
}

func (p *params) id(name string) uuid.UUID {
	for i := range p.nIDs {
		if p.names[i] == name {
			return p.ids[i]
		}
	}
	panic("layertest: the route has no parameter " + name)
}

func (p *params) user() string    { return p.users[0] }
func (p *params) blocked() string { return p.users[1] }

// parseID reads a bare UUID in its usual form, and no other.
func parseID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil
}

// parseReference reads an id given bare or as a layer:/// URL of that kind.
func parseReference(kind, s string) (uuid.UUID, bool) {
	return parseID(strings.TrimPrefix(s, "layer:///"+kind+"/"))
}

// methodOf returns the method that a request stands for: clients that cannot
// send PATCH say so on a POST.
//
// Layer docs: platform, X-HTTP-Method-Override.
func methodOf(r *http.Request) string {
	if r.Method == http.MethodPost && strings.EqualFold(r.Header.Get("X-HTTP-Method-Override"), http.MethodPatch) {
		return http.MethodPatch
	}
	return r.Method
}
