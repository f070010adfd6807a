package layertest

import (
	"net/http"
	"slices"
)

const shownRequests = 200

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
