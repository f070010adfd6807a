package queue

import (
	"context"
	_ "embed"
	"regexp"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/failpoint"
)

var (
	//go:embed record.lua
	recordLua string
	//go:embed enqueue.lua
	enqueueLua string
	//go:embed find.lua
	findLua string
	//go:embed records.lua
	recordsLua string
	//go:embed stats.lua
	statsLua string
	//go:embed lane.lua
	laneLua string
	//go:embed suspect.lua
	suspectLua string
	//go:embed take.lua
	takeLua string
	//go:embed settle.lua
	settleLua string
	//go:embed extend.lua
	extendLua string
	//go:embed waits.lua
	waitsLua string
	//go:embed forget.lua
	forgetLua string
	//go:embed replay.lua
	replayLua string
	//go:embed remove.lua
	removeLua string
	//go:embed archive.lua
	archiveLua string
)

// prefixes stands before every script that gets what the keys of its queue begin with:
// asynq's and ours.
const prefixes = "local asynq, own = ARGV[1], ARGV[2]\n"

// script is a Lua script with the digest that Redis knows it by.
type script struct {
	source string
	sha    string
}

func newScript(source string) script { return script{source, redis.NewScript(source).Hash()} }

var (
	enqueueScript = newScript(prefixes + laneLua + recordLua + enqueueLua)
	findScript    = newScript(recordLua + findLua)
	recordsScript = newScript(recordLua + recordsLua)
	statsScript   = newScript(prefixes + laneLua + statsLua)
	takeScript    = newScript(prefixes + laneLua + suspectLua + takeLua)
	settleScript  = newScript(prefixes + laneLua + suspectLua + settleLua)
	extendScript  = newScript(prefixes + laneLua + extendLua)
	waitsScript   = newScript(waitsLua)
	forgetScript  = newScript(forgetLua)
	replayScript  = newScript(prefixes + laneLua + replayLua)
	removeScript  = newScript(prefixes + laneLua + removeLua)
	archiveScript = newScript(prefixes + laneLua + archiveLua)
)

// now is the script as it is run: without the lines that are marked as those of a mechanism which is left out.
func (sc script) now() script {
	if failpoint.Without(failpoint.Recovery) {
		sc = sc.less(recoveryLine)
	}
	if failpoint.Without(failpoint.DeadLetters) {
		sc = sc.less(deadLettersLine)
	}
	return sc
}

// less is the script without some lines.
func (sc script) less(lines *regexp.Regexp) script {
	key := lines.String() + sc.sha
	if bare, ok := lessScripts.Load(key); ok {
		return bare.(script) //nolint:errcheck,forcetypeassert // nothing else is stored
	}
	bare := newScript(lines.ReplaceAllString(sc.source, ""))
	lessScripts.Store(key, bare)
	return bare
}

var (
	recoveryLine    = regexp.MustCompile(`(?m)^.* -- recovery$`)
	deadLettersLine = regexp.MustCompile(`(?m)^.* -- dead letters$`)
	lessScripts     sync.Map // lines and digest to script
)

// call is one execution of a script. All its keys are in one slot of a Cluster.
type call struct {
	keys []string
	args []any
}

// around adds commands to a pipeline, before and after its scripts; those after them once more where a script had to be
// repeated. Nil adds none.
type around struct{ before, after func(redis.Pipeliner) }

// runAll executes sc once per call, with more around, in one round trip. Each result has its own error.
//
// The calls of one queue are executed in their order, also where Redis does not know the script (a first
// use, a restart, a failover): the first of them takes it along.
func runAll(ctx context.Context, rdb redis.UniversalClient, sc script, calls []call, more around) []*redis.Cmd {
	if len(calls) == 1 && more.before == nil && more.after == nil {
		return []*redis.Cmd{runOne(ctx, rdb, sc, calls[0])}
	}
	results := make([]*redis.Cmd, len(calls))
	known := make(map[string]bool, len(Names)) // hash tags behind a call that takes the script along
	pipe := rdb.Pipeline()
	if more.before != nil {
		more.before(pipe)
	}
	for i, c := range calls {
		if tag := hashTag(c.keys[0]); known[tag] {
			results[i] = pipe.EvalSha(ctx, sc.sha, c.keys, c.args...)
		} else {
			results[i] = pipe.Eval(ctx, sc.source, c.keys, c.args...)
			known[tag] = true
		}
	}
	if more.after != nil {
		more.after(pipe)
	}
	_, err := pipe.Exec(ctx)
	forgotten, repeated := false, false
	for i, result := range results {
		// Every command carries its own error, but where the connection was refused
		// (a wrong password): then the pipeline alone has it.
		if err != nil && result.Err() == nil && result.Val() == nil {
			result.SetErr(err)
		}
		switch err := result.Err(); {
		case redis.HasErrorPrefix(err, "NOSCRIPT"): // somebody flushed the scripts in between
			forgotten, repeated = true, true
			results[i] = rdb.Eval(ctx, sc.source, calls[i].keys, calls[i].args...)
		case forgotten && redis.HasErrorPrefix(err, behind): // such a call, which was carried out now
			repeated = true
			results[i] = rdb.Eval(ctx, sc.source, calls[i].keys, calls[i].args...)
		}
	}
	if repeated && more.after != nil { // what comes after the scripts comes after these, too
		last := rdb.Pipeline()
		more.after(last)
		_, _ = last.Exec(ctx) // each command has its error
	}
	return results
}

// hashTag returns what decides about the node of a Cluster that has the key.
func hashTag(key string) string {
	_, tag, _ := strings.Cut(key, "{")
	tag, _, _ = strings.Cut(tag, "}")
	return tag
}

// runOne spares a single call the pipeline, which costs half as much again as its command.
func runOne(ctx context.Context, rdb redis.UniversalClient, sc script, c call) *redis.Cmd {
	result := rdb.EvalSha(ctx, sc.sha, c.keys, c.args...)
	if redis.HasErrorPrefix(result.Err(), "NOSCRIPT") {
		result = rdb.Eval(ctx, sc.source, c.keys, c.args...)
	}
	return result
}
