package layertest_test

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

// fakeT stands in for a *testing.T, and remembers what it was told.
type fakeT struct {
	testing.TB
	complaints []string
	cleanups   []func()
}

func (t *fakeT) Helper()                  {}
func (t *fakeT) Context() context.Context { return context.Background() }
func (t *fakeT) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *fakeT) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
func (t *fakeT) Errorf(format string, args ...any) {
	t.complaints = append(t.complaints, fmt.Sprintf(format, args...))
}

func (t *fakeT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *fakeT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

func TestAssertionsComplain(t *testing.T) {
	t.Parallel()
	srv := layertest.NewServer(t)
	api := srv.Client(t)
	conversation := srv.AddConversation("ana", "boris")
	for _, text := range []string{"one", "two"} {
		if _, err := api.Messages.SendTextFromUser(t.Context(), conversation, uuid.New(), "ana", text); err != nil {
			t.Fatal(err)
		}
	}
	if err := api.Blocks.Block(t.Context(), "ana", "chen"); err != nil {
		t.Fatal(err)
	}
	if err := api.Identities.Create(t.Context(), "ana", layer.Identity{DisplayName: "Ana", Metadata: map[string]string{"berth": "7"}}); err != nil {
		t.Fatal(err)
	}
	_, err := api.Announcements.Send(t.Context(), uuid.New(), layer.SendAnnouncementRequest{
		Recipients: []string{"ana"}, Sender: layer.FromName("x"), Parts: []layer.Part{layer.Text("news")},
	})
	if err != nil {
		t.Fatal(err)
	}
	unknown := layer.ConversationID(uuid.New())
	for _, tt := range []struct {
		name string
		want func(*fakeT)
		text string // of the complaint; empty for none
	}{
		{"messages", func(t *fakeT) { srv.WantMessages(t, conversation, "one", "two") }, ""},
		{"messages in another order", func(t *fakeT) { srv.WantMessages(t, conversation, "two", "one") }, `["one" "two"], want ["two" "one"]`},
		{"too few messages", func(t *fakeT) { srv.WantMessages(t, conversation, "one") }, "want"},
		{"an unknown conversation", func(t *fakeT) { srv.WantMessages(t, unknown) }, "there is no conversation"},
		{"participants", func(t *fakeT) { srv.WantParticipants(t, conversation, "boris", "ana") }, ""},
		{"other participants", func(t *fakeT) { srv.WantParticipants(t, conversation, "ana") }, "participants"},
		{"participants of nothing", func(t *fakeT) { srv.WantParticipants(t, unknown) }, "there is no conversation"},
		{"blocks", func(t *fakeT) { srv.WantBlocks(t, "ana", "chen") }, ""},
		{"no blocks", func(t *fakeT) { srv.WantBlocks(t, "boris") }, ""},
		{"other blocks", func(t *fakeT) { srv.WantBlocks(t, "ana") }, "blocks of ana"},
		{"announcements", func(t *fakeT) { srv.WantAnnouncements(t, "ana", "news") }, ""},
		{"other announcements", func(t *fakeT) { srv.WantAnnouncements(t, "boris", "news") }, "announcements to boris"},
		{"identity", func(t *fakeT) {
			srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana", "metadata.berth": "7"})
		}, ""},
		{"another identity", func(t *fakeT) { srv.WantIdentity(t, "ana", map[string]string{"display_name": "Ana"}) }, "identity of ana"},
		{"no identity", func(t *fakeT) { srv.WantIdentity(t, "boris", nil) }, "boris has no identity"},
		{"requests", func(t *fakeT) { srv.WantRequests(t, 5) }, ""},
		{"other requests", func(t *fakeT) { srv.WantRequests(t, 4) }, "5 requests arrived, want 4"},
	} {
		fake := new(fakeT)
		tt.want(fake)
		switch got := strings.Join(fake.complaints, "\n"); {
		case tt.text == "" && got != "":
			t.Errorf("%s: got %q, want no complaint", tt.name, got)
		case !strings.Contains(got, tt.text) || tt.text != "" && got == "":
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.text)
		}
	}
}

// TestEveryOperationIsServed reads the client's directives: what it calls, the
// emulator routes.
func TestEveryOperationIsServed(t *testing.T) {
	t.Parallel()
	parameter := regexp.MustCompile(`:\w+`)
	served := map[string]bool{}
	for _, r := range layertest.Routes() {
		if !strings.HasPrefix(r.Handler, "(*call).") {
			t.Errorf("%s %s has the handler %q", r.Method, r.Path, r.Handler)
		}
		served[r.Method+" "+parameter.ReplaceAllString(r.Path, ":")] = true
	}
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range parsed.Comments {
			for _, comment := range group.List {
				operation, ok := strings.CutPrefix(comment.Text, "//layer:operation ")
				if !ok {
					continue
				}
				n++
				if !served[parameter.ReplaceAllString(operation, ":")] {
					t.Errorf("%s: %s is not served", file, operation)
				}
			}
		}
	}
	if n == 0 {
		t.Error("the client has no directives")
	}
}
