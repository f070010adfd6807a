package dequeue

import (
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// request is one execution of asynq's dequeue script.
type request struct {
	queue string
	lease any // until when, in Unix seconds
}

// dequeueRequest recognises asynq's dequeue script by its four keys and two
// arguments; nothing else that asynq runs has the same.
func dequeueRequest(cmd redis.Cmder) (request, bool) {
	keys, argv, ok := scriptCall(cmd)
	if !ok || len(keys) != 4 || len(argv) != 2 {
		return request{}, false
	}
	q, ok := queueOf(keys[0], "pending")
	if !ok || keys[1] != queue.PausedKey(q) || keys[2] != queue.ActiveKey(q) || keys[3] != queue.LeaseKey(q) {
		return request{}, false
	}
	return request{queue: q, lease: argv[0]}, true
}

// retryAt recognises asynq's retry script, which puts a task into the retry
// set, and returns the queue and when the task is due there.
func retryAt(cmd redis.Cmder) (q string, at time.Time, ok bool) {
	keys, argv, ok := scriptCall(cmd)
	if !ok || len(keys) != 8 || len(argv) != 6 {
		return "", time.Time{}, false
	}
	if q, ok = queueOf(keys[3], "retry"); !ok || keys[1] != queue.ActiveKey(q) {
		return "", time.Time{}, false
	}
	sec, ok := argv[2].(int64)
	return q, time.Unix(sec, 0), ok
}

// scriptCall returns the keys and arguments of EVAL or EVALSHA.
func scriptCall(cmd redis.Cmder) (keys []string, argv []any, ok bool) {
	if name := cmd.Name(); name != "evalsha" && name != "eval" {
		return nil, nil, false
	}
	args := cmd.Args()
	if len(args) < 3 {
		return nil, nil, false
	}
	n, ok := args[2].(int)
	if !ok || n < 0 || len(args) < 3+n {
		return nil, nil, false
	}
	for _, arg := range args[3 : 3+n] {
		key, ok := arg.(string)
		if !ok {
			return nil, nil, false
		}
		keys = append(keys, key)
	}
	return keys, args[3+n:], true
}

// queueOf returns the queue of a key asynq:{queue}:name.
func queueOf(key, name string) (string, bool) {
	q, ok := strings.CutPrefix(key, "asynq:{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(q, "}:"+name)
}
