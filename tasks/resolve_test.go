package tasks

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var (
	noon   = time.Date(2026, 3, 8, 12, 0, 0, 500_000_000, time.UTC)
	someID = uuid.MustParse("c25e8f04-93ab-4c77-b1de-58f06a1d2b39")
)

func TestResolve(t *testing.T) {
	t.Parallel()
	key := KeyID(TypeBlockUser, "k")
	soon := time.Date(2026, 3, 8, 12, 1, 1, 0, time.UTC) // a full second, not before noon plus a minute
	for _, c := range []struct {
		name string
		opts []Option
		want order
	}{
		{"a key makes the id", []Option{Key("k")}, order{id: key, lane: "blocks:alice", queue: "default"}},
		{"an id is taken as it is", []Option{ID(someID)}, order{id: someID, lane: "blocks:alice", queue: "default"}},
		{"a queue", []Option{Key("k"), Queue("critical")}, order{id: key, lane: "blocks:alice", queue: "critical"}},
		{"a delay", []Option{Key("k"), In(time.Minute)}, order{id: key, lane: "blocks:alice", queue: "default", processAt: soon}},
		{"no delay", []Option{Key("k"), In(0)}, order{id: key, lane: "blocks:alice", queue: "default"}},
		{"a time", []Option{Key("k"), At(noon.Add(time.Minute))}, order{id: key, lane: "blocks:alice", queue: "default", processAt: soon}},
		{"a time that has passed is at once", []Option{Key("k"), At(noon.Add(-time.Hour))}, order{id: key, lane: "blocks:alice", queue: "default"}},
		{"an end", []Option{Key("k"), Expires(soon)}, order{id: key, lane: "blocks:alice", queue: "default", expires: soon}},
		{"an end behind the start", []Option{Key("k"), In(time.Minute), Expires(soon.Add(time.Second / 2))}, order{id: key, lane: "blocks:alice", queue: "default", processAt: soon, expires: soon.Add(time.Second / 2)}},
		{"the longest key", []Option{Key(strings.Repeat("k", 1024))}, order{id: KeyID(TypeBlockUser, strings.Repeat("k", 1024)), lane: "blocks:alice", queue: "default"}},
		{"a year that is far away", []Option{Key("k"), At(time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC))}, order{id: key, lane: "blocks:alice", queue: "default", processAt: time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)}},
		{"no option at all", []Option{Key("k"), nil}, order{id: key, lane: "blocks:alice", queue: "default"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolve(BlockUser{Owner: "alice", User: "bob"}, noon, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(order{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveMakesRandomIDs(t *testing.T) {
	t.Parallel()
	a, _ := resolve(BlockUser{Owner: "alice", User: "bob"}, noon, nil)
	b, _ := resolve(BlockUser{Owner: "alice", User: "bob"}, noon, nil)
	if a.id == b.id || a.id.Version() != 4 {
		t.Errorf("got %s and %s, want two random UUIDs", a.id, b.id)
	}
}

func TestResolveNamesTheOption(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		opts []Option
		want string
	}{
		{"key and id", []Option{Key("k"), ID(someID)}, "key: excludes id: the id is derived from the key"},
		{"an empty key", []Option{Key("")}, "key: is empty"},
		{"a key that is too long", []Option{Key(strings.Repeat("k", 1025))}, "key: is 1025 bytes, at most 1024 are taken"},
		{"a key that is not UTF-8", []Option{Key("\xff")}, "key: is not valid UTF-8"},
		{"a key with NUL", []Option{Key("a\x00b")}, "key: contains NUL"},
		{"the zero id", []Option{ID(uuid.Nil)}, "id: is the zero UUID"},
		{"an unknown queue", []Option{Queue("Default")}, `queue: "Default" is unknown; there are critical, default, bulk`},
		{"no queue", []Option{Queue("")}, `queue: "" is unknown; there are critical, default, bulk`},
		{"in and at", []Option{In(time.Second), At(noon)}, "in: excludes at"},
		{"a negative delay", []Option{In(-time.Second)}, "in: is negative: -1s"},
		{"the zero time", []Option{At(time.Time{})}, "at: is the zero time"},
		{"a time that is too late", []Option{At(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))}, "at: leads to 2100-01-01T00:00:00Z; a task starts before 2100"},
		{"the longest delay", []Option{In(math.MaxInt64)}, "in: leads to 2318-06-18T11:47:17.354Z; a task starts before 2100"},
		{"an end that has passed", []Option{Expires(noon)}, "expires: 2026-03-08T12:00:00.5Z has passed"},
		{"an end before the start", []Option{In(time.Hour), Expires(noon.Add(time.Minute))}, "expires: 2026-03-08T12:01:00.5Z is not a second behind the start at 2026-03-08T13:00:00.5Z: a task for later starts at the next full second"},
		{"an end a moment behind the start", []Option{In(3 * time.Second), Expires(noon.Add(3001 * time.Millisecond))}, "expires: 2026-03-08T12:00:03.501Z is not a second behind the start at 2026-03-08T12:00:03.5Z: a task for later starts at the next full second"},
		{"an end at the start", []Option{At(noon.Add(500 * time.Millisecond)), Expires(noon.Add(500 * time.Millisecond))}, "expires: 2026-03-08T12:00:01Z is not a second behind the start at 2026-03-08T12:00:01Z: a task for later starts at the next full second"},
		{"all at once", []Option{Key(""), Queue("q"), In(-1)}, "key: is empty\nqueue: \"q\" is unknown; there are critical, default, bulk\nin: is negative: -1ns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := resolve(BlockUser{Owner: "alice", User: "bob"}, noon, c.opts)
			if diff := cmp.Diff(c.want, errText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{someID.String(), strings.ToUpper(someID.String())} {
		if got, err := ParseID(s); err != nil || got != someID {
			t.Errorf("ParseID(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "42", "{" + someID.String() + "}", "urn:uuid:" + someID.String(), strings.ReplaceAll(someID.String(), "-", ""), someID.String() + "\x00"} {
		if _, err := ParseID(s); !strings.HasPrefix(errText(err), "tasks: id: ") {
			t.Errorf("ParseID(%q): %v", s, err)
		}
	}
}
