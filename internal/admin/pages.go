package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"
)

// A Page is what the start page shows of the worker at one moment.
type Page struct {
	// State is one word: what the worker does.
	State string
	// Reasons say why the worker is not ready; none means that it is.
	Reasons []string
	// Warnings are sentences about what works and should not stay so.
	Warnings []string
	// Queues are all queues of the fleet, QueuesError why there are none.
	Queues      []Queue
	QueuesError string
	// Lane is the longest lane of the fleet, nil if no task waits for another;
	// LaneError why it is not known.
	Lane      *Lane
	LaneError string
	// Hold is why no tasks are taken, nil while they are.
	Hold *Hold
	// Limit is the rate limit of the fleet, nil if there is none.
	Limit *Limit
	// Facts are shown one below the other: addresses, limit, and the like.
	// Nothing secret may be in them.
	Facts []Fact
}

// A Queue is one line of the start page's table.
type Queue struct {
	Name                                                            string
	Pending, Waiting, Scheduled, Active, Retry, Archived, Completed int
	Latency                                                         time.Duration // age of the oldest pending task
	Paused                                                          bool          // by hand
	Held                                                            string        // "held", or "paused until ..." where another program's pause ends by itself; "" if neither
	Running, Concurrency                                            int           // of this worker; Concurrency is 0 if it does not serve the queue
}

// A Lane is what the start page shows of the longest lane.
type Lane struct {
	Queue, Name string
	Waiting     int    // tasks behind the first
	First       string // its id
	State       string // of the first: "" if it was deleted
}

// A Hold is what the start page shows of the fleet being held.
type Hold struct {
	Reason string    // such as "outage: 503 service_unavailable"
	Until  time.Time // when Layer is asked again
	Advice string    // what that means, as a sentence
}

// A Limit is what the start page shows of the rate limit.
type Limit struct {
	Rate        string // such as "100/1s"
	InUse, Most int    // calls that are made or still count, of so many
	Waiting     string // who waits; "" if nobody does
	Problem     string // why it is not the fleet's limit; "" if it is
}

// A Fact is a name and a value on the start page.
type Fact struct{ Name, Value string }

// refreshSeconds is longer than what a headless browser is given to take a picture.
const refreshSeconds = 15

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"latency": showLatency, "left": showLeft}).ParseFS(pageFiles, "pages/*.html"))

// pagePolicy lets a page of ours load nothing and send forms to us only. The
// one style sheet it carries is named by its digest.
var pagePolicy = "default-src 'none'; img-src data:; style-src 'sha256-" + styleDigest() + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func styleDigest() string {
	var out strings.Builder
	if err := pages.ExecuteTemplate(&out, "style", nil); err != nil {
		panic(err) // the page is compiled in: this fails in every test or in none
	}
	_, sheet, _ := strings.Cut(out.String(), "<style>")
	sheet, _, _ = strings.Cut(sheet, "</style>")
	digest := sha256.Sum256([]byte(sheet))
	return base64.StdEncoding.EncodeToString(digest[:])
}

func showLatency(d time.Duration) string {
	switch {
	case d <= 0:
		return "0"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// showLeft tells how long it is until a time, on this host's clock.
func showLeft(at time.Time) string {
	left := time.Until(at).Round(time.Second)
	if left <= 0 {
		return "now"
	}
	return "in " + left.String()
}

// start serves "/": one look at what the worker does, on a phone too.
func (a *Admin) start(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	access := "Without an admin token: from this host only, and read-only."
	if a.guard.token != "" {
		access = "You may change everything."
	}
	a.show(w, http.StatusOK, "start.html", struct {
		Page
		Title, Version, Access string
		Refresh                int
		SignedIn               bool
	}{a.opts.Page(ctx), "layerq worker", a.opts.Version, access, refreshSeconds, a.guard.token != ""})
}

func (a *Admin) showLogin(w http.ResponseWriter, status int, problem string) {
	a.show(w, status, "login.html", struct {
		Title, Problem string
		Refresh        int
	}{"layerq worker: log in", problem, 0})
}

func (a *Admin) show(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		a.log.Error("page failed", "page", name, "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(status)
	out.WriteTo(w) //nolint:errcheck // a caller that went away needs no page
}
