package layertest

import (
	"net/http"
	"strings"
)

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
