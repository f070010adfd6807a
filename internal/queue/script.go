package queue

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed record.lua
	recordLua string
	//go:embed enqueue.lua
	enqueueLua string
	//go:embed find.lua
	findLua string
	//go:embed stats.lua
	statsLua string
	//go:embed update.lua
	updateLua string
)

// script is a Lua script with the digest that Redis knows it by.
type script struct {
	source string
	sha    string
}

func newScript(source string) script { return script{source, redis.NewScript(source).Hash()} }

var (
	enqueueScript = newScript(recordLua + enqueueLua)
	findScript    = newScript(recordLua + findLua)
	statsScript   = newScript(statsLua)
	updateScript  = newScript(updateLua)
)

// call is one execution of a script. All its keys are in one slot of a Cluster.
type call struct {
	keys []string
	args []any
}

// runAll executes sc once per call, and whatever first adds before, in one round
// trip. Where Redis does not know the script (a first use, a restart, a failover),
// it is loaded and those calls alone are repeated. Each result has its own error.
func runAll(ctx context.Context, rdb redis.UniversalClient, sc script, calls []call, first func(redis.Pipeliner)) []*redis.Cmd {
	results := make([]*redis.Cmd, len(calls))
	pipe := rdb.Pipeline()
	if first != nil {
		first(pipe)
	}
	for i, c := range calls {
		results[i] = pipe.EvalSha(ctx, sc.sha, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // every command carries its own error
	var unknown []int
	for i, r := range results {
		if redis.HasErrorPrefix(r.Err(), "NOSCRIPT") {
			unknown = append(unknown, i)
		}
	}
	if unknown == nil || rdb.ScriptLoad(ctx, sc.source).Err() != nil {
		return results
	}
	pipe = rdb.Pipeline()
	for _, i := range unknown {
		results[i] = pipe.EvalSha(ctx, sc.sha, calls[i].keys, calls[i].args...)
	}
	_, _ = pipe.Exec(ctx)
	return results
}
