package redischeck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/layerq/layerq/internal/queue"
	"github.com/layerq/layerq/internal/redischeck"
	"github.com/layerq/layerq/internal/redistest"
	"github.com/layerq/layerq/internal/redisurl"
)

func TestMain(m *testing.M) {
	redisurl.Quiet()
	goleak.VerifyTestMain(m)
}

// check asks the Redis at a URL.
func check(t *testing.T, url string) redischeck.Findings {
	t.Helper()
	rdb, err := redisurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	return redischeck.Check(t.Context(), rdb)
}

var safe = []string{"--appendonly", "yes", "--maxmemory-policy", "noeviction"}

func TestNothingIsWrongWithASafeRedis(t *testing.T) {
	t.Parallel()
	s := redistest.NewServer(t, safe...)
	if got := check(t, "redis://"+s.Addr); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	rdb, err := redisurl.Open("redis://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	if keys, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("it leaves %v behind, %v", keys, err)
	}
}

func TestAnEmbeddedRedisIsUsable(t *testing.T) {
	t.Parallel()
	got := check(t, redistest.URL(t))
	if texts := append(got.Of(redischeck.Fatal), got.Of(redischeck.Passing)...); len(texts) > 0 {
		t.Errorf("got %q", texts)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	const acl = "give it ~asynq:* ~layerq:* &asynq:* &layerq:* +@all -@dangerous +info +keys (ACL SETUSER)"
	s := redistest.NewServer(t, append(slices.Clone(safe), "--requirepass", "swordfish",
		"--user", "least", "on", ">pw", "~asynq:*", "~layerq:*", "&asynq:*", "&layerq:*", "+@all", "-@dangerous", "+info", "+keys",
		"--user", "noscripts", "on", ">pw", "allkeys", "allchannels", "+@all", "-@scripting",
		"--user", "nosorting", "on", ">pw", "allkeys", "allchannels", "+@all", "-zadd", "-blmove",
		"--user", "otherkeys", "on", ">pw", "~app:*", "allchannels", "+@all",
		"--user", "nochannels", "on", ">pw", "allkeys", "resetchannels", "+@all",
		"--user", "nohold", "on", ">pw", "~asynq:*", "~layerq:{bulk}:*", "~layerq:{critical}:*", "~layerq:{default}:*", "&asynq:*", "&layerq:wake", "+@all",
		"--user", "noinfo", "on", ">pw", "allkeys", "allchannels", "+@all", "-info",
	)...)
	plain := redistest.NewServer(t, "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
	volatile := redistest.NewServer(t, "--appendonly", "yes", "--maxmemory-policy", "volatile-ttl")
	_, port, err := net.SplitHostPort(volatile.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.NewServer(t, append(slices.Clone(safe), "--replicaof", "127.0.0.1", port)...)
	full := redistest.NewServer(t, append(slices.Clone(safe), "--maxmemory", "1")...)
	for _, tc := range []struct {
		name, url string
		want      redischeck.Findings
	}{
		{"a wrong password", "redis://:wrong@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "refuses the user or the password of REDIS_URL"}}},
		{"no password", "redis://" + s.Addr, redischeck.Findings{{redischeck.Fatal, "wants a password: redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST"}}},
		{"a database that it does not have", "redis://:swordfish@" + s.Addr + "/99", redischeck.Findings{{redischeck.Fatal, "does not have the database of REDIS_URL"}}},
		{"no cluster", "redis-cluster://:swordfish@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "is no cluster: use redis://"}}},
		{"no sentinel", "redis-sentinel://" + volatile.Addr + "/m", redischeck.Findings{{redischeck.Fatal, "is no sentinel: use redis://, or the sentinels' own port"}}},
		{"the least permissions", "redis://least:pw@" + s.Addr, nil},
		{"a user without scripts", "redis://noscripts:pw@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "forbids its user EVAL, EVALSHA: " + acl}}},
		{"a user without two commands", "redis://nosorting:pw@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "forbids its user BLMOVE, ZADD: " + acl}}},
		{"a user without our keys", "redis://otherkeys:pw@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "forbids its user ~asynq:queues, ~asynq:servers, ~asynq:workers, ~asynq:{bulk}:*, ~asynq:{critical}:*, ~asynq:{default}:*, ~layerq:{bulk}:*, ~layerq:{critical}:* and 3 more: " + acl}}},
		{"a user without our channels", "redis://nochannels:pw@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "forbids its user &asynq:cancel, &layerq:hold, &layerq:wake: " + acl}}},
		{"a user without what holds and permits need", "redis://nohold:pw@" + s.Addr, redischeck.Findings{{redischeck.Fatal, "forbids its user &layerq:hold, ~layerq:{hold}*, ~layerq:{permits}:*: " + acl}}},
		{
			"a user who may not look", "redis://noinfo:pw@" + s.Addr,
			redischeck.Findings{{redischeck.Risk, "does not tell whether it keeps tasks (INFO is refused): it needs appendonly yes and maxmemory-policy noeviction"}},
		},
		{"a cache", "redis://" + plain.Addr, redischeck.Findings{
			{redischeck.Risk, "drops tasks that were accepted when it holds 64 MiB: set maxmemory-policy noeviction, it is allkeys-lru"},
			{redischeck.Risk, "loses accepted tasks when it restarts: set appendonly yes"},
		}},
		{"one that drops what has an end", "redis://" + volatile.Addr, redischeck.Findings{
			{redischeck.Risk, "drops what holds back and limits the fleet as soon as its memory is limited (maxmemory): set maxmemory-policy noeviction, it is volatile-ttl"},
		}},
		{"a read-only replica", "redis://" + replica.Addr, redischeck.Findings{{redischeck.Passing, "is a read-only replica: use the address of the primary, or redis-sentinel://"}}},
		{"one without memory", "redis://" + full.Addr, redischeck.Findings{{redischeck.Passing, "has no memory left for new tasks (maxmemory): give it more, or let workers finish some"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, check(t, tc.url)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestARedisThatIsNotThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	want := redischeck.Findings{{redischeck.Passing, "cannot be reached: connect: connection refused"}}
	if diff := cmp.Diff(want, check(t, "redis://"+ln.Addr().String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// explained is an error that a package of ours has put into plain words already.
type explained struct{ error }

func (e explained) Error() string { return "tasks: Redis at h:1 " + redischeck.Explain(e.error) }
func (e explained) Unwrap() error { return e.error }

// reply is an answer of Redis, as go-redis returns it.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		err      error
		want     string
		refused  bool
		hopeless bool
	}{
		{"a wrapped answer", fmt.Errorf("queue: %w", reply("WRONGPASS invalid username-password pair or user is disabled.")), "refuses the user or the password of REDIS_URL", true, true},
		{"one that was explained before", explained{reply("NOAUTH Authentication required.")}, "wants a password: redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST", true, true},
		{"a forbidden command", reply("NOPERM this user has no permissions to run the 'evalsha' command"), "forbids its user what is needed: this user has no permissions to run the 'evalsha' command", true, true},
		{
			"a forbidden command of a script", reply("ERR The user executing the script can't run this command or subcommand script: 6c02, on @user_script:39."),
			"forbids its user what the scripts need: commands, or keys that begin with asynq: or layerq:", true, true,
		},
		{"a replica", reply("READONLY You can't write against a read only replica. script: 6c02, on @user_script:39."), "is a read-only replica: use the address of the primary, or redis-sentinel://", true, false},
		{"a restart", reply("LOADING Redis is loading the dataset in memory"), "is still loading its data", true, false},
		{"full memory", reply("OOM command not allowed when used memory > 'maxmemory'."), "has no memory left for new tasks (maxmemory): give it more, or let workers finish some", true, false},
		{
			"a full disk", reply("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."),
			"cannot write to its disk, and takes nothing until it can: Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", true, false,
		},
		{
			"a foreign key", reply("WRONGTYPE Operation against a key holding the wrong kind of value"),
			"holds something that is not layerq's under a key of the queue: redis-cli TYPE tells which, docs/architecture.md what it must be", true, false,
		},
		{"an answer that is not known", reply("ERR something new"), "failed: ERR something new", false, false},
		{"no answer", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, "does not answer", false, false},
		{"a context that ended", fmt.Errorf("tasks: %w", context.DeadlineExceeded), "does not answer", false, false},
		{"nobody listens", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "cannot be reached: connect: connection refused", false, false},
		{"a cut connection", &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "lost the connection: read: connection reset by peer", false, false},
		{"a connection that was closed", io.EOF, "closed the connection (does it want TLS? then rediss://)", false, false},
		{
			"a certificate of an unknown CA", errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
			"shows a certificate that is not trusted (tls_ca_file in REDIS_URL names a file with its CA): x509: certificate signed by unknown authority", false, true,
		},
		{
			"a master that the sentinels do not know", fmt.Errorf("redis: all sentinels specified in configuration are unreachable: %w", redis.Nil),
			"is known to none of its sentinels: are they there, and is that the name of their master?", true, false,
		},
		{"no TLS", errors.New("tls: first record does not look like a TLS handshake"), "does not speak TLS: use redis://, or its TLS port", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := redischeck.Explain(tc.err); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if got := redischeck.Refused(tc.err); got != tc.refused {
				t.Errorf("Refused: %v", got)
			}
			if got := redischeck.Hopeless(tc.err); got != tc.hopeless {
				t.Errorf("Hopeless: %v", got)
			}
		})
	}
}

// Whatever a worker runs, a user without it is told so by name.
func TestEachCommandThatIsForbiddenIsNamed(t *testing.T) {
	t.Parallel()
	tried, err := os.ReadFile("check.lua")
	if err != nil {
		t.Fatal(err)
	}
	commands := []string{"BLMOVE", "EVAL", "EVALSHA", "PING", "PUBLISH", "SUBSCRIBE"}
	for _, m := range regexp.MustCompile(`{ "([A-Z]+)"`).FindAllStringSubmatch(string(tried), -1) {
		commands = append(commands, m[1])
	}
	slices.Sort(commands)
	commands = slices.Compact(commands)
	args := slices.Clone(safe)
	for _, c := range commands {
		args = append(args, "--user", "no"+c, "on", ">pw", "allkeys", "allchannels", "+@all", "-"+strings.ToLower(c))
	}
	s := redistest.NewServer(t, args...)
	for _, c := range commands {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			got := check(t, "redis://no"+c+":pw@"+s.Addr).Of(redischeck.Fatal)
			if len(got) != 1 || !strings.HasPrefix(got[0], "forbids its user "+c+": ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A script of ours that uses another command must be tried at the start, too.
func TestEveryCommandOfTheScriptsIsTried(t *testing.T) {
	t.Parallel()
	tried, err := os.ReadFile("check.lua")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`redis\.p?call\("([A-Za-z]+)"`)
	found := 0
	for _, dir := range []string{"queue", "dequeue", "permits", "holds"} {
		files, err := os.ReadDir("../" + dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file.Name(), ".lua") {
				continue
			}
			source, err := os.ReadFile("../" + dir + "/" + file.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(source), -1) {
				found++
				if command := strings.ToUpper(m[1]); command != "PUBLISH" && !strings.Contains(string(tried), `{ "`+command+`"`) {
					t.Errorf("%s/%s: check.lua does not try %s", dir, file.Name(), command)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d calls were found: does the test still look where the scripts are?", found)
	}
}

// So must one that uses other keys or another channel.
func TestEveryKeyAndChannelOfOursIsTried(t *testing.T) {
	t.Parallel()
	tried, err := os.ReadFile("try.go")
	if err != nil {
		t.Fatal(err)
	}
	// The keys of a queue are made of its name; what producers write is not the worker's; one is a task's type.
	known := []string{queue.AllQueuesKey, queue.WakeChannel, "asynq:{", "layerq:{", "layerq:replicas", "layerq:undecodable"}
	name := regexp.MustCompile(`"((?:asynq|layerq):[a-z{}]*)`)
	for _, m := range name.FindAllStringSubmatch(string(tried), -1) {
		known = append(known, m[1])
	}
	found := 0
	for _, dir := range []string{"queue", "dequeue", "permits", "holds"} {
		files, err := filepath.Glob("../" + dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range name.FindAllStringSubmatch(string(source), -1) {
				found++
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s: %s is not tried", file, m[1])
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d names were found: does the test still look where they are?", found)
	}
}
