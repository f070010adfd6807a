package redischeck

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
)

// reply is an answer of Redis that everybody gets sooner or later.
type reply struct {
	begins string // how it begins, or what is in it
	says   string
	kind   Severity
}

// replies are the known answers. The first one that fits counts.
var replies = []reply{
	{"WRONGPASS", "refuses the user or the password of REDIS_URL", Fatal},
	{"ERR invalid password", "refuses the password of REDIS_URL", Fatal},
	{"ERR AUTH <password> called without any password", "knows no password, but REDIS_URL has one", Fatal},
	{"ERR Client sent AUTH, but no password is set", "knows no password, but REDIS_URL has one", Fatal},
	{"NOAUTH", "wants a password: redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST", Fatal},
	{"unauthenticated", "wants a password: redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST", Fatal},
	{"NOPERM", "forbids its user what is needed", Fatal},
	{"The user executing the script can't", "forbids its user what the scripts need: commands, or keys that begin with asynq: or layerq:", Fatal},
	{"DB index is out of range", "does not have the database of REDIS_URL", Fatal},
	{"SELECT is not allowed", "has no database but 0", Fatal},
	{"cluster support disabled", "is no cluster: use redis://", Fatal},
	{"unknown command 'sentinel'", "is no sentinel: use redis://, or the sentinels' own port", Fatal},
	{"No such master with that name", "is a sentinel that does not know the master of REDIS_URL", Fatal},
	{"MOVED", "is a member of a cluster: use redis-cluster://", Fatal},
	{"CROSSSLOT", "is a member of a cluster: use redis-cluster://", Fatal},
	{"HTTP/1.", "is no Redis: it answers in HTTP", Fatal},
	{"first record does not look like a TLS handshake", "does not speak TLS: use redis://, or its TLS port", Fatal},
	{"failed to verify certificate", "shows a certificate that is not trusted (tls_ca_file in REDIS_URL names a file with its CA)", Fatal},
	{"max number of clients", "has no connection left (maxclients)", Passing},
	{"READONLY", "is a read-only replica: use the address of the primary, or redis-sentinel://", Passing},
	{"LOADING", "is still loading its data", Passing},
	{"MASTERDOWN", "is a replica that has lost its primary", Passing},
	{"CLUSTERDOWN", "is a cluster of which some slots are not served", Passing},
	{"TRYAGAIN", "is a cluster that moves a slot", Passing},
	{"BUSY", "is busy with somebody's script", Passing},
	{"OOM", "has no memory left for new tasks (maxmemory): give it more, or let workers finish some", Passing},
	{"WRONGTYPE", "holds something that is not layerq's under a key of the queue: redis-cli TYPE tells which, docs/architecture.md what it must be", Passing},
	{"MISCONF", "cannot write to its disk, and takes nothing until it can", Passing},
	{"NOREPLICAS", "has fewer replicas than it wants before it takes anything (min-replicas-to-write)", Passing},
	{"all sentinels specified in configuration are unreachable", "is known to none of its sentinels: are they there, and is that the name of their master?", Passing},
	{"UNKILLABLE", "is busy with somebody's script", Passing},
}

// known looks at what Redis said, below what others made of it.
func known(err error) (r reply, said string, found bool) {
	if answer, ok := errors.AsType[redis.Error](err); ok && !errors.Is(answer, redis.Nil) {
		err = answer
	}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, r := range replies {
			if _, said, found := strings.Cut(err.Error(), r.begins); found {
				return r, said, true
			}
		}
	}
	return reply{}, "", false
}

// Refused reports whether err is an answer of Redis by which it took nothing, as
// the server stands or as the user may do.
func Refused(err error) bool {
	_, is := errors.AsType[redis.Error](err)
	if !is {
		return false
	}
	_, _, found := known(err)
	return found
}

// Hopeless reports whether err stays the same however often one asks.
func Hopeless(err error) bool {
	r, _, found := known(err)
	return found && r.kind == Fatal
}

// Explain says what an error of a Redis client means. What it does not know it
// says in the client's words.
func Explain(err error) string {
	if r, said, found := known(err); found {
		return r.says + detail(r, said)
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "does not answer"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed the connection (does it want TLS? then rediss://)"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		if op.Op == "dial" {
			return "cannot be reached: " + op.Err.Error()
		}
		return "lost the connection: " + op.Err.Error()
	}
	return "failed: " + err.Error()
}

// detail repeats what Redis itself says where that tells more: which command, which disk.
func detail(r reply, said string) string {
	if r.begins != "NOPERM" && r.begins != "MISCONF" && r.begins != "failed to verify certificate" {
		return ""
	}
	const most = 200
	said = strings.TrimSpace(strings.TrimPrefix(said, ":"))
	return ": " + strings.ToValidUTF8(said[:min(len(said), most)], "")
}
