-- Takes one task off a queue, in the place of asynq's dequeue script.
--
-- KEYS[1] pending, [2] paused, [3] active, [4] lease, [5] scheduled, [6] retry
-- ARGV[1] until when the lease of the task holds, in Unix seconds
-- ARGV[2] what the key of a task begins with
-- ARGV[3] what the key of an aggregation group begins with
--
-- Returns
--   {"task", dropped, id, message, result, attempts, failures, deliveries}
--   {"idle", dropped, milliseconds until the next task is due, -1 if none is known}
--   {"paused", dropped, milliseconds until the pause ends, -1 if it has no end}
-- where dropped lists ids that had no task and were removed.

local dropped = {}

-- has_message returns 1 if the id has a task, 0 if it has none, and an error for a key of another type.
local function has_message(id)
	return redis.pcall("HEXISTS", ARGV[2] .. id, "msg")
end

-- move makes one due task pending, as asynq's forwarder does.
local function move(set, id, since, now)
	redis.call("ZREM", set, id)
	if has_message(id) ~= 1 then
		table.insert(dropped, id)
		return
	end
	local key = ARGV[2] .. id
	local group = redis.call("HGET", key, "group")
	if group and group ~= "" then
		redis.call("ZADD", ARGV[3] .. group, now, id)
		redis.call("HSET", key, "state", "aggregating")
		return
	end
	redis.call("LPUSH", KEYS[1], id)
	redis.call("HSET", key, "state", "pending", "pending_since", since)
end

-- forward makes up to 100 due tasks of a set pending. It returns how many
-- milliseconds there are until the next one is due, -1 if the set is empty.
local function forward(set)
	local head = redis.call("ZRANGE", set, 0, 0, "WITHSCORES")
	if #head == 0 then
		return -1
	end
	local time = redis.call("TIME")
	local now = time[1] + time[2] / 1000000
	local left = tonumber(head[2]) - now
	if left > 0 then
		-- Not more than a week: the worker looks again long before.
		return math.ceil(math.min(left, 604800) * 1000)
	end
	local since = time[1] .. string.format("%06d000", time[2])
	for _, id in ipairs(redis.call("ZRANGEBYSCORE", set, "-inf", now, "LIMIT", 0, 100)) do
		move(set, id, since, time[1])
	end
	return 0
end

local due = forward(KEYS[5])
local again = forward(KEYS[6])
if due < 0 or (again >= 0 and again < due) then
	due = again
end

local pause = redis.call("PTTL", KEYS[2])
if pause ~= -2 then
	return { "paused", dropped, pause }
end

for _ = 1, 100 do
	local id = redis.call("RPOPLPUSH", KEYS[1], KEYS[3])
	if not id then
		return { "idle", dropped, due }
	end
	local key = ARGV[2] .. id
	local there = has_message(id)
	if there == 1 then
		local count = redis.pcall("HINCRBY", key, "deliveries", 1)
		if type(count) ~= "number" then
			count = 1
			redis.call("HSET", key, "deliveries", count)
		end
		redis.call("HSET", key, "state", "active")
		redis.call("HDEL", key, "pending_since")
		redis.call("ZADD", KEYS[4], ARGV[1], id)
		local task = redis.call("HMGET", key, "msg", "result", "attempts", "failures")
		return { "task", dropped, id, task[1], task[2], task[3], task[4], count }
	end
	-- A ghost: its hash was deleted or evicted. asynq would keep it among the active tasks for ever.
	redis.call("LPOP", KEYS[3])
	if there == 0 then
		redis.call("DEL", key) -- what came too late for the task: a result, a state
	end
	table.insert(dropped, id)
end
return { "idle", dropped, 0 }
