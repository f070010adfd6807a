-- Lanes: tasks that take effect in the order in which they joined.
--
-- Before this file: asynq and own, what the queue's keys begin with: asynq's and ours.
--
-- A lane has a head, in the hash own .. "heads", and a list of those behind it, the next one on the left. The
-- head alone is pending, active or between two attempts; the others are parked. Most lanes have a head
-- and nothing behind it.

local heads = own .. "heads"

-- parked is the time of tasks that wait for their turn: the year 2100. They are
-- scheduled ones to asynq, its Inspector and asynqmon.
local parked = 4102444800

local function task_key(id)
	return asynq .. "t:" .. id
end

-- due_key is the list of those of a lane that are due at a second, in the order in which they were enqueued.
local function due_key(lane, at)
	return own .. "due:" .. string.format("%.0f", at) .. ":" .. lane
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

-- standing returns the state of a task that keeps its place in a lane: nil for one that is done, deleted or given
-- up. An archived one that stops its lane stays.
local function standing(id)
	local task = redis.call("HMGET", task_key(id), "state", "stop")
	local state = task[1]
	if state and state ~= "completed" and (state ~= "archived" or task[2]) and redis.call("HEXISTS", task_key(id), "msg") == 1 then
		return state
	end
	return nil
end

-- steps is how many members that are gone this script still passes over. Somebody may have deleted a hundred thousand, and
-- Redis has others to serve: whoever takes a task next goes on.
local steps = 1000
local unfinished = false

-- advance makes the next one of a lane its head, and returns it with its state. It returns nil when the lane is empty, or
-- when it has not come to the next one yet: then the head is "", which is no task.
local function advance(lane)
	local line = own .. "lane:" .. lane
	if steps <= 0 then
		return nil
	end
	while steps > 0 do
		local id = redis.call("LPOP", line)
		if not id then
			redis.call("HDEL", heads, lane)
			return nil
		end
		local state = standing(id)
		if state then
			redis.call("HSET", heads, lane, id)
			return id, state
		end
		steps = steps - 1
	end
	redis.call("HSET", heads, lane, "")
	redis.call("HSET", own .. "look", "lane", lane)
	unfinished = true
	return nil
end

-- run makes a head pending if its turn is all that it waits for.
local function run(id, state, since)
	if state == "scheduled" and tonumber(redis.call("ZSCORE", asynq .. "scheduled", id) or 0) >= parked then
		redis.call("ZREM", asynq .. "scheduled", id)
		make_pending(id, since)
	end
end

-- promote makes the head of a lane runnable, the next one if it is gone. It returns nil where there is none.
local function promote(lane, since)
	local id = redis.call("HGET", heads, lane)
	local state = id and standing(id)
	if id and not state then
		id, state = advance(lane)
	end
	if id then
		run(id, state, since)
	end
	return id
end

-- join appends a task to a lane and returns whether its turn is now.
local function join(lane, id)
	if redis.call("HSETNX", heads, lane, id) == 1 then
		return true
	end
	redis.call("RPUSH", own .. "lane:" .. lane, id)
	return false
end

-- enter makes a task pending, or lets it wait if others of its lane are before it. It
-- returns whether it waits.
local function enter(lane, id, since)
	if lane == "" or join(lane, id) then
		make_pending(id, since)
		return false
	end
	park(id)
	return promote(lane, since) ~= id -- the head may be gone
end

-- leave takes a task out of its lane, and lets the next one run.
local function leave(lane, id, since)
	if redis.call("HGET", heads, lane) ~= id then
		redis.call("LREM", own .. "lane:" .. lane, 1, id)
		return
	end
	local next, state = advance(lane)
	if next then
		run(next, state, since)
	end
end
