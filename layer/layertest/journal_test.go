package layertest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const keptID = "c0000000-0000-4000-8000-00000000000a"

var keptUUID = uuid.MustParse(keptID)

// slowDisk is a disk that syncs only when a test lets it, and says when it is
// asked to.
type slowDisk struct {
	asked, release chan struct{}
	full           error
}

func newSlowDisk() *slowDisk {
	return &slowDisk{asked: make(chan struct{}, 100), release: make(chan struct{})}
}

func (d *slowDisk) Write(b []byte) (int, error) {
	if d.full != nil {
		return len(b) / 2, d.full
	}
	return len(b), nil
}

func (d *slowDisk) Sync() error {
	d.asked <- struct{}{}
	<-d.release
	return nil
}

func (*slowDisk) Close() error { return nil }

// onDisk is an emulator whose journal is on a disk of the test's making.
func onDisk(t *testing.T, d disk) *Emulator {
	t.Helper()
	e := New(Config{})
	e.journal, e.unlock = newJournal(d), func() error { return nil }
	return e
}

// write makes a request and returns the status of the answer.
func write(e *Emulator, method, path, body, dedupe string) int {
	status, _ := exchange(e, method, path, body, dedupe)
	return status
}

func exchange(e *Emulator, method, path, body, dedupe string) (int, string) {
	r := httptest.NewRequest(method, "/apps/"+DefaultAppID+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+DefaultToken)
	r.Header.Set("Accept", mediaLayer+"; version=1.0")
	r.Header.Set("Content-Type", mediaPatch)
	r.Header.Set("If-None-Match", dedupe)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestRepeatsWaitForTheDisk holds that no answer says that something is done
// before it is kept, even where another request did it.
func TestRepeatsWaitForTheDisk(t *testing.T) {
	t.Parallel()
	d := newSlowDisk()
	e := onDisk(t, d)
	first, repeat := make(chan int, 1), make(chan int, 1)
	go func() { first <- write(e, "POST", "/conversations", `{"participants":["ana"]}`, keptID) }()
	<-d.asked
	go func() { repeat <- write(e, "POST", "/conversations", `{"participants":["ana"]}`, keptID) }()
	for e.Stats().Requests < 2 { // the repeat has arrived; what it waits for is the disk
		runtime.Gosched()
	}
	if len(first)+len(repeat) > 0 {
		t.Error("a request was acknowledged before the disk had it")
	}
	close(d.release)
	if a, b := <-first, <-repeat; a != 201 || b != 201 {
		t.Errorf("got %d and %d, want 201 twice", a, b)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestFullDiskIsAnError holds that nothing is acknowledged any more once
// something could not be kept, and that repeats find no traces of it.
func TestFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	d := newSlowDisk()
	close(d.release)
	e := onDisk(t, d)
	if status := write(e, "POST", "/conversations", `{"participants":["ana"]}`, keptID); status != 201 {
		t.Fatalf("got %d, want 201", status)
	}
	d.full = errors.New("no space left on device")
	send := `{"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`
	for range 2 {
		for _, ask := range []struct{ method, path, body string }{
			{"POST", "/conversations/" + keptID + "/messages", send},
			{"POST", "/announcements", `{"recipients":["ana"],"sender":{"name":"x"},"parts":[{"mime_type":"a/b","body":"x"}]}`},
			{"PATCH", "/conversations/" + keptID, `[{"operation":"set","property":"metadata.a","value":"b"}]`},
			{"PATCH", "/conversations/" + keptID, `[]`},
			{"DELETE", "/conversations/" + keptID, ""},
			{"POST", "/users/ana/blocks", `{"user_id":"boris"}`},
			{"DELETE", "/users/ana/blocks/boris", ""},
			{"POST", "/exports", ""},
		} {
			if status := write(e, ask.method, ask.path, ask.body, "d0000000-0000-4000-8000-000000000001"); status != http.StatusInternalServerError {
				t.Errorf("%s %s on a full disk: got %d, want 500", ask.method, ask.path, status)
			}
		}
		if err := e.Reset(); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("reset on a full disk: got %v, want that there is no space", err)
		}
	}
	if err := e.Close(); err == nil {
		t.Error("closing did not say that something was not kept")
	}
}

// TestFormatOfTheState reads what format 2 is: whoever has to change this text
// changes the format.
func TestFormatOfTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "layer-emulator state, format 2\n" + string(batch{App: uuid.MustParse(DefaultAppID), Records: []saved{
		{Kind: "conversation", ID: keptID, Value: []byte(`{"order":1,"created_at":"2016-03-15T00:00:00.000000001Z","participants":["ana"],"members":[{"user":"ana","active":true,"from":1}]}`)},
		{Kind: "message", ID: keptID, Value: []byte(`{"conversation":"` + keptID + `","seq":1,"sent_at":1458000000123456789,"sender":{"name":"ana","is_user":true},"parts":[{"mime":"text/plain","body":"x"}],"recipients":["ana"]}`)},
	}}.line())
	if err := os.WriteFile(filepath.Join(dir, journalName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, body := exchange(e, "GET", "/conversations/"+keptID+"/messages/"+keptID, "", ""); !strings.Contains(body, `"sent_at":"2016-03-15T00:00:00.123Z"`) {
		t.Errorf("the message is %s, want it sent at 2016-03-15T00:00:00.123Z", body)
	}
}

// TestQueuedPatchesAreReadInOrder reads patches that wait, and some that do not
// any more, from a journal that has the later ones first.
func TestQueuedPatchesAreReadInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 1000
	id := func(i int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(strconv.Itoa(i))) }
	b := batch{App: uuid.MustParse(DefaultAppID)}
	for i := n; i > 0; i-- {
		p := queuedPatch{id: id(i), order: uint64(i), user: "ana", at: time.Now().Add(time.Hour)}
		p.ops = []operation{{kind: opSet, property: "blocks", value: []any{strconv.Itoa(i)}}}
		b.Records = append(b.Records, p.save())
	}
	for i := n; i > n/2; i-- {
		b.Records = append(b.Records, removed{kindQueuedPatch, id(i)}.save())
	}
	if err := os.WriteFile(filepath.Join(dir, journalName), append([]byte(journalHeader), b.line()...), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Config{Switches: Switches{QueuedPatches: true}})
	if err != nil {
		t.Fatal(err)
	}
	a := e.anyApp()
	for i, p := range a.queued {
		if p.order != uint64(i+1) {
			t.Fatalf("patch %d is number %d, want them in order", i+1, p.order)
		}
	}
	if len(a.queued) != n/2 || a.applied != nil {
		t.Errorf("%d patches wait, want %d; applied: %v", len(a.queued), n/2, a.applied)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if e, err = Open(dir, Config{}); err != nil { // where patches do not wait
		t.Fatal(err)
	}
	defer e.Close()
	if _, body := exchange(e, "GET", "/users/ana/blocks", "", ""); body != `[{"user_id":"500"}]` {
		t.Errorf("ana blocks %s, want what the last patch that waited says", body)
	}
}

// FuzzJournal reads what may be in the file: whatever it is, reading ends where
// the first damage is, and what is before it reads the same without the rest.
func FuzzJournal(f *testing.F) {
	good := journalHeader + string(batch{App: keptUUID, Records: []saved{{Kind: kindUser, ID: "ana", Value: []byte(`{"badge":1}`)}}}.line())
	f.Add(good)
	f.Add(good + good[len(journalHeader):])
	f.Add(good[:len(good)-1])
	f.Add(good + "00000000 {}\n")
	f.Add("something else\n")
	f.Fuzz(func(t *testing.T, text string) {
		count := func(text string) (n int, end int64, err error) {
			end, err = readJournal(strings.NewReader(text), func(batch) error { n++; return nil })
			return n, end, err
		}
		n, end, err := count(text)
		if end < 0 || end > int64(len(text)) {
			t.Fatalf("%d bytes of %d are good", end, len(text))
		}
		again, sameEnd, sameErr := count(text[:end])
		if err == nil && (sameErr != nil || again != n || sameEnd != end) {
			t.Errorf("%d batches in %d bytes, but %d in %d (%v) without what follows", n, end, again, sameEnd, sameErr)
		}
	})
}
