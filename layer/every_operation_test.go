package layer_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/layerq/layerq/layer"
)

// everyOperation calls each exported method of the services once, with arguments
// that every check takes.
func everyOperation(key string) map[string]func(context.Context, *layer.Client) error {
	var (
		announcement = layer.AnnouncementID(dedupe)
		content      = layer.ContentID(dedupe)
		webhook      = layer.WebhookID(dedupe)
		export       = layer.ExportID(dedupe)
		patch        = layer.Patch{}.Set("metadata.a", "b")
		identity     = layer.Identity{DisplayName: "Ana"}
		upload       = func() layer.UploadRequest {
			return layer.UploadRequest{MIMEType: "a/b", Size: 3, Body: strings.NewReader("abc")}
		}
	)
	type ctx = context.Context
	return map[string]func(ctx, *layer.Client) error{
		"Conversations.Create": func(ctx ctx, c *layer.Client) error {
			return second(c.Conversations.Create(ctx, dedupe, layer.CreateConversationRequest{Participants: []string{"ana"}}))
		},
		"Conversations.Get":       func(ctx ctx, c *layer.Client) error { return second(c.Conversations.Get(ctx, conv)) },
		"Conversations.GetAsUser": func(ctx ctx, c *layer.Client) error { return second(c.Conversations.GetAsUser(ctx, "ana", conv)) },
		"Conversations.ListAsUser": func(ctx ctx, c *layer.Client) error {
			return second(c.Conversations.ListAsUser(ctx, "ana", layer.ConversationListOptions{}))
		},
		"Conversations.PagesAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Conversations.PagesAsUser(ctx, "ana", layer.ConversationListOptions{}))
		},
		"Conversations.AllAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Conversations.AllAsUser(ctx, "ana", layer.ConversationListOptions{}))
		},
		"Conversations.Edit": func(ctx ctx, c *layer.Client) error { return c.Conversations.Edit(ctx, conv, patch) },
		"Conversations.SetMetadata": func(ctx ctx, c *layer.Client) error {
			return c.Conversations.SetMetadata(ctx, conv, map[string]any{"a": "b"})
		},
		"Conversations.DeleteMetadata":      func(ctx ctx, c *layer.Client) error { return c.Conversations.DeleteMetadata(ctx, conv, "a") },
		"Conversations.AddParticipants":     func(ctx ctx, c *layer.Client) error { return c.Conversations.AddParticipants(ctx, conv, "ana") },
		"Conversations.RemoveParticipants":  func(ctx ctx, c *layer.Client) error { return c.Conversations.RemoveParticipants(ctx, conv, "ana") },
		"Conversations.ReplaceParticipants": func(ctx ctx, c *layer.Client) error { return c.Conversations.ReplaceParticipants(ctx, conv, "ana") },
		"Conversations.Delete":              func(ctx ctx, c *layer.Client) error { return c.Conversations.Delete(ctx, conv) },
		"Conversations.DeleteAsUser": func(ctx ctx, c *layer.Client) error {
			return c.Conversations.DeleteAsUser(ctx, "ana", conv, layer.DeleteForUser)
		},

		"Messages.Send": func(ctx ctx, c *layer.Client) error { return second(c.Messages.Send(ctx, conv, dedupe, hello)) },
		"Messages.SendTextFromUser": func(ctx ctx, c *layer.Client) error {
			return second(c.Messages.SendTextFromUser(ctx, conv, dedupe, "ana", "x"))
		},
		"Messages.SendTextFromName": func(ctx ctx, c *layer.Client) error {
			return second(c.Messages.SendTextFromName(ctx, conv, dedupe, "n", "x"))
		},
		"Messages.Schedule": func(ctx ctx, c *layer.Client) error {
			return second(c.Messages.Schedule(ctx, conv, dedupe, hello, layer.Schedule{Delay: time.Second}))
		},
		"Messages.SendRich":  func(ctx ctx, c *layer.Client) error { return second(c.Messages.SendRich(ctx, conv, dedupe, hello)) },
		"Messages.Get":       func(ctx ctx, c *layer.Client) error { return second(c.Messages.Get(ctx, conv, message)) },
		"Messages.GetAsUser": func(ctx ctx, c *layer.Client) error { return second(c.Messages.GetAsUser(ctx, "ana", message)) },
		"Messages.List":      func(ctx ctx, c *layer.Client) error { return second(c.Messages.List(ctx, conv, layer.ListOptions{})) },
		"Messages.ListAsUser": func(ctx ctx, c *layer.Client) error {
			return second(c.Messages.ListAsUser(ctx, "ana", conv, layer.ListOptions{}))
		},
		"Messages.Pages": func(ctx ctx, c *layer.Client) error { return walk(c.Messages.Pages(ctx, conv, layer.ListOptions{})) },
		"Messages.PagesAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Messages.PagesAsUser(ctx, "ana", conv, layer.ListOptions{}))
		},
		"Messages.All": func(ctx ctx, c *layer.Client) error { return walk(c.Messages.All(ctx, conv, layer.ListOptions{})) },
		"Messages.AllAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Messages.AllAsUser(ctx, "ana", conv, layer.ListOptions{}))
		},
		"Messages.Delete": func(ctx ctx, c *layer.Client) error { return c.Messages.Delete(ctx, conv, message) },
		"Messages.DeleteAsUser": func(ctx ctx, c *layer.Client) error {
			return c.Messages.DeleteAsUser(ctx, "ana", message, layer.DeleteForUser)
		},
		"Messages.SendReceiptAsUser": func(ctx ctx, c *layer.Client) error {
			return c.Messages.SendReceiptAsUser(ctx, "ana", message, layer.ReceiptRead)
		},

		"Content.Create":  func(ctx ctx, c *layer.Client) error { return second(c.Content.Create(ctx, conv, dedupe, upload())) },
		"Content.Upload":  func(ctx ctx, c *layer.Client) error { return second(c.Content.Upload(ctx, conv, dedupe, upload())) },
		"Content.Refresh": func(ctx ctx, c *layer.Client) error { return second(c.Content.Refresh(ctx, conv, content)) },
		"Content.Put": func(ctx ctx, c *layer.Client) error {
			return c.Content.Put(ctx, &layer.Content{ID: content, Size: 3, UploadURL: c.BaseURL() + "/upload"}, upload())
		},
		"Content.Download": func(ctx ctx, c *layer.Client) error {
			body, err := c.Content.Download(ctx, conv, layer.ContentRef{ID: content, Size: 1 << 20, DownloadURL: c.BaseURL() + "/download"})
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, body)
			return errors.Join(err, body.Close())
		},

		"Announcements.Send": func(ctx ctx, c *layer.Client) error {
			return second(c.Announcements.Send(ctx, dedupe, layer.SendAnnouncementRequest{Recipients: []string{"ana"}, Sender: hello.Sender, Parts: hello.Parts}))
		},
		"Announcements.GetAsUser": func(ctx ctx, c *layer.Client) error {
			return second(c.Announcements.GetAsUser(ctx, "ana", announcement))
		},
		"Announcements.ListAsUser": func(ctx ctx, c *layer.Client) error {
			return second(c.Announcements.ListAsUser(ctx, "ana", layer.AnnouncementListOptions{}))
		},
		"Announcements.PagesAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Announcements.PagesAsUser(ctx, "ana", layer.AnnouncementListOptions{}))
		},
		"Announcements.AllAsUser": func(ctx ctx, c *layer.Client) error {
			return walk(c.Announcements.AllAsUser(ctx, "ana", layer.AnnouncementListOptions{}))
		},
		"Announcements.SendReceiptAsUser": func(ctx ctx, c *layer.Client) error {
			return c.Announcements.SendReceiptAsUser(ctx, "ana", announcement, layer.ReceiptRead)
		},
		"Announcements.DeleteAsUser": func(ctx ctx, c *layer.Client) error { return c.Announcements.DeleteAsUser(ctx, "ana", announcement) },

		"Notifications.Send": func(ctx ctx, c *layer.Client) error {
			return c.Notifications.Send(ctx, dedupe, layer.SendNotificationRequest{Recipients: []string{"ana"}, Notification: layer.Notification{Text: "x"}})
		},

		"Blocks.Block": func(ctx ctx, c *layer.Client) error { return c.Blocks.Block(ctx, "ana", "boris") },
		"Blocks.List":  func(ctx ctx, c *layer.Client) error { return second(c.Blocks.List(ctx, "ana")) },
		"Blocks.Edit": func(ctx ctx, c *layer.Client) error {
			return c.Blocks.Edit(ctx, "ana", layer.Patch{}.Add("blocks", "boris"))
		},
		"Blocks.Unblock": func(ctx ctx, c *layer.Client) error { return c.Blocks.Unblock(ctx, "ana", "boris") },

		"Identities.Create":  func(ctx ctx, c *layer.Client) error { return c.Identities.Create(ctx, "ana", identity) },
		"Identities.Get":     func(ctx ctx, c *layer.Client) error { return second(c.Identities.Get(ctx, "ana")) },
		"Identities.Replace": func(ctx ctx, c *layer.Client) error { return c.Identities.Replace(ctx, "ana", identity) },
		"Identities.Upsert":  func(ctx ctx, c *layer.Client) error { return c.Identities.Upsert(ctx, "ana", identity) },
		"Identities.Edit": func(ctx ctx, c *layer.Client) error {
			return c.Identities.Edit(ctx, "ana", layer.Patch{}.Set("last_name", "x"))
		},
		"Identities.Delete": func(ctx ctx, c *layer.Client) error { return c.Identities.Delete(ctx, "ana") },

		"Badges.Get":      func(ctx ctx, c *layer.Client) error { return second(c.Badges.Get(ctx, "ana")) },
		"Badges.Set":      func(ctx ctx, c *layer.Client) error { return c.Badges.Set(ctx, "ana", 1) },
		"Users.Get":       func(ctx ctx, c *layer.Client) error { return second(c.Users.Get(ctx, "ana")) },
		"Users.Suspend":   func(ctx ctx, c *layer.Client) error { return c.Users.Suspend(ctx, "ana") },
		"Users.Unsuspend": func(ctx ctx, c *layer.Client) error { return c.Users.Unsuspend(ctx, "ana") },
		"Sessions.Delete": func(ctx ctx, c *layer.Client) error { return c.Sessions.Delete(ctx, "ana") },
		"Sessions.SetTTL": func(ctx ctx, c *layer.Client) error { return c.Sessions.SetTTL(ctx, time.Hour) },

		"Webhooks.Create": func(ctx ctx, c *layer.Client) error {
			return second(c.Webhooks.Create(ctx, layer.CreateWebhookRequest{TargetURL: "https://a.example", Events: []string{layer.EventMessageSent}, Secret: "whisper"}))
		},
		"Webhooks.Get":        func(ctx ctx, c *layer.Client) error { return second(c.Webhooks.Get(ctx, webhook)) },
		"Webhooks.List":       func(ctx ctx, c *layer.Client) error { return second(c.Webhooks.List(ctx)) },
		"Webhooks.Activate":   func(ctx ctx, c *layer.Client) error { return second(c.Webhooks.Activate(ctx, webhook)) },
		"Webhooks.Deactivate": func(ctx ctx, c *layer.Client) error { return second(c.Webhooks.Deactivate(ctx, webhook)) },
		"Webhooks.Delete":     func(ctx ctx, c *layer.Client) error { return c.Webhooks.Delete(ctx, webhook) },

		"Exports.Create":      func(ctx ctx, c *layer.Client) error { return second(c.Exports.Create(ctx)) },
		"Exports.Get":         func(ctx ctx, c *layer.Client) error { return second(c.Exports.Get(ctx, export)) },
		"Exports.List":        func(ctx ctx, c *layer.Client) error { return second(c.Exports.List(ctx)) },
		"Exports.Delete":      func(ctx ctx, c *layer.Client) error { return c.Exports.Delete(ctx, export) },
		"Exports.GetSecurity": func(ctx ctx, c *layer.Client) error { return second(c.Exports.GetSecurity(ctx)) },
		"Exports.SetSecurity": func(ctx ctx, c *layer.Client) error {
			return c.Exports.SetSecurity(ctx, layer.ExportSecurity{PublicKey: key})
		},
		"Exports.GetSchedule": func(ctx ctx, c *layer.Client) error { return second(c.Exports.GetSchedule(ctx)) },
		"Exports.SetSchedule": func(ctx ctx, c *layer.Client) error {
			return c.Exports.SetSchedule(ctx, layer.ExportSchedule{Interval: layer.ExportDaily})
		},
	}
}

