-- Gives up tasks by hand that no worker has, and notes them among the dead letters in the same step. In the place of the
-- scripts of asynq's Inspector, which trim the archive as well. lane.lua stands before this file.
--
-- KEYS[1] the archive
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] the state in which they may be given up; empty: all states of which that can be said
-- ARGV[4] the error of a message that has none, as a field of it
-- ARGV[5] the code
-- ARGV[6...] the ids
--
-- Returns of each the state that it was in, whether or not that is such a one; "" if there is no task.
local may = { pending = true, scheduled = true, retry = true, aggregating = true }
if ARGV[3] ~= "" then
	may = { [ARGV[3]] = true }
end
local now, since = clock()
local at = math.floor(now / 1000)

-- leave_group takes a task out of one of asynq's aggregation groups.
local function leave_group(group, id)
	local members = asynq .. "g:" .. group
	redis.call("ZREM", members, id)
	if redis.call("EXISTS", members) == 0 then
		redis.call("SREM", asynq .. "groups", group)
	end
end

-- varint reads a number of a message, and returns what comes after it; beyond the end where the number is cut off.
local function varint(message, at)
	local value, factor = 0, 1
	for i = at, #message do
		local byte = string.byte(message, i)
		value = value + byte % 128 * factor
		if byte < 128 then
			return value, i + 1
		end
		factor = factor * 128
	end
	return 0, #message + 2
end

-- has tells whether a message has a field of the number of a given one, which is below 16. What is no message is left as it is.
local function has(message, field)
	local at = 1
	while at <= #message do
		local tag, value = varint(message, at)
		local number, over = varint(message, value)
		if tag == string.byte(field) then
			return true
		end
		local wire = tag % 8
		if wire == 0 then
			at = over
		elseif wire == 1 then
			at = value + 8
		elseif wire == 2 then
			at = over + number
		elseif wire == 5 then
			at = value + 4
		else
			return true
		end
	end
	return at ~= #message + 1
end

local states = {}
for i = 6, #ARGV do
	local id = ARGV[i]
	local task = read(id, "state", "msg", "group", "lane", "stop", "seat")
	local state, lane = task[2] and task[1] or "", task[4]
	if may[state] then
		-- Its next place before it leaves the last one. A note without a dead letter is struck off.
		redis.call("ZADD", own .. "dead", at, id)
		redis.call("ZADD", KEYS[1], at, id)
		local message = has(task[2], ARGV[4]) and task[2] or task[2] .. ARGV[4]
		redis.call("HSET", task_key(id), "msg", message, "state", "archived", "code", ARGV[5])
		redis.call("HDEL", task_key(id), "pending_since", "group")
		if state == "pending" then
			redis.call("LREM", asynq .. state, -1, id) -- from the end: the oldest are given up first
		elseif state == "aggregating" then
			leave_group(task[3] or "", id)
		else
			redis.call("ZREM", asynq .. state, id)
		end
		if lane and state == "scheduled" then
			redis.call("ZREM", later_key(lane), (task[6] or "") .. ":" .. id)
		end
		-- One that waits keeps its place in the lane, and is passed over there.
		if lane and not task[5] and redis.call("HGET", heads, lane) == id then
			leave(lane, id, task[6], since)
		end
	end
	table.insert(states, state)
end
return states
