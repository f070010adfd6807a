package redisurl

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// kind is how Redis is reached.
type kind int

const (
	single kind = iota
	socket
	sentinel
	cluster
)

// schemes lists what a URL may begin with.
var schemes = map[string]struct {
	kind kind
	tls  bool
}{
	"redis":           {single, false},
	"rediss":          {single, true},
	"unix":            {socket, false},
	"redis-sentinel":  {sentinel, false},
	"rediss-sentinel": {sentinel, true},
	"redis-cluster":   {cluster, false},
	"rediss-cluster":  {cluster, true},
}

// parts is a URL taken apart. net/url cannot do it: it refuses a list of hosts,
// and its errors quote what may be a password.
type parts struct {
	kind           kind
	tls            bool
	user, password string
	hosts          []string // host:port each; the path of a socket
	db             int
	master         string
	query          url.Values
}

// fail makes an error that names the part of the URL. Text of the URL must not
// go into it unless it cannot be part of a password.
func fail(part, format string, args ...any) error {
	return fmt.Errorf("redisurl: %s: %s", part, fmt.Sprintf(format, args...))
}

const encodeHint = "(in a user or password, percent-encode / ? # @ and %%)"

func split(raw string) (*parts, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, fail("scheme", "there is none; want redis://host:port, or another of %s", schemeNames)
	}
	known, ok := schemes[strings.ToLower(scheme)]
	if !ok {
		return nil, fail("scheme", "it is unknown; want one of %s", schemeNames)
	}
	u := &parts{kind: known.kind, tls: known.tls}
	rest, fragment, _ := strings.Cut(rest, "#")
	if fragment != "" {
		return nil, fail("fragment", "a Redis URL has none "+encodeHint)
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if err := u.splitAuthority(authority); err != nil {
		return nil, err
	}
	if err := u.splitPath(path); err != nil {
		return nil, err
	}
	return u, u.splitQuery(query)
}

const schemeNames = "redis, rediss, unix, redis-sentinel, redis-cluster"

func (u *parts) splitAuthority(authority string) error {
	hosts := authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		hosts = authority[i+1:]
		user, password, _ := strings.Cut(authority[:i], ":")
		var err error
		if u.user, err = url.PathUnescape(user); err != nil {
			return fail("user", "bad percent-encoding "+encodeHint)
		}
		if u.password, err = url.PathUnescape(password); err != nil {
			return fail("password", "bad percent-encoding "+encodeHint)
		}
	}
	if u.kind == socket {
		if hosts != "" {
			return fail("host", "a unix URL has none; want unix:///path/to/socket")
		}
		return nil
	}
	port := "6379"
	if u.kind == sentinel {
		port = "26379"
	}
	list := strings.Split(hosts, ",")
	if len(list) > 1 && u.kind == single {
		return fail("host", "there are %d; several need redis-sentinel:// or redis-cluster://", len(list))
	}
	for _, h := range list {
		if h == "" && u.kind != single {
			return fail("host", "one is empty")
		}
		addr, err := address(h, port)
		if err != nil {
			return err
		}
		u.hosts = append(u.hosts, addr)
	}
	return nil
}

// hostname holds letters of any language, but nothing that a host cannot have.
var hostname = regexp.MustCompile(`^[\pL\pN._-]+$`)

// address returns host:port for host, host:port, [v6] and [v6]:port.
func address(s, port string) (string, error) {
	host, rest := s, ""
	if v6, after, ok := strings.Cut(s, "]"); ok {
		host, ok = strings.CutPrefix(v6, "[")
		if ip := net.ParseIP(strings.SplitN(host, "%", 2)[0]); !ok || ip == nil {
			return "", fail("host", "what stands in brackets is no IPv6 address")
		}
		rest = after
	} else {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, rest = s[:i], s[i:]
		}
		if host == "" {
			host = "localhost"
		}
		if !hostname.MatchString(host) {
			return "", fail("host", "it has characters that no host name has "+encodeHint)
		}
	}
	if rest != "" {
		p, ok := strings.CutPrefix(rest, ":")
		n, err := strconv.ParseUint(p, 10, 16)
		if !ok || err != nil || n == 0 {
			return "", fail("port", "want a number from 1 to 65535")
		}
		port = strconv.FormatUint(n, 10)
	}
	return net.JoinHostPort(host, port), nil
}

func (u *parts) splitPath(path string) error {
	if strings.Contains(path, "@") && u.kind != socket {
		return fail("path", "it has an @ "+encodeHint)
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return fail("path", "bad percent-encoding")
	}
	name := strings.Trim(path, "/")
	switch u.kind {
	case socket:
		if name == "" {
			return fail("path", "want that of a socket: unix:///path/to/socket")
		}
		u.hosts = []string{path}
	case sentinel:
		if name == "" || strings.ContainsAny(name, "/ ") {
			return fail("path", "want the name of the master: redis-sentinel://host1,host2/MASTER")
		}
		u.master = name
	case cluster:
		if name != "" && name != "0" {
			return fail("path", "a Redis Cluster has no database but 0")
		}
	case single:
		if name == "" {
			return nil
		}
		if u.db, err = database(name); err != nil {
			return fail("path", "%s", err)
		}
	}
	return nil
}

func database(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, errors.New("the database must be a number from 0")
	}
	return int(n), nil
}

func (u *parts) splitQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fail("options", "bad percent-encoding, or a semicolon between options")
	}
	u.query = values
	return nil
}
