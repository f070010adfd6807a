package dequeue

import (
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/layerq/layerq/internal/queue"
)

// dequeueOf recognises asynq's dequeue script by its four keys and two
// arguments; nothing else that asynq runs has the same.
func dequeueOf(cmd redis.Cmder) (q string, ok bool) {
	keys, argv, ok := scriptCall(cmd)
	if !ok || len(keys) != 4 || len(argv) != 2 {
		return "", false
	}
	q, ok = queueOf(keys[0], "pending")
	if !ok || keys[1] != queue.PausedKey(q) || keys[2] != queue.ActiveKey(q) || keys[3] != queue.LeaseKey(q) {
		return "", false
	}
	return q, true
}

// stand answers those commands of asynq that the hook's scripts stand in for. It
// returns false for every other command.
//
//   - What ends a delivery (done, complete, retry, archive, requeue): the worker has
//     settled it, or does not know how it went and lets its lease end.
//   - The recoverer's question for expired leases, and the forwarder's for due tasks: [queue.Store.Take]
//     sees to both, by Redis' clock. asynq goes by the clock of the machine.
func stand(cmd redis.Cmder) bool {
	answer, ok := cmd.(*redis.Cmd)
	if !ok {
		return false
	}
	keys, argv, ok := scriptCall(cmd)
	switch {
	case !ok:
		return false
	case endsDelivery(keys):
		answer.SetVal("OK")
	case len(keys) == 1 && len(argv) == 2 && isKey(keys[0], "lease"):
		answer.SetVal([]any{})
	case len(keys) == 2 && len(argv) == 4 && (isKey(keys[0], "scheduled") || isKey(keys[0], "retry")) && isKey(keys[1], "pending"):
		answer.SetVal(int64(0))
	default:
		return false
	}
	return true
}

// endsDelivery recognises asynq's scripts that end a delivery: their first key is the
// list of active tasks, or it follows that of a task.
func endsDelivery(keys []string) bool {
	if len(keys) < 4 {
		return false
	}
	return isKey(keys[0], "active") || isKey(keys[1], "active") && strings.Contains(keys[0], "}:t:")
}

// renewal recognises asynq's renewal of leases.
func renewal(cmd redis.Cmder) bool {
	args := cmd.Args()
	if cmd.Name() != "zadd" || len(args) < 5 || args[2] != "xx" { // zadd, key, xx, time, id
		return false
	}
	key, _ := args[1].(string)
	return isKey(key, "lease")
}

// expiry recognises asynq's removal of completed tasks whose time is over, and
// returns where in the command the time is.
func expiry(cmd redis.Cmder) (at int, ok bool) {
	keys, argv, ok := scriptCall(cmd)
	if !ok || len(keys) != 1 || len(argv) != 3 || !isKey(keys[0], "completed") {
		return 0, false
	}
	return len(cmd.Args()) - len(argv), true
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

func isKey(key, name string) bool {
	_, ok := queueOf(key, name)
	return ok
}

// queueOf returns the queue of a key asynq:{queue}:name.
func queueOf(key, name string) (string, bool) {
	q, ok := strings.CutPrefix(key, "asynq:{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(q, "}:"+name)
}
