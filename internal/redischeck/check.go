package redischeck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Severity says what is to be done about a finding.
type Severity int

const (
	// Risk is what works, and may lose tasks one day.
	Risk Severity = iota
	// Passing is what does not work now and gets better without a new configuration.
	Passing
	// Fatal is what does not work until somebody changes the configuration.
	Fatal
)

// Finding is one thing that is wrong with a Redis.
type Finding struct {
	Severity Severity
	Text     string
}

// Findings are what Check found.
type Findings []Finding

// Of returns the texts of one severity.
func (f Findings) Of(s Severity) []string {
	var texts []string
	for _, one := range f {
		if one.Severity == s {
			texts = append(texts, one.Text)
		}
	}
	return texts
}

// Check finds out whether tasks are safe with a Redis, and whether its user may do
// what workers do. Nothing that it writes stays. Of what it cannot find
// out it says so; where Redis cannot be reached at all, that is the only finding.
//
// In a cluster the nodes are taken to be alike: one is asked about its memory and disk.
func Check(ctx context.Context, rdb redis.UniversalClient) Findings {
	if err := rdb.Ping(ctx).Err(); err != nil && !isForbidden(err.Error()) {
		return Findings{of(err)}
	}
	var all Findings
	all = append(all, permissions(ctx, rdb)...)
	all = append(all, keeping(ctx, rdb)...)
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(all)
}

// of makes a finding of an error.
func of(err error) Finding {
	f := Finding{Passing, Explain(err)}
	if r, _, found := known(err); found {
		f.Severity = r.kind
	}
	return f
}

// permissions tries what workers do.
func permissions(ctx context.Context, rdb redis.UniversalClient) Findings {
	var all Findings
	var forbidden, unknown []string
	note := func(t try, err error) {
		said := err.Error()
		switch {
		case isForbidden(said):
			forbidden = append(forbidden, t.refused(said))
		case strings.Contains(strings.ToLower(said), "unknown"):
			unknown = append(unknown, t.command)
		default:
			all = append(all, of(err))
		}
	}
	for _, t := range tryAll(ctx, rdb) {
		if t.err != nil {
			note(t, t.err)
		}
		for _, refusal := range t.refusals {
			command, said, _ := strings.Cut(refusal, " ")
			note(try{command: command, key: t.key}, errors.New(said))
		}
	}
	if len(forbidden) > 0 {
		all = append(all, Finding{Fatal, "forbids its user " + list(forbidden) + ": give it ~asynq:* ~layerq:* &asynq:* &layerq:* +@all -@dangerous +info +keys (ACL SETUSER)"})
	}
	if len(unknown) > 0 {
		all = append(all, Finding{Fatal, "does not know " + list(unknown) + ": Redis 6.2 or newer is needed, with no command renamed"})
	}
	return all
}

func list(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// keeping reports whether Redis keeps what it acknowledged.
func keeping(ctx context.Context, rdb redis.UniversalClient) Findings {
	text, err := rdb.Info(ctx).Result()
	if err != nil {
		return Findings{{Risk, "does not tell whether it keeps tasks (INFO is refused): it needs appendonly yes and maxmemory-policy noeviction"}}
	}
	info := parseInfo(text)
	var all Findings
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		limit := "as soon as its memory is limited (maxmemory)"
		if n, err := strconv.ParseInt(info["maxmemory"], 10, 64); err == nil && n > 0 {
			limit = fmt.Sprintf("when it holds %s", size(n))
		}
		what := "what holds back and limits the fleet"
		if strings.HasPrefix(policy, "allkeys-") {
			what = "tasks that were accepted"
		}
		all = append(all, Finding{Risk, fmt.Sprintf("drops %s %s: set maxmemory-policy noeviction, it is %s", what, limit, policy)})
	}
	switch {
	case info["aof_enabled"] == "0":
		all = append(all, Finding{Risk, "loses accepted tasks when it restarts: set appendonly yes"})
	case info["aof_last_write_status"] == "err":
		all = append(all, Finding{Risk, "could not write its append-only file the last time: look at its disk"})
	}
	if info["role"] == "slave" && info["slave_read_only"] == "0" {
		all = append(all, Finding{Risk, "is a writable replica: its next synchronisation drops every task; use the address of the primary"})
	}
	return all
}

func size(n int64) string {
	const mib = 1 << 20
	if n < mib {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}

// parseInfo reads the lines name:value of INFO.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	return info
}
