package sandbox

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/layer"
	"github.com/layerq/layerq/layer/layertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// freeAddr is an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func options(t *testing.T) Options {
	t.Helper()
	app := layertest.DefaultApp()
	return Options{RedisAddr: freeAddr(t), LayerAddr: freeAddr(t), App: app.ID, Token: app.Token, Log: slog.New(slog.DiscardHandler)}
}

func TestStart_serves_both(t *testing.T) {
	t.Parallel()
	opts := options(t)
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	api, err := layer.New(opts.App, opts.Token, layer.WithBaseURL("http://"+opts.LayerAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	_, err = api.Messages.Send(t.Context(), s.Conversation, uuid.New(), layer.SendMessageRequest{
		Sender: layer.Sender{UserID: "alice"}, Parts: []layer.Part{{MIMEType: "text/plain", Body: "hello"}},
	})
	if err != nil {
		t.Errorf("a message to the conversation: %v", err)
	}

	rdb := redis.NewClient(&redis.Options{Addr: opts.RedisAddr})
	defer rdb.Close()
	if err := rdb.Set(t.Context(), "k", "v", 200*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); rdb.Exists(t.Context(), "k").Val() == 1; {
		if time.Now().After(deadline) {
			t.Fatal("the clock of the Redis stands still")
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestStart_names_a_taken_port(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for setting, change := range map[string]func(*Options){
		"REDIS_URL":      func(o *Options) { o.RedisAddr = taken.Addr().String() },
		"LAYER_BASE_URL": func(o *Options) { o.LayerAddr = taken.Addr().String() },
	} {
		opts := options(t)
		change(&opts)
		_, err := Start(t.Context(), opts)
		if _, ok := errors.AsType[*PortError](err); !ok || !strings.Contains(err.Error(), setting) || !strings.Contains(err.Error(), taken.Addr().String()) {
			t.Errorf("%v, want it to name %s and %s", err, setting, taken.Addr())
		}
	}
}

func TestWelcome_says_what_to_type(t *testing.T) {
	t.Parallel()
	app := layertest.DefaultApp()
	id, err := layer.ParseConversationID(conversation)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := Welcome{"redis://127.0.0.1:16379", "http://127.0.0.1:18080", "http://127.0.0.1:8080", app.ID, app.Token, id}
	if err := w.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"redis://127.0.0.1:16379", "http://127.0.0.1:18080", "http://127.0.0.1:8080/", "keeps nothing", layertest.DefaultAppID,
		`go run ./cmd/enqueue message --conversation layer:///conversations/` + conversation + ` --from alice --text "Hello, world" --wait --json`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the welcome lacks %q:\n%s", want, out.String())
		}
	}
}
