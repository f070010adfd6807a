package layertest

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"
)

// The page shows people what the emulator holds, as one would read it in a
// chat, and lets them switch faults on. It needs nothing but the emulator: no
// script, nothing from elsewhere.

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// pageRoot is where everything but the first page is.
const pageRoot = "/_emulator/page/"

// frame is what every page has around it.
type frame struct {
	Title string
	Nav   []link
	App   uuid.UUID
	Apps  []appLink
}

type link struct {
	Name string
	URL  string
	Here bool
}

type appLink struct {
	ID   uuid.UUID
	Here bool
}

func (e *Emulator) addPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /_emulator/{$}", e.pageConversations)
	mux.HandleFunc("GET /_emulator", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/_emulator/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+pageRoot+"conversation", e.pageConversation)
	mux.HandleFunc("GET "+pageRoot+"users", e.pageUsers)
	mux.HandleFunc("GET "+pageRoot+"requests", e.pageRequests)
	mux.HandleFunc("GET "+pageRoot+"faults", func(w http.ResponseWriter, r *http.Request) { e.pageFaults(w, r, nil) })
	mux.HandleFunc("POST "+pageRoot+"faults", e.pageAddFault)
	mux.HandleFunc("POST "+pageRoot+"faults/clear", e.pageClearFaults)
	mux.HandleFunc("POST "+pageRoot+"limit", e.pageLimit)
	mux.HandleFunc("POST "+pageRoot+"reset", e.pageReset)
	mux.HandleFunc("GET "+pageRoot+"style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "page/style.css")
	})
}

// frame returns the app that the page is about, and what stands around it.
func (e *Emulator) frame(r *http.Request, title, here string) (*app, frame) {
	a := e.anyApp()
	if id, ok := parseID(r.URL.Query().Get("app")); ok && e.apps[id] != nil {
		a = e.apps[id]
	}
	f := frame{Title: title, App: a.id}
	query := "?" + url.Values{"app": {a.id.String()}}.Encode()
	for _, l := range []link{
		{Name: "Conversations", URL: "/_emulator/"},
		{Name: "Users", URL: pageRoot + "users"},
		{Name: "Requests", URL: pageRoot + "requests"},
		{Name: "Faults", URL: pageRoot + "faults"},
	} {
		f.Nav = append(f.Nav, link{l.Name, l.URL + query, l.Name == here})
	}
	seen := map[uuid.UUID]bool{}
	for _, configured := range e.config.Apps {
		if id := configured.ID.UUID(); !seen[id] {
			seen[id] = true
			f.Apps = append(f.Apps, appLink{id, id == a.id})
		}
	}
	return a, f
}

// excerpt is what a page shows of a long list: the items from begin up to end.
// Those before and behind it are on other pages.
type excerpt struct {
	begin, end int

	More int    // items that follow
	Next string // where they are
	Back string // where those before it are, empty without any
}

// excerptOf returns up to most of n items, after as many as the address skips.
func excerptOf(r *http.Request, n, most int) excerpt {
	q := r.URL.Query()
	skip, _ := strconv.Atoi(q.Get("skip")) // what is no number skips nothing
	x := excerpt{begin: min(max(skip, 0), n)}
	x.end = min(x.begin+most, n)
	page := func(skip int) string {
		q.Set("skip", strconv.Itoa(skip))
		return r.URL.Path + "?" + q.Encode()
	}
	if x.More = n - x.end; x.More > 0 {
		x.Next = page(x.end)
	}
	if x.begin > 0 {
		x.Back = page(max(x.begin-most, 0))
	}
	return x
}

// show renders a page whole before it sends any of it.
func show(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // a reader who left cannot be told
}
