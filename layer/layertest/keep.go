package layertest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"
)

// The kinds of entities in the journal.
const (
	kindConversation = "conversation"
	kindMessage      = "message"
	kindScheduled    = "scheduled"
	kindAnnouncement = "announcement"
	kindUser         = "user"
	kindQueuedPatch  = "queued patch"
	kindContent      = "content"
	kindWebhook      = "webhook"
	kindExport       = "export"
	kindSettings     = "settings"
	kindSecret       = "secret"
)

// entity is what the journal keeps, each under its kind and id. What can be
// computed from others, such as counts, is not in it.
type entity interface {
	save() saved
}

// removed is an entity that is gone.
type removed struct {
	kind string
	id   uuid.UUID
}

func (r removed) save() saved { return saved{Kind: r.kind, ID: r.id.String()} }

// keep hands what was touched to the journal, if there is one.
func (e *Emulator) keep(a *app, touched []entity) promise {
	if e.journal == nil || len(touched) == 0 {
		return promise{}
	}
	b := batch{App: a.id, Records: make([]saved, len(touched))}
	for i, x := range touched {
		b.Records[i] = x.save()
	}
	return e.journal.append(b.line())
}

// keepReset forgets an app in the journal, too.
func (e *Emulator) keepReset(a *app) promise {
	if e.journal == nil {
		return promise{}
	}
	return e.journal.append(batch{App: a.id, Reset: true}.line())
}

// kept promises everything that was handed to the journal up to now.
func (e *Emulator) kept() promise {
	if e.journal == nil {
		return promise{}
	}
	return e.journal.appended()
}

// Open returns an emulator that keeps its state in dir, and begins with what
// is there: what was acknowledged before survives a crash of the process and
// of the machine. Two emulators cannot use the same directory at once.
//
// The request log, counts, faults and events on their way to webhooks are not
// kept.
func Open(dir string, cfg Config) (*Emulator, error) {
	if err := makeDirs(dir, filepath.Join(dir, contentName)); err != nil {
		return nil, err
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := newEmulator(cfg, filepath.Join(dir, contentName))
	e.unlock = unlock
	records := 0
	e.journal, err = openJournal(dir, func(b batch) error {
		records += len(b.Records)
		return e.load(b)
	}, func(damaged string, size int64) {
		e.config.Log.Warn("the end of the state is damaged, as a crash leaves it, and was moved aside", "file", damaged, "bytes", size)
	})
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	err = errors.Join(syncDir(dir), e.blobs.sweep()) // the journal may be new
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	for _, a := range e.apps {
		a.settle()
	}
	if live := e.entities(); records > 2*live+1000 {
		err = e.compact(dir)
	} else if records == 0 {
		e.keep(e.anyApp(), []entity{secret(e.secret)})
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	for _, a := range e.apps {
		a.resume()
	}
	return e, nil
}

func (s *settings) save() saved { return saved{Kind: kindSettings, Value: marshal(s)} }

// secret is what the addresses of the storage are signed with: those that were
// given out stay valid after a restart.
type secret [32]byte

func (s secret) save() saved { return saved{Kind: kindSecret, Value: marshal(s[:])} }

// anyApp stands in where a record belongs to no app.
func (e *Emulator) anyApp() *app { return e.apps[e.config.Apps[0].ID.UUID()] }

// all returns everything the app keeps, in an order in which it can be loaded.
func (a *app) all() []entity {
	out := []entity{&a.settings}
	for _, u := range a.users {
		out = append(out, u)
	}
	for _, p := range a.queued {
		out = append(out, p)
	}
	for _, conv := range a.conversations {
		out = append(out, conv)
	}
	for _, msg := range a.messages {
		out = append(out, msg)
	}
	for _, x := range a.scheduled {
		out = append(out, x)
	}
	announcements := make([]*announcement, 0, len(a.announcements))
	for _, n := range a.announcements {
		announcements = append(announcements, n)
	}
	slices.SortFunc(announcements, func(v, w *announcement) int { return int(int64(v.order) - int64(w.order)) })
	for _, n := range announcements {
		out = append(out, n)
	}
	for _, x := range a.contents {
		out = append(out, x)
	}
	for _, x := range a.webhooks {
		out = append(out, x)
	}
	for _, x := range a.exports {
		out = append(out, x)
	}
	return out
}

func (e *Emulator) entities() int {
	n := 0
	for _, a := range e.apps {
		n += 1 + len(a.users) + len(a.queued) + len(a.conversations) + len(a.messages) + len(a.scheduled) + len(a.announcements) +
			len(a.contents) + len(a.webhooks) + len(a.exports)
	}
	return n
}

// compact writes the state anew, without its past, and puts it in the place of
// the journal.
func (e *Emulator) compact(dir string) error {
	path := filepath.Join(dir, journalName)
	f, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	old := e.journal
	e.journal = newJournal(f)
	e.journal.append([]byte(journalHeader))
	last := e.keep(e.anyApp(), []entity{secret(e.secret)})
	for _, a := range e.apps {
		for chunk := range slices.Chunk(a.all(), 1000) {
			last = e.keep(a, chunk)
			if err := last.wait(); err != nil {
				return err
			}
		}
	}
	if err := last.wait(); err != nil {
		return err
	}
	if err := old.close(); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDirs makes directories that are still there after a crash.
func makeDirs(dirs ...string) error {
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err == nil {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes what was made or renamed in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory that the emulator was given
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
