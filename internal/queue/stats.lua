-- Counts what one queue holds. lane.lua stands before this file.
--
-- KEYS[1] the pending list
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
--
-- Returns the sizes of pending, active, scheduled, retry, archived and completed, how many
-- of the scheduled ones wait for their turn, the hold and how many milliseconds it still lasts (-2: there is
-- none), how many milliseconds the pause still lasts (-1: no end, -2: not paused), since when the task that
-- is next is pending, and what time it is, both in nanoseconds of Redis' clock.
local stats = { redis.call("LLEN", KEYS[1]), redis.call("LLEN", asynq .. "active") }
for _, set in ipairs({ "scheduled", "retry", "archived", "completed" }) do
	table.insert(stats, redis.call("ZCARD", asynq .. set))
end
stats[7] = redis.call("ZCOUNT", asynq .. "scheduled", parked, "+inf")
local hold = redis.pcall("GET", own .. "held")
stats[8] = type(hold) == "string" and hold or ""
stats[9] = redis.call("PTTL", own .. "held")
stats[10] = redis.call("PTTL", asynq .. "paused")
local next = redis.call("LINDEX", KEYS[1], -1)
stats[11] = next and read(next, "pending_since")[1] or false
local _, at = clock()
stats[12] = at
return stats
