package dequeue

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

//go:embed dequeue.lua
var source string

var sha = redis.NewScript(source).Hash()

// outcome is what the script did.
type outcome string

const (
	task   outcome = "task"
	idle   outcome = "idle"
	paused outcome = "paused"
)

// reply is the script's answer.
type reply struct {
	outcome outcome
	dropped []string
	// left is how long until the next task is due, or the pause ends; negative
	// if there is no such time.
	left time.Duration

	id       string
	message  string
	delivery Delivery
}

var errReply = errors.New("dequeue: unexpected reply of the script")

// scriptTimeout ends a dequeue that Redis does not answer. go-redis would send
// it three times more, and a Redis that hung for a moment would then hand out four tasks whose answers
// nobody reads; they wait for asynq's recoverer.
const scriptTimeout = 5 * time.Second

// run executes the script for a request of asynq's, through the rest of the client's hooks.
func run(ctx context.Context, next redis.ProcessHook, req request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	args := []any{
		"evalsha", sha, 6,
		queue.PendingKey(req.queue), queue.PausedKey(req.queue), queue.ActiveKey(req.queue), queue.LeaseKey(req.queue),
		queue.ScheduledKey(req.queue), queue.RetryKey(req.queue),
		req.lease, queue.TaskKey(req.queue, ""), queue.Prefix(req.queue) + "g:",
	}
	cmd := redis.NewSliceCmd(ctx, args...)
	err := next(ctx, cmd)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		args[0], args[1] = "eval", source
		cmd = redis.NewSliceCmd(ctx, args...)
		err = next(ctx, cmd)
	}
	if err != nil {
		return reply{}, err
	}
	return parse(cmd.Val())
}

func parse(fields []any) (reply, error) {
	if len(fields) < 3 {
		return reply{}, errReply
	}
	name, _ := fields[0].(string)
	r := reply{outcome: outcome(name)}
	dropped, ok := fields[1].([]any)
	if !ok {
		return reply{}, errReply
	}
	for _, id := range dropped {
		s, _ := id.(string)
		r.dropped = append(r.dropped, s)
	}
	switch r.outcome {
	case idle, paused:
		ms, ok := fields[2].(int64)
		if !ok {
			return reply{}, errReply
		}
		r.left = time.Duration(ms) * time.Millisecond
		return r, nil
	case task:
		if len(fields) != 8 {
			return reply{}, errReply
		}
		r.id, _ = fields[2].(string)
		r.message, _ = fields[3].(string)
		if result, ok := fields[4].(string); ok {
			r.delivery.Result = []byte(result)
		}
		r.delivery.Attempts, r.delivery.Failures = count(fields[5]), count(fields[6])
		n, _ := fields[7].(int64)
		r.delivery.Deliveries = int(n)
		return r, nil
	}
	return reply{}, errReply
}

// count reads a field that a worker wrote. What is no number was not.
func count(field any) int {
	s, _ := field.(string)
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
