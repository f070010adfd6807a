package queue

import (
	"context"
	_ "embed"
	"slices"

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
)

// call is one execution of a script. All its keys are in one slot of a Cluster.
type call struct {
	keys []string
	args []any
}

// loads bounds how often a script is loaded for one batch: others may flush the
// scripts of a shared server at any moment.
const loads = 3

// runAll executes sc once per call, and what first adds before unless it is nil, in
// one round trip. Where Redis does not know the script (a first use, a restart, a failover),
// it is loaded and those calls alone are repeated. Each result has its own error.
func runAll(ctx context.Context, rdb redis.UniversalClient, sc script, calls []call, first func(redis.Pipeliner)) []*redis.Cmd {
	if len(calls) == 1 && first == nil {
		return []*redis.Cmd{runOne(ctx, rdb, sc, calls[0])}
	}
	results := make([]*redis.Cmd, len(calls))
	send := make([]int, len(calls)) // which calls to send
	for i := range calls {
		send[i] = i
	}
	for n := 0; ; n++ {
		pipe := rdb.Pipeline()
		if n == 0 && first != nil {
			first(pipe)
		}
		for _, i := range send {
			results[i] = pipe.EvalSha(ctx, sc.sha, calls[i].keys, calls[i].args...)
		}
		_, err := pipe.Exec(ctx)
		for _, i := range send {
			// Every command carries its own error, but where the connection was refused
			// (a wrong password): then the pipeline alone has it.
			if err != nil && results[i].Err() == nil && results[i].Val() == nil {
				results[i].SetErr(err)
			}
		}
		send = slices.DeleteFunc(send, func(i int) bool { return !redis.HasErrorPrefix(results[i].Err(), "NOSCRIPT") })
		if len(send) == 0 || n == loads || rdb.ScriptLoad(ctx, sc.source).Err() != nil {
			return results
		}
	}
}

// runOne spares a single call the pipeline, which costs half as much again as its command.
func runOne(ctx context.Context, rdb redis.UniversalClient, sc script, c call) *redis.Cmd {
	result := rdb.EvalSha(ctx, sc.sha, c.keys, c.args...)
	if redis.HasErrorPrefix(result.Err(), "NOSCRIPT") {
		result = rdb.Eval(ctx, sc.source, c.keys, c.args...)
	}
	return result
}