func second[T any](_ T, err error) error { return err }

// walk takes all that an iterator has, up to an error.
func walk[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestEveryOperationIsListed(t *testing.T) {
	t.Parallel()
	listed := everyOperation(rsaKey(t, 2048))
	client := reflect.TypeFor[layer.Client]()
	methods := 0
	for field := range client.Fields() {
		if !strings.HasSuffix(field.Type.String(), "Service") {
			continue
		}
		for method := range field.Type.Methods() {
			methods++
			if name := field.Name + "." + method.Name; listed[name] == nil {
				t.Errorf("%s is not listed", name)
			}
		}
	}
	if methods != len(listed) {
		t.Errorf("%d operations are listed, there are %d", len(listed), methods)
	}
}

// TestEveryOperationOnBadAnswers holds that each fails with a sentence of its own
// when what comes back is not what Layer answers, neither hangs nor leaks (see
// TestMain), and never takes it for success.
func TestEveryOperationOnBadAnswers(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	exempt := map[string][]string{
		"Messages.Schedule": {"nothing"},                                                // which is not documented
		"Content.Put":       {"half a body", "a body without end", "a page for people"}, // the status counts alone
		"Content.Download":  {"a page for people", "a redirect"},                        // it may be just what is stored, or where
	}
	huge := struct {
		name       string
		operations []string // one of each way to read an answer: 33 MB are much
	}{"an answer without bounds", []string{"Messages.Send", "Messages.All", "Exports.List", "Identities.Create", "Blocks.Block"}}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   layer.Kind // empty: the status is the error
		always bool       // also an error where no body is wanted
	}{
		"cut before the answer": {cut, layer.KindCut, true},
		"no answer":             {silent, layer.KindTimeout, true},
		"half a body":           {half(200, strings.Repeat("x", 400)), layer.KindCut, true},
		"a body without end":    {slow(200, `{"id":"x"}`), layer.KindTimeout, true},
		"no HTTP":               {noHTTP, layer.KindCut, true},
		"a page for people":     {answer(200, "<html>log in</html>", "Content-Type", "text/html"), layer.KindContentType, true},
		"another content type":  {answer(200, `{"id":"x"}`, "Content-Type", "text/plain"), layer.KindContentType, false},
		"no JSON":               {answer(200, `{"id":`), layer.KindBody, false},
		"JSON of another kind":  {answer(200, `"x"`), layer.KindBody, false},
		"nothing":               {answer(200, ""), layer.KindBody, false},
		huge.name:               {answer(200, strings.Repeat(" ", 33<<20)+"{}"), layer.KindTooLarge, true},
		"a redirect":            {answer(307, "", "Location", "http://elsewhere.example/"), "", true},
		"a redirect to itself":  {answer(302, "", "Location", "/"), "", true},
		"a gateway's page":      {answer(502, "<html>Bad Gateway</html>", "Content-Type", "text/html"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			var wg sync.WaitGroup
			for operation, call := range everyOperation(key) {
				switch {
				case slices.Contains(exempt[operation], name):
					continue
				case name == huge.name && !slices.Contains(huge.operations, operation):
					continue
				case !c.always && !answersWithBody(operation):
					continue // it does not look at the body
				}
				client := f.client(t, layer.WithTimeout(patience(c.kind)), layer.WithAttemptRetries(0))
				wg.Go(func() { // more at once than subtests would be
					err := call(t.Context(), client)
					e, ok := errors.AsType[*layer.TransportError](err)
					switch {
					case err == nil:
						t.Errorf("%s: it is a success", operation)
					case !strings.Contains(err.Error(), "/") || strings.Contains(err.Error(), secret) || len(err.Error()) > 500:
						t.Errorf("%s: the error does not say what was tried, or too much: %.600s", operation, err)
					case c.kind == "" && !layer.Answered(err):
						t.Errorf("%s: got %v, want an answer that is an error", operation, err)
					case c.kind != "" && (!ok || e.Kind != c.kind):
						t.Errorf("%s: got %v, want kind %s", operation, err, c.kind)
					}
				})
			}
			wg.Wait()
		})
	}
}

