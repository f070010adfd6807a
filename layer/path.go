package layer

import (
	"net/url"
	"strings"
)

// path builds the escaped path of a resource of the app from raw segments.
func (c *Client) path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/apps/")
	b.WriteString(c.app.UUID().String())
	for _, segment := range segments {
		b.WriteByte('/')
		writeSegment(&b, segment)
	}
	return b.String()
}

// writeSegment escapes everything but RFC 3986's unreserved characters: user ids
// are arbitrary text, and url.PathEscape leaves "+", "&" and others alone, which
// some servers decode. A segment of dots is escaped too: as "." or ".." it would
// be a step in the path, and proxies would take it.
func writeSegment(b *strings.Builder, segment string) {
	const hex = "0123456789ABCDEF"
	dots := segment == "." || segment == ".."
	for i := range len(segment) {
		switch c := segment[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '~', c == '.' && !dots:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}

// url puts an escaped path and a query behind the base URL. RawPath carries the
// escaping: net/url would else choose its own for the decoded path.
func (c *Client) url(escaped string, query url.Values) (*url.URL, error) {
	raw := c.basePath + escaped
	decoded, err := url.PathUnescape(raw)
	if err != nil {
		return nil, err
	}
	return &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: decoded, RawPath: raw, RawQuery: query.Encode()}, nil
}
