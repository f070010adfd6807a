package layertest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the signature that the service documented
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	hookTimeout = time.Second // for the target's answer
	hookBackoff = time.Second // before the first retry; it doubles
	maxOutbox   = 10_000      // events that wait for a target that does not answer
)

// errand is something to do at a target: to deliver an event or, without one,
// to verify that it wants to be called.
type errand struct {
	event   eventType
	request uuid.UUID // the same on every retry
	body    []byte
}

// outbox is what a webhook has to do, in order.
type outbox struct {
	mu      sync.Mutex
	waiting []errand
	runner  *runner // nil while nothing is to be done
}

// runner is the goroutine that works on an outbox, until it is empty or
// somebody else is put in its place.
type runner struct {
	ctx    context.Context //nolint:containedctx // it is the goroutine's own
	cancel context.CancelFunc
}

// queue adds an errand. The caller holds the app's lock.
func (w *webhook) queue(todo errand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) >= maxOutbox {
		w.app.e.config.Log.Warn("a webhook's target falls behind, an event is dropped", "webhook", w.id.String())
		return
	}
	w.waiting = append(w.waiting, todo)
	if w.runner == nil {
		ctx, cancel := context.WithCancel(w.app.e.ctx)
		r := &runner{ctx, cancel}
		w.runner = r
		w.app.e.start(func() {
			defer cancel()
			w.run(r)
		})
	}
}

// stop drops what waits and ends what runs.
func (w *webhook) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = nil
	if w.runner != nil {
		w.runner.cancel()
		w.runner = nil
	}
}

// run works on the outbox. A target that does not take an event for about half
// an hour loses the webhook, and all that waits.
func (w *webhook) run(r *runner) {
	for {
		todo, ok := w.next(r)
		if !ok {
			return
		}
		if todo.event == "" {
			w.conclude(r, w.challenge(r.ctx))
			continue
		}
		if err := w.deliverPatiently(r.ctx, todo); err != nil {
			w.conclude(r, fmt.Errorf("Delivery failed: %w", err)) //nolint:staticcheck // shown in the service's style
		}
	}
}

// conclude settles what a runner found out, unless the webhook was
// deactivated, deleted or reset meanwhile.
func (w *webhook) conclude(r *runner, err error) {
	_, _ = w.app.update(func(tx *tx) (answer, *failure) { // update logs what could not be kept
		if r.ctx.Err() == nil && tx.webhooks[w.id] == w {
			w.settle(tx, err)
		}
		return answer{}, nil
	})
}

func (w *webhook) next(r *runner) (errand, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.runner != r:
		return errand{}, false
	case len(w.waiting) == 0:
		w.runner = nil
		return errand{}, false
	}
	todo := w.waiting[0]
	w.waiting = w.waiting[1:]
	return todo, true
}

// settle makes the webhook active or inactive.
func (w *webhook) settle(tx *tx, err error) {
	w.status, w.reason = webhookActive, ""
	if err != nil {
		w.status, w.reason = webhookInactive, err.Error()
		w.stop()
	}
	tx.touch(w)
}

// challenge is the verification: the target must answer with the random text
// that it is sent.
func (w *webhook) challenge(ctx context.Context) error {
	text := w.app.e.random.id().String()
	target, err := url.Parse(w.target)
	if err != nil {
		return err
	}
	q := target.Query()
	q.Set("verification_challenge", text)
	target.RawQuery = q.Encode()
	resp, body, err := w.ask(ctx, http.MethodGet, target.String(), nil, nil)
	switch {
	case err != nil:
		return fmt.Errorf("Verification failed: %w", err) //nolint:staticcheck // it is shown in the service's words
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("Verification failed due to unexpected response status: %s", resp.Status) //nolint:staticcheck // as above
	case string(body) != text:
		return errors.New("Verification failed due to unexpected response body") //nolint:staticcheck // as above
	}
	return nil
}

func (w *webhook) deliverPatiently(ctx context.Context, h errand) error {
	begin, pause := time.Now(), hookBackoff
	for {
		err := w.deliver(ctx, h)
		if err == nil || time.Since(begin)+pause > w.app.e.config.WebhookPatience {
			return err
		}
		if !wait(ctx, pause) {
			return ctx.Err()
		}
		pause *= 2
	}
}

// deliver posts an event, signed with the secret.
//
// Layer docs: webhooks, payloads, signature.
func (w *webhook) deliver(ctx context.Context, h errand) error {
	mac := hmac.New(sha1.New, []byte(w.secret))
	mac.Write(h.body)
	resp, _, err := w.ask(ctx, http.MethodPost, w.target, h.body, map[string]string{
		"Content-Type":             mediaWebhooks + "; version=1.0",
		"Layer-Webhook-Event-Type": string(h.event),
		"Layer-Webhook-Signature":  hex.EncodeToString(mac.Sum(nil)),
		"Layer-Webhook-Request-Id": h.request.String(),
		"Layer-Webhook-Id":         "layer:///apps/" + w.app.id.String() + "/webhooks/" + w.id.String(),
	})
	switch {
	case err != nil:
		return err
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("unexpected response status: %s", resp.Status)
	}
	return nil
}

func (w *webhook) ask(ctx context.Context, method, target string, body []byte, headers map[string]string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", "layer-webhooks/1.0")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := w.app.e.config.WebhookClient.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address, which has the challenge in it
		}
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp, text, err
}
