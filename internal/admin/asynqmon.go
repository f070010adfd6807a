package admin

import (
	"net/http"
	"strings"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

const monitorPath = "/asynqmon"

// monitorPolicy lets asynqmon's pages load what they bring along and nothing
// from elsewhere: they would otherwise fetch fonts from a third party, which
// hangs where there is no way out and tells that party who looks.
const monitorPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A connection hands asynqmon a client that is already there. asynqmon closes
// what it is given in Close, which is therefore never called.
type connection struct{ redis.UniversalClient }

// MakeRedisClient implements asynq.RedisConnOpt.
func (c connection) MakeRedisClient() any { return c.UniversalClient }

// newMonitor returns asynqmon below monitorPath. It archives nothing itself.
func newMonitor(rdb redis.UniversalClient, readOnly bool) http.Handler {
	var monitor http.Handler = asynqmon.New(asynqmon.Options{
		RootPath:         monitorPath,
		RedisConnOpt:     connection{rdb},
		PayloadFormatter: asynqmon.PayloadFormatterFunc(func(_ string, payload []byte) string { return mask(payload) }),
		ResultFormatter:  asynqmon.ResultFormatterFunc(func(_ string, result []byte) string { return mask(result) }),
		ReadOnly:         readOnly,
	})
	if !readOnly {
		monitor = archiving(queue.NewStore(rdb), monitor)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", monitorPolicy)
		if strings.HasSuffix(r.URL.Path, ".svg") {
			w = &svgWriter{ResponseWriter: w}
		}
		monitor.ServeHTTP(w, r)
	})
}

// An svgWriter corrects the type of asynqmon's pictures: it guesses text/xml,
// which browsers that are told not to sniff do not draw.
type svgWriter struct {
	http.ResponseWriter
}

func (w *svgWriter) Write(b []byte) (int, error) {
	w.Header().Set("Content-Type", "image/svg+xml")
	return w.ResponseWriter.Write(b)
}