// answersWithBody tells whether an operation's answer has a body that it reads.
func answersWithBody(operation string) bool {
	service, method, _ := strings.Cut(operation, ".")
	switch {
	case strings.HasPrefix(method, "Get"), strings.HasPrefix(method, "List"), strings.HasPrefix(method, "Pages"), strings.HasPrefix(method, "All"):
		return true
	case service == "Identities", service == "Notifications", service == "Content" && (method == "Put" || method == "Download"):
		return false
	default:
		return strings.HasPrefix(method, "Create") || method == "Send" || strings.HasPrefix(method, "SendText") || method == "SendRich" ||
			method == "Schedule" || method == "Upload" || method == "Refresh" || method == "Activate" || method == "Deactivate"
	}
}

// TestEveryOperationOnEveryError holds that each error of Layer's table arrives as
// what it is, whatever was asked.
func TestEveryOperationOnEveryError(t *testing.T) {
	t.Parallel()
	key := rsaKey(t, 2048)
	for _, want := range []struct {
		status, number int
		code           layer.Code
	}{
		{503, 1, layer.CodeServiceUnavailable},
		{403, 2, layer.CodeInvalidAppID},
		{400, 3, layer.CodeInvalidRequestID},
		{401, 4, layer.CodeAuthenticationRequired},
		{403, 5, layer.CodeAppSuspended},
		{403, 6, layer.CodeUserSuspended},
		{429, 7, layer.CodeRateLimitExceeded},
		{408, 8, layer.CodeRequestTimeout},
		{422, 9, layer.CodeInvalidOperation},
		{400, 10, layer.CodeInvalidRequest},
		{500, 100, layer.CodeInternalServerError},
		{403, 101, layer.CodeAccessDenied},
		{404, 102, layer.CodeNotFound},
		{410, 103, layer.CodeObjectDeleted},
		{422, 104, layer.CodeMissingProperty},
		{422, 105, layer.CodeInvalidProperty},
		{404, 106, layer.CodeInvalidEndpoint},
		{406, 107, layer.CodeInvalidHeader},
		{409, 108, layer.CodeConflict},
		{405, 109, layer.CodeMethodNotAllowed},
		{422, 110, layer.CodeParticipantBlocked},
		{409, 111, layer.CodeIDInUse},
	} {
		f := newFake(t, answer(want.status, `{"id":"`+string(want.code)+`","code":`+strconv.Itoa(want.number)+`,"message":"A sentence.","url":"https://developer.layer.com/"}`))
		client := f.client(t, layer.WithAttemptRetries(0))
		for operation, call := range everyOperation(key) {
			err := call(t.Context(), client)
			e, ok := errors.AsType[*layer.Error](err)
			if !ok || e.Status != want.status || e.Code != want.code || e.Number != want.number || !errors.Is(err, want.code) {
				t.Errorf("%s: got %v, want %d %s", operation, err, want.status, want.code)
			}
		}
	}
}

// TestCompressedAnswers are for proxies that compress what was asked for so.
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip is not asked for")
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, helloAnswer)
		_ = zip.Close()
	}, answer(200, helloAnswer, "Content-Encoding", "br"))
	c := f.client(t, layer.WithAttemptRetries(0))
	if _, err := c.Messages.Get(t.Context(), conv, message); err != nil {
		t.Errorf("gzip: %v", err)
	}
}
