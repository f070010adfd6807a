package layertest

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

var webhookRoutes = []route{
	{method: http.MethodPost, path: "/apps/:app/webhooks", handle: (*call).createWebhook},
	{method: http.MethodGet, path: "/apps/:app/webhooks", handle: (*call).listWebhooks},
	{method: http.MethodGet, path: "/apps/:app/webhooks/:webhook", handle: (*call).getWebhook},
	{method: http.MethodPost, path: "/apps/:app/webhooks/:webhook/activate", handle: (*call).activateWebhook},
	{method: http.MethodPost, path: "/apps/:app/webhooks/:webhook/deactivate", handle: (*call).deactivateWebhook},
	{method: http.MethodDelete, path: "/apps/:app/webhooks/:webhook", handle: (*call).deleteWebhook},
}

type webhookStatus string

const (
	webhookUnverified webhookStatus = "unverified"
	webhookActive     webhookStatus = "active"
	webhookInactive   webhookStatus = "inactive"
)

// webhook is a subscription to events. What is guarded by the app's lock and
// what by the queue's own does not mix.
type webhook struct {
	app       *app
	id        uuid.UUID
	target    string
	events    []eventType
	secret    string
	config    map[string]any
	createdAt time.Time
	status    webhookStatus
	reason    string // why it is inactive

	outbox
}

type wireWebhook struct {
	ID           string         `json:"id"`
	URL          string         `json:"url"`
	Version      string         `json:"version"`
	TargetURL    string         `json:"target_url"`
	Events       []eventType    `json:"events"`
	Status       webhookStatus  `json:"status"`
	StatusReason string         `json:"status_reason,omitempty"`
	CreatedAt    string         `json:"created_at"`
	Config       map[string]any `json:"config"`
}

func (c *call) webhook(w *webhook) wireWebhook {
	path := "apps/" + c.app.id.String() + "/webhooks/" + w.id.String()
	return wireWebhook{
		ID: "layer:///" + path, URL: c.e.config.PublicURL + "/" + path, Version: "1.0", TargetURL: w.target, Events: w.events,
		Status: w.status, StatusReason: w.reason, CreatedAt: timestamp(w.createdAt), Config: w.config,
	}
}

// createWebhook answers POST /apps/A/webhooks, and asks the target whether it
// wants to be called.
//
// Layer docs: webhooks, register.
func (c *call) createWebhook() (answer, *failure) {
	body, f := c.decodeObject()
	if f != nil {
		return answer{}, f
	}
	w, f := c.parseWebhook(body)
	if f != nil {
		f.url = docsWebhooks
		return answer{}, f
	}
	return c.write(func(tx *tx) (answer, *failure) {
		w.id, w.createdAt = c.e.newID(), tx.now
		tx.webhooks[w.id] = w
		tx.touch(w)
		a := jsonAnswer(http.StatusCreated, c.webhook(w))
		w.queue(errand{}) // verifies
		return a, nil
	})
}

func (c *call) parseWebhook(body object) (*webhook, *failure) {
	for _, key := range []string{"version", "target_url", "events", "secret"} {
		if !body.has(key) {
			f := missing(key)
			f.message = "The " + key + " property cannot be omitted."
			return nil, f
		}
	}
	if body["version"] != "1.0" {
		return nil, invalid("version", "it must be 1.0")
	}
	w := &webhook{app: c.app, status: webhookUnverified, config: map[string]any{}}
	var f *failure
	if w.target, f = body.text("target_url", "target_url"); f != nil {
		return nil, f
	}
	target, err := url.Parse(w.target)
	switch {
	case err != nil || target.Host == "":
		return nil, invalid("target_url", "it must be a URL")
	case target.Scheme != "https" && (target.Scheme != "http" || !c.e.config.Switches.HTTPWebhooks):
		return nil, invalid("target_url", "it must be an HTTPS URL")
	}
	list, ok := body["events"].([]any)
	if !ok || len(list) == 0 {
		return nil, invalid("events", "it must be an array that is not empty")
	}
	for _, v := range list {
		name, _ := v.(string)
		if !slices.Contains(eventTypes, eventType(name)) {
			return nil, invalid("events", "there is no event "+name)
		}
		w.events = append(w.events, eventType(name))
	}
	if w.secret, f = body.text("secret", "secret"); f != nil {
		return nil, f
	}
	if body.has("config") {
		if w.config, ok = body["config"].(map[string]any); !ok {
			return nil, invalid("config", "it must be an object")
		}
		if deeper(w.config, maxNesting) {
			return nil, invalid("config", "it is nested too deeply")
		}
	}
	return w, nil
}

