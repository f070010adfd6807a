package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

// masked is what is shown of a secret.
const masked = "****"

// Secret is a string that does not show itself: printed, logged or marshalled
// it is "****". Empty means that there is none, and is shown as such.
type Secret string

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns "****", or nothing where there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText keeps the secret out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// RedisURL is the address of a Redis, whose passwords do not show themselves.
type RedisURL string

// Reveal returns the URL with its passwords, for the client that dials it.
func (u RedisURL) Reveal() string { return string(u) }

// String returns the URL with its passwords masked.
func (u RedisURL) String() string { return maskURL(string(u)) }

// GoString keeps the passwords out of %#v.
func (u RedisURL) GoString() string { return fmt.Sprintf("%q", u.String()) }

// MarshalText keeps the passwords out of JSON.
func (u RedisURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue keeps the passwords out of logs.
func (u RedisURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

func maskAll(string) string { return masked }

// hosts is what may stand between the scheme of a URL and its path without
// being a password: names, addresses and ports.
var hosts = regexp.MustCompile(`^[A-Za-z0-9._-]*(:[0-9]*)?(,[A-Za-z0-9._-]*(:[0-9]*)?)*$|^\[[0-9A-Fa-f:.%]+\](:[0-9]*)?$`)

// maskURL masks what could be a password in a URL, also in one that is too
// broken to be parsed: what cannot be told from a password is masked.
func maskURL(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	// The last @ ends the user and the password, also where a password has
	// letters in it that should have been escaped.
	user := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		name, _, hasPassword := strings.Cut(rest[:at], ":")
		switch {
		case hasPassword:
			user = name + ":" + masked + "@"
		case found:
			user = name + "@"
		default:
			user = masked + "@"
		}
		rest = rest[at+1:]
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	host, path, hasPath := strings.Cut(rest, "/")
	if !hosts.MatchString(host) || (!found && user == "" && !strings.ContainsAny(host, ".:")) {
		host = masked
	}
	if hasPath {
		host += "/" + path
	}
	if hasQuery {
		host += "?" + maskQuery(query)
	}
	return scheme + user + host
}

// maskQuery masks the values of options that look like secrets.
func maskQuery(query string) string {
	options := strings.Split(query, "&")
	for i, option := range options {
		name, _, _ := strings.Cut(option, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			options[i] = masked
			continue
		}
		for _, secret := range []string{"pass", "secret", "token", "auth"} {
			if strings.Contains(strings.ToLower(plain), secret) {
				options[i] = name + "=" + masked
			}
		}
	}
	return strings.Join(options, "&")
}

// parseToken takes what can be sent behind "Bearer".
func parseToken(s string) (Secret, error) {
	const most = 4096 // a whole header of 8 KiB is what servers commonly take
	if len(s) > most {
		return "", fmt.Errorf("has %d bytes", len(s))
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return "", errors.New("has a space, a control character, or one beyond ASCII in it")
		}
	}
	return Secret(s), nil
}

//nolint:gosec // G101: a description, no credential
const allowedToken = "1 to 4096 printable ASCII characters without spaces"
