-- Lanes: tasks that take effect in the order in which they joined.
--
-- Before this file: asynq and own, what the queue's keys begin with: asynq's and ours.
--
-- A lane is a list of ids, its head on the left. The head alone is pending, active or
-- between two attempts; the others are parked. A lane that is not empty is in the
-- sorted set own .. "lanes", by when it was last looked at.

-- parked is the time of tasks that wait for their turn: the year 2100. They are
-- scheduled ones to asynq, its Inspector and asynqmon.
local parked = 4102444800

local function task_key(id)
	return asynq .. "t:" .. id
end

-- clock returns Redis' time in milliseconds, and in nanoseconds as asynq writes it.
local function clock()
	local time = redis.call("TIME")
	return time[1] * 1000 + math.floor(time[2] / 1000), time[1] .. string.format("%06d000", time[2])
end

-- make_pending puts a task to the end of the line.
local function make_pending(id, since)
	redis.call("HSET", task_key(id), "state", "pending", "pending_since", since)
	redis.call("LPUSH", asynq .. "pending", id)
end

-- park lets a task wait for its turn.
local function park(id)
	redis.call("HSET", task_key(id), "state", "scheduled")
	redis.call("HDEL", task_key(id), "pending_since")
	redis.call("ZADD", asynq .. "scheduled", parked, id)
end

-- promote makes the head of a lane runnable if its turn is all that it waits for. A
-- head that is done, deleted or given up makes room; an archived one that stops its lane
-- stays. It returns nil when the lane is empty.
local function promote(lane, since)
	local list = own .. "lane:" .. lane
	while true do
		local id = redis.call("LINDEX", list, 0)
		if not id then
			redis.call("ZREM", own .. "lanes", lane)
			return nil
		end
		local task = redis.call("HMGET", task_key(id), "state", "stop", "msg")
		local state = task[3] and task[1]
		if state and state ~= "completed" and (state ~= "archived" or task[2]) then
			if state == "scheduled" and tonumber(redis.call("ZSCORE", asynq .. "scheduled", id) or 0) >= parked then
				redis.call("ZREM", asynq .. "scheduled", id)
				make_pending(id, since)
			end
			return id
		end
		redis.call("LPOP", list)
	end
end

-- join appends a task to a lane and returns whether its turn is now.
local function join(lane, id, now)
	if redis.call("RPUSH", own .. "lane:" .. lane, id) > 1 then
		return false
	end
	redis.call("ZADD", own .. "lanes", now, lane)
	return true
end

-- enter makes a task pending, or lets it wait if others of its lane are before it. It
-- returns whether it waits.
local function enter(lane, id, now, since)
	if lane == "" or join(lane, id, now) then
		make_pending(id, since)
		return false
	end
	park(id)
	return promote(lane, since) ~= id -- the head may be gone
end

-- leave takes a task out of its lane, and lets the next one run.
local function leave(lane, id, since)
	local list = own .. "lane:" .. lane
	local head = redis.call("LPOP", list)
	if head and head ~= id then
		redis.call("LPUSH", list, head)
		redis.call("LREM", list, 1, id)
	end
	promote(lane, since)
end
