-- Gives up tasks by hand that no worker has, and notes them among the dead letters in the same step. In the place of the
-- scripts of asynq's Inspector, which trim the archive as well. lane.lua stands before this file.
--
-- KEYS[1] the archive
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] the state in which they may be given up; empty: all states of which that can be said
-- ARGV[4...] the ids
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

local states = {}
for i = 4, #ARGV do
	local id = ARGV[i]
	local task = read(id, "state", "msg", "group", "lane", "stop", "seat")
	local state, lane = task[2] and task[1] or "", task[4]
	if may[state] then
		-- Its next place before it leaves the last one. A note without a dead letter is struck off.
		redis.call("ZADD", own .. "dead", at, id)
		redis.call("ZADD", KEYS[1], at, id)
		redis.call("HSET", task_key(id), "state", "archived")
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
