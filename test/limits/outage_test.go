//go:build limits && linux

package limits

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/layerq/layerq/layer/layertest"
	"github.com/layerq/layerq/test/rig"
)

// outage is one way in which Layer is gone for a while.
type outage struct {
	rule    *layertest.Rule // nil: the token is refused
	rate    string          // of the fleet, "off" for none
	tasks   int             // without a limit: enough for seconds at full speed before it and after it
	rooms   int             // conversations, 0 for all
	latency time.Duration   // of the emulator
	begun   int             // calls before it begins
	most    int             // calls in its first minute
}

// speed is the limit of the fleets that an outage stops: what they are to be back at.
const speed = 60

// Layer is gone while a thousand tasks or more wait: it is hardly asked, nothing is archived, no task loses more than two
// attempts, and the fleet of two is back at its speed soon after. In the short form it is gone for less long.
func TestOutage(t *testing.T) {
	t.Parallel()
	limited := func(begun int, rule layertest.Rule) outage {
		return outage{rule: &rule, rate: "60/1s", tasks: 1000, begun: begun, most: 60}
	}
	for name, o := range map[string]outage{
		"503 from the start on":     limited(0, layertest.Rule{Status: 503}),
		"503":                       limited(100, layertest.Rule{Status: 503}),
		"503, one conversation":     {rule: &layertest.Rule{Status: 503}, rate: "60/1s", tasks: 1000, rooms: 1, begun: 100, most: 60},
		"cut connections":           limited(100, layertest.Rule{DropConnection: true}),
		"the token is refused":      {rate: "60/1s", tasks: 1000, most: 60},
		"503, no limit, fast API":   {rule: &layertest.Rule{Status: 503}, rate: "off", tasks: 6000, begun: 2500, most: 60},
		"503, no limit, slow calls": {rule: &layertest.Rule{Status: 503}, rate: "off", tasks: 6000, begun: 2500, latency: 50 * time.Millisecond, most: 2*32 + 20},
	} {
		if name == "503 from the start on" && !*long {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.run(t)
		})
	}
}

func (o outage) run(t *testing.T) {
	t.Helper()
	lasts := inLong(130*time.Second, 15*time.Second)
	env := []string{"LAYERQ_RATE_LIMIT=" + o.rate}
	if o.rate != "off" {
		env = append(env, "LAYERQ_CRITICAL_RESERVE=0%")
	}
	token := ""
	if o.rule == nil {
		lasts = inLong(30*time.Second, 15*time.Second)
		token = filepath.Join(t.TempDir(), "token")
		write(t, token, "revoked")
		env = append(env, "LAYER_TOKEN_FILE="+token)
	}
	s := newSite(t, env...)
	well := func() {
		if o.latency > 0 {
			s.emulator.Faults(layertest.Rule{Latency: layertest.Duration(o.latency)})
		} else {
			s.emulator.Faults()
		}
	}
	well()
	b := s.book()
	rooms := o.rooms
	if rooms == 0 {
		rooms = len(s.rooms)
	}
	b.send(o.tasks, rooms)
	gone := func() time.Time {
		if o.rule != nil {
			r := *o.rule
			r.Latency = layertest.Duration(o.latency)
			s.emulator.Faults(r)
		}
		return time.Now()
	}
	var began time.Time
	if o.begun == 0 {
		began = gone()
	}
	s.Start(2)
	if o.begun > 0 {
		rig.Eventually(t, 30*time.Second, "work", func() bool { return s.emulator.Mark()-conversations >= int64(o.begun) })
		began = gone()
	}
	rig.Eventually(t, 20*time.Second, "the fleet is held", func() bool { return s.queue("default").Held != nil })
	rig.Eventually(t, 10*time.Second, "the start page says so", func() bool {
		return strings.Contains(s.admin(s.Living()[0], "/"), "The fleet is held until")
	})
	pass(t, time.Until(began.Add(10*time.Second)))
	before := s.memory()
	pass(t, time.Until(began.Add(lasts)))
	grown := s.memory() - before
	if o.rule != nil {
		well()
	} else {
		write(t, token+".new", layertest.DefaultToken)
		if err := os.Rename(token+".new", token); err != nil {
			t.Fatal(err)
		}
	}
	over := time.Now()
	first, later := len(s.calls(began, earlier(over, began.Add(time.Minute)))), len(s.calls(began.Add(time.Minute), over))
	b.allDone(90 * time.Second)
	took := time.Since(over)
	t.Logf("gone for %s: %d calls in the first minute, %d later; Redis grew by %.0f KB; all done %.1f s after it",
		lasts, first, later, grown/1024, took.Seconds())
	if first > o.most || later > 6*int(lasts/time.Minute) {
		t.Errorf("%d calls in the first minute, and %d later; want %d at most, and then 6 a minute", first, later, o.most)
	}
	if grown > 512*1024 {
		t.Errorf("Redis grew by %.0f bytes while the fleet was held", grown)
	}
	usual := speed
	if o.rate == "off" {
		if usual = len(s.calls(began.Add(-time.Second), began)); usual == 0 {
			t.Fatal("no call in the second before it")
		}
		if took > 30*time.Second {
			t.Errorf("all done %s after it", took)
		}
	}
	back := s.backAt(over, (9*usual+9)/10)
	t.Logf("back at 90 %% of its speed of %d a second after %.1f s", usual, back.Seconds())
	// Without a limit, beside other tests, how fast it is depends on what those do.
	if judged := o.rate != "off" || *long; judged && (back < 0 || back > 15*time.Second) {
		t.Errorf("back at 90 %% of its speed of %d a second after %s, want 15 s", usual, back)
	}
	for _, p := range s.Living() {
		if n := strings.Count(p.Output(), `msg="layer is left alone`); n != 1 {
			t.Errorf("%s says %d times that it is held", p.Name, n)
		}
	}
	s.emulator.Faults() // for our own reading
	b.judge(3)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
