// Package permits keeps a fleet of workers below the rate limit of an API, and
// uses nearly all of it.
//
// # The law
//
// There are N permits for a limit of N calls in any window of length T. A call
// takes one just before it is sent, and frees it T after its answer arrived. So
// two calls with the same permit reach the server at least T apart, whatever the
// network did to either: the first arrived before it was answered, the second was
// sent T after that. N permits are at most N calls in any window of length T.
//
// What has no answer may still be on its way. An attempt that was given up frees
// its permit the timeout of an attempt plus T after that. A worker that lives tells
// again and again what it uses; the permits of one that died are free some seconds
// plus T after that. The law holds unless a request arrives later; docs/limits.md
// says what then.
//
// # Redis
//
// All permits are in one sorted set in Redis, by the time at which they are over
// on Redis' clock. One script tells what became of permits and takes new ones;
// each process has one request of it under way at a time, for all that wait in it. The
// script says when the next permit is free, so a wait is one sleep and not a poll, and
// gives permits some milliseconds before they begin, so that they begin in time.
//
// # Without Redis
//
// A worker that loses Redis goes on with its share of the limit, never above what it had. See alone.go.
package permits
