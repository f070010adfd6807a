package redisurl

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Quiet keeps go-redis from writing to standard error by itself, a line for every
// connection that breaks, in all of the process. What it has to say comes back
// as errors, too.
func Quiet() { redis.SetLogger(silence{}) }

type silence struct{}

// Printf implements go-redis' logger.
func (silence) Printf(context.Context, string, ...any) {}