// listWebhooks answers GET /apps/A/webhooks, in the order of the ids, as
// recorded.
//
// Layer docs: webhooks, list.
func (c *call) listWebhooks() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		list := []wireWebhook{}
		for _, w := range a.sortedWebhooks() {
			list = append(list, c.webhook(w))
		}
		return jsonAnswer(http.StatusOK, list), nil
	})
}

func (a *app) sortedWebhooks() []*webhook {
	all := make([]*webhook, 0, len(a.webhooks))
	for _, w := range a.webhooks {
		all = append(all, w)
	}
	slices.SortFunc(all, func(v, w *webhook) int { return bytes.Compare(v.id[:], w.id[:]) })
	return all
}

// hookOf finds the webhook of a call.
func (c *call) hookOf(a *app) (*webhook, *failure) {
	w := a.webhooks[c.id("webhook")]
	if w == nil {
		f := unknown("webhook")
		f.url = docsWebhooks
		return nil, f
	}
	return w, nil
}

// getWebhook answers GET /apps/A/webhooks/W.
//
// Layer docs: webhooks, inspect.
func (c *call) getWebhook() (answer, *failure) {
	return c.read(func(a *app) (answer, *failure) {
		w, f := c.hookOf(a)
		if f != nil {
			return answer{}, f
		}
		return jsonAnswer(http.StatusOK, c.webhook(w)), nil
	})
}

// activateWebhook answers POST /apps/A/webhooks/W/activate with what came of
// asking the target again.
//
// Layer docs: webhooks, activate.
func (c *call) activateWebhook() (answer, *failure) {
	var w *webhook
	_, f := c.read(func(a *app) (answer, *failure) {
		var f *failure
		w, f = c.hookOf(a)
		return answer{}, f
	})
	if f != nil {
		return answer{}, f
	}
	verified := w.challenge(c.r.Context()) // takes a second at most; nobody else waits for it
	return c.write(func(tx *tx) (answer, *failure) {
		if _, f := c.hookOf(tx.app); f != nil {
			return answer{}, f // deleted meanwhile
		}
		w.settle(tx, verified)
		return jsonAnswer(http.StatusOK, c.webhook(w)), nil
	})
}

// deactivateWebhook answers POST /apps/A/webhooks/W/deactivate.
//
// Layer docs: webhooks, deactivate.
func (c *call) deactivateWebhook() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		w, f := c.hookOf(tx.app)
		if f != nil {
			return answer{}, f
		}
		w.stop()
		w.status, w.reason = webhookInactive, "Deactivated by request"
		tx.touch(w)
		return jsonAnswer(http.StatusOK, c.webhook(w)), nil
	})
}

// deleteWebhook answers DELETE /apps/A/webhooks/W.
//
// Layer docs: webhooks, delete.
func (c *call) deleteWebhook() (answer, *failure) {
	return c.write(func(tx *tx) (answer, *failure) {
		w, f := c.hookOf(tx.app)
		if f != nil {
			return answer{}, f
		}
		w.stop()
		delete(tx.webhooks, w.id)
		tx.touch(removed{kindWebhook, w.id})
		return noContent(), nil
	})
}

// request stands in for the one that a delivery does not come from: the
// addresses in it are those of the service.
func (w *webhook) request() *http.Request {
	return &http.Request{Host: strings.TrimPrefix(w.app.e.config.PublicURL, "https://")}
}
