package layertest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

const (
	shownUsers         = 200
	shownAnnouncements = 5
	shownPushes        = 50
	shownRequests      = 200
)

type shownUser struct {
	ID            string
	Suspended     bool
	Identity      []property
	Blocks        []string
	Unread        int
	Badge         int
	Queued        int // patches that have not taken effect yet
	Announcements []shownMessage
}

type property struct{ Name, Value string }

// shownPush is a notification that came without a message.
type shownPush struct {
	At         string
	Recipients []string
	Text       string
}

func (e *Emulator) pageUsers(w http.ResponseWriter, r *http.Request) {
	a, f := e.frame(r, "Users", "Users")
	data := struct {
		frame
		Users  []shownUser
		Pushes []shownPush
		excerpt
	}{frame: f}
	a.mu.RLock()
	ids := make([]string, 0, len(a.users))
	for id := range a.users {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	data.excerpt = excerptOf(r, len(ids), shownUsers)
	queued := map[string]int{}
	for _, p := range a.queued {
		queued[p.user]++
	}
	for _, id := range ids[data.begin:data.end] {
		data.Users = append(data.Users, showUser(a.users[id]))
		data.Users[len(data.Users)-1].Queued = queued[id]
	}
	for _, p := range slices.Backward(a.pushes[max(0, len(a.pushes)-shownPushes):]) {
		data.Pushes = append(data.Pushes, shownPush{showTime(p.at), p.recipients, p.text})
	}
	a.mu.RUnlock()
	show(w, http.StatusOK, "users.html", data)
}

// showUser copies a user for a page. The caller holds the lock.
func showUser(u *user) shownUser {
	s := shownUser{ID: u.id, Suspended: u.suspended, Blocks: u.blocks.ids(), Badge: u.badge}
	for key, v := range u.identity {
		switch v := v.(type) {
		case string:
			s.Identity = append(s.Identity, property{key, v})
		case map[string]any:
			s.Identity = append(s.Identity, property{key, string(marshal(v))})
		}
	}
	slices.SortFunc(s.Identity, func(a, b property) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range u.members {
		s.Unread += m.unread
	}
	for _, d := range slices.Backward(u.inbox) {
		if d.deleted || len(s.Announcements) == shownAnnouncements {
			continue
		}
		n := shownMessage{Sender: d.sender.name, At: showTime(d.sentAt)}
		for _, p := range d.parts {
			n.Parts = append(n.Parts, showPart(p))
		}
		s.Announcements = append(s.Announcements, n)
	}
	return s
}

func (e *Emulator) pageRequests(w http.ResponseWriter, r *http.Request) {
	_, f := e.frame(r, "Requests", "Requests")
	total := e.log.stats().Requests
	list := e.Requests(int64(total-shownRequests), shownRequests)
	slices.Reverse(list)
	data := struct {
		frame
		Requests []Request
		Total    int
	}{f, list, total}
	show(w, http.StatusOK, "requests.html", data)
}

// preset is a fault that one button switches on.
type preset struct{ Name, Rule string }

var presets = []preset{
	{"messages: 503 after the work, 1 in 10", `{"match":{"method":"POST","path":"/messages$"},"status":503,"after_commit":true,"probability":0.1}`},
	{"everything: 503", `{"status":503}`},
	{"everything: 429 with Retry-After 2s", `{"status":429,"retry_after":"2s"}`},
	{"everything: 401", `{"status":401}`},
	{"everything: cut after the work, 1 in 20", `{"drop_connection":true,"after_commit":true,"probability":0.05}`},
	{"everything: 500ms slow", `{"latency":"500ms"}`},
	{"everything: no answer", `{"hang":true}`},
}

func (e *Emulator) pageFaults(w http.ResponseWriter, r *http.Request, problem error) {
	_, f := e.frame(r, "Faults", "Faults")
	data := struct {
		frame
		Problem string
		Rules   []string
		Presets []preset
		Limit   string
	}{frame: f, Presets: presets, Limit: e.log.rate().String()}
	status := http.StatusOK
	if problem != nil {
		status, data.Problem = http.StatusBadRequest, problem.Error()
	}
	for _, rule := range e.Faults() {
		data.Rules = append(data.Rules, string(marshal(rule)))
	}
	show(w, status, "faults.html", data)
}

// pageAddFault adds a rule that is given whole or by the fields of the form.
func (e *Emulator) pageAddFault(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	text := r.PostFormValue("rule")
	if text == "" {
		text = ruleOf(r)
	}
	rules, err := ParseRules([]byte("[" + text + "]"))
	if err == nil {
		err = e.AddFaults(rules...)
	}
	e.pageDone(w, r, err)
}

// ruleOf writes the fields that were filled in as the JSON of a rule, so that
// they are checked like any other.
func ruleOf(r *http.Request) string {
	var match, rule []string
	add := func(to *[]string, name, value string) { *to = append(*to, string(marshal(name))+":"+value) }
	for _, name := range []string{"method", "path"} {
		if v := r.PostFormValue(name); v != "" {
			add(&match, name, string(marshal(v)))
		}
	}
	add(&rule, "match", "{"+strings.Join(match, ",")+"}")
	for _, name := range []string{"status", "probability", "count"} {
		if v := strings.TrimSpace(r.PostFormValue(name)); v != "" {
			add(&rule, name, v)
		}
	}
	for _, name := range []string{"code", "latency", "retry_after"} {
		if v := strings.TrimSpace(r.PostFormValue(name)); v != "" {
			add(&rule, name, string(marshal(v)))
		}
	}
	for _, name := range []string{"after_commit", "drop_connection", "hang", "half_body"} {
		if r.PostFormValue(name) != "" {
			add(&rule, name, "true")
		}
	}
	return "{" + strings.Join(rule, ",") + "}"
}

func (e *Emulator) pageClearFaults(w http.ResponseWriter, r *http.Request) {
	e.pageDone(w, r, e.SetFaults())
}

func (e *Emulator) pageLimit(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	rate, err := ParseRate(strings.TrimSpace(r.PostFormValue("limit")))
	if err == nil {
		e.SetRate(rate)
	}
	e.pageDone(w, r, err)
}

func (e *Emulator) pageReset(w http.ResponseWriter, r *http.Request) {
	e.pageDone(w, r, e.Reset())
}

// pageDone goes back to the page of faults, or says there what is wrong.
func (e *Emulator) pageDone(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		e.pageFaults(w, r, err)
		return
	}
	http.Redirect(w, r, pageRoot+"faults", http.StatusSeeOther)
}
