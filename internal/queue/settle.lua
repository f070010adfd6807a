-- Ends a delivery: notes what it came to, moves the task on, and lets the next of its lane run, in one
-- step. In the place of asynq's scripts done, complete, retry, archive and requeue. lane.lua and
-- suspect.lua stand before this file.
--
-- KEYS[1] the task's hash
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] the id
-- ARGV[4] the token of the delivery
-- ARGV[5] "done", "retry", "archive" or "back"
-- ARGV[6] the message as it is to be stored
-- ARGV[7] done: for how many seconds the task is kept; retry: after how many milliseconds it runs again
-- ARGV[8] what the keys of asynq's counts of the day end with; empty: it does not count
-- ARGV[9] when those expire, in Unix seconds
-- ARGV[10] done: when the task was enqueued, as its message has it; empty if that is not known
-- ARGV[11...] fields of the hash and their values
--
-- Returns 1 if this ended the delivery, 0 if the task was no longer the worker's, or had been ended before.

local key, id, verdict = KEYS[1], ARGV[3], ARGV[5]
local task = read(id, "token", "msg", "lane", "stop", "crashes", "result", "seat", "unique_key")
if not task[2] then
	return 0 -- somebody deleted it
end
redis.call("DEL", own .. "room") -- also where memory is full: see take.lua
local mine = task[1] == ARGV[4]
mine = mine and redis.call("ZSCORE", asynq .. "lease", id) -- recovery
if not mine then
	if verdict == "done" and not task[6] and #ARGV > 10 and string.find(task[2], ARGV[10], 1, true) then
		-- The effect took place, whosever the task is now: nobody shall repeat it. A message with another time is another task's.
		redis.call("HSET", key, unpack(ARGV, 11))
	end
	return 0
end
local now, since = clock()
if #ARGV > 10 then
	redis.call("HSET", key, unpack(ARGV, 11))
end
-- Then its next place: that may fail, where somebody has written something else under the key, and the task stays where it is.
if verdict == "back" then
	to_front(id, since)
elseif verdict == "retry" then
	-- Whole seconds, as asynq writes them, and never early.
	redis.call("ZADD", asynq .. "retry", math.ceil((now + ARGV[7]) / 1000), id)
	redis.call("HSET", key, "msg", ARGV[6], "state", "retry")
elseif verdict == "done" then
	redis.call("ZADD", asynq .. "completed", math.floor(now / 1000) + ARGV[7], id)
	redis.call("HSET", key, "msg", ARGV[6], "state", "completed")
	unlock(id, task[8])
else
	redis.call("ZADD", asynq .. "archived", math.floor(now / 1000), id)
	redis.call("HSET", key, "msg", ARGV[6], "state", "archived")
	redis.call("ZADD", own .. "dead", math.floor(now / 1000), id)
end
redis.call("ZREM", asynq .. "lease", id) -- recovery
redis.call("LREM", asynq .. "active", 0, id) -- more than one where it was deleted by hand, and enqueued again
if task[5] then
	redis.call("HDEL", key, "crashes", "waits")
	if redis.call("GET", suspect) == id then
		redis.call("DEL", suspect)
		next_suspect(since)
	end
end
-- Its lane stops with it where it is archived and that was asked for.
if task[3] and (verdict == "done" or (verdict == "archive" and not task[4])) then
	leave(task[3], id, task[7], since)
end

local function count(name)
	if redis.call("INCR", asynq .. name .. ARGV[8]) == 1 then
		redis.call("EXPIREAT", asynq .. name .. ARGV[8], ARGV[9])
	end
	redis.call("INCR", asynq .. name)
end

if ARGV[8] ~= "" and verdict ~= "back" then
	count("processed")
	if verdict ~= "done" then
		count("failed")
	end
end
return 1
