// Package holds keeps a whole fleet of workers away from an API that wants to be
// left alone, or is not there.
//
// # What it does
//
// What one worker learns from an answer - a Retry-After, a 429, a token that is not
// valid any more, one failure too many in a row - holds all of them: nobody takes
// tasks or makes calls until a time. Then one worker, of all, makes one call with a task that waits:
// the probe. If it is answered, the hold is over, and every process opens
// gradually; if not, the hold is prolonged.
//
// # Redis
//
// The state is one hash, and one more for each set of credentials that was refused, all in one slot,
// changed by one script (hold.lua) that goes by Redis' clock. There is no leader:
// the probe is a lease, and everything expires by itself. News is
// published; who does not hear it learns at its own next failure, or when a hold ends.
// A worker whose API answers asks Redis nothing.
//
// The queues' own keys (see queue.Store.Hold) show the hold to people, and keep a
// worker that has heard nothing from taking tasks.
//
// # In a process
//
// [Keeper.Enter] is the valve before a task is taken, and [Keeper.Limiter] the one
// before each HTTP attempt. docs/holds.md says what an operator sees.
package holds
