package layer

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter keeps the arithmetic with a foreign number safe.
const maxRetryAfter = 365 * 24 * time.Hour

// parseRetryAfter reads Retry-After as seconds or as an HTTP date; 0 if there is
// none, it is malformed or over. A date is measured on the server's own clock,
// if it sends one.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if digits := strings.Trim(value, "0123456789") == ""; digits {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
