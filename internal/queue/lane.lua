-- Lanes: tasks that take effect in the order in which they joined.
--
-- Before this file: asynq and own, what the queue's keys begin with: asynq's and ours.
--
-- A lane has a head, in the hash own .. "heads", and a list of those behind it, the next one on the left. The
-- head alone is pending, active or between two attempts; the others are parked. Most lanes have a head
-- and nothing behind it.
--
-- Those behind are in the list as id:seat, and the seat is in their hash: one that was deleted by hand leaves its place
-- in the list, which must not be that of a new task with the same id.

local heads = own .. "heads"

-- parked is the time of tasks that wait for their turn: the year 2100. They are
-- scheduled ones to asynq, its Inspector and asynqmon.
local parked = 4102444800

local function task_key(id)
	return asynq .. "t:" .. id
end

-- is_failure tells whether Redis failed to read a task. Something else in the place of its hash is no task; but one that cannot be
-- read (no permission, a slot that leaves for another node) is there all the same, and must not be taken for garbage.
local function is_failure(answer)
	return type(answer) == "table" and answer.err and not string.find(answer.err, "WRONGTYPE", 1, true)
end

-- read returns fields of a task, none where there is no task. Where that cannot be told the script ends.
local function read(id, ...)
	local fields = redis.pcall("HMGET", task_key(id), ...)
	if is_failure(fields) then
		return redis.call("HMGET", task_key(id), ...)
	end
	return fields.err and {} or fields
end

-- unlock releases asynq's lock of a unique task, which another program's may have: its next one would be refused until the lock is over.
-- One that is not among the queue's keys is not asynq's.
local function unlock(id, lock)
	if lock and string.sub(lock, 1, #asynq) == asynq and redis.pcall("GET", lock) == id then
		redis.call("DEL", lock)
	end
end

-- later_key is the set of those of a lane that join it later, as seat:id by the second at which they do. The seat tells
-- those of one second apart, in the order in which they were enqueued, and is in their hash too.
local function later_key(lane)
	return own .. "later:" .. lane
end

-- clock returns Redis' time in milliseconds, and in nanoseconds as asynq writes it.
local function clock()
	local time = redis.call("TIME")
	return time[1] * 1000 + math.floor(time[2] / 1000), time[1] .. string.format("%06d000", time[2])
end

-- make_pending puts a task to the end of the line. The push comes first, as it may fail: where somebody has written
-- something else under the list's key, the task stays what it was.
local function make_pending(id, since)
	redis.call("LPUSH", asynq .. "pending", id)
	redis.call("HSET", task_key(id), "state", "pending", "pending_since", since)
end

-- to_front puts a task to the front of the line.
local function to_front(id, since)
	redis.call("RPUSH", asynq .. "pending", id)
	redis.call("HSET", task_key(id), "state", "pending", "pending_since", since)
end

-- place is what a task that waits is in the list of its lane.
local function place(id, seat)
	return seat and id .. ":" .. seat or id
end

-- park lets a task wait for its turn.
local function park(id)
	redis.call("ZADD", asynq .. "scheduled", parked, id)
	redis.call("HSET", task_key(id), "state", "scheduled")
	redis.call("HDEL", task_key(id), "pending_since")
end

-- standing returns the state of a task that keeps its place in a lane, as the head where no seat is given: nil for one that is
-- done, deleted or given up. An archived one that stops its lane stays.
local function standing(lane, id, seat)
	local task = read(id, "state", "stop", "lane", "seat")
	local state = task[1]
	if not state or state == "completed" or (state == "archived" and not task[2]) or task[3] ~= lane or (seat and task[4] ~= seat) then
		return nil
	end
	return redis.call("HEXISTS", task_key(id), "msg") == 1 and state or nil
end

-- steps is how many members that are gone this script still passes over. Somebody may have deleted a hundred thousand, and
-- Redis has others to serve: whoever takes a task next goes on.
local steps = 1000
local unfinished = false

-- advance makes the next one of a lane its head, and returns it with its state. It returns nil when the lane is empty, or
-- when it has not come to the next one yet: then the head is "", which is no task.
local function advance(lane)
	local line = own .. "lane:" .. lane
	while steps > 0 do
		local member = redis.call("LPOP", line)
		if not member then
			redis.call("HDEL", heads, lane)
			return nil
		end
		local id, seat = string.match(member, "^(.*):(%d+)$")
		id = id or member
		local state = standing(lane, id, seat)
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
		make_pending(id, since)
		redis.call("ZREM", asynq .. "scheduled", id)
	end
end

-- promote makes the head of a lane runnable, the next one if it is gone. It returns nil where there is none.
local function promote(lane, since)
	local id = redis.call("HGET", heads, lane)
	local state = id and standing(lane, id)
	if id and not state then
		id, state = advance(lane)
	end
	if id then
		run(id, state, since)
	end
	return id
end

-- join appends a task to a lane and returns whether its turn is now. If not, the task is to be parked.
local function join(lane, id, since)
	if redis.call("HSETNX", heads, lane, id) == 1 then
		return true
	end
	if redis.call("HGET", heads, lane) == id then -- another one of this id, which was deleted
		advance(lane)
		if redis.call("HSETNX", heads, lane, id) == 1 then
			return true
		end
	end
	local seat = string.sub(since, -12, -4) -- a microsecond of a thousand seconds
	redis.call("HSET", task_key(id), "seat", seat)
	redis.call("RPUSH", own .. "lane:" .. lane, place(id, seat))
	return false
end

-- enter makes a task pending, or lets it wait if others of its lane are before it. It
-- returns whether it waits.
local function enter(lane, id, since)
	if lane == "" or join(lane, id, since) then
		make_pending(id, since)
		return false
	end
	park(id)
	return promote(lane, since) ~= id -- the head may be gone
end

-- defer notes that a task joins its lane at a time in Unix seconds.
local function defer(lane, id, at, since)
	local seat = string.sub(since, 1, -4) -- microseconds, as many digits for some centuries
	redis.call("HSET", task_key(id), "state", "scheduled", "seat", seat)
	redis.call("ZADD", asynq .. "scheduled", at, id)
	redis.call("ZADD", later_key(lane), at, seat .. ":" .. id)
	-- Should nobody look any more: those that are deleted by hand leave their mark.
	local left = redis.call("TTL", later_key(lane))
	local needed = at - string.sub(since, 1, -10) + 604800
	if left < needed then
		redis.call("EXPIRE", later_key(lane), string.format("%.0f", needed))
	end
end

-- enter_due is enter for a task that was in a set until its time, a score there.
local function enter_due(lane, id, set, score, since)
	enter(lane, id, since)
	if redis.call("ZSCORE", set, id) == score then -- else it waits there for its turn
		redis.call("ZREM", set, id)
	end
end

-- join_due lets those of a lane join it whose time has come, and returns whether that was all.
local function join_due(lane, now, since)
	local later, scheduled = later_key(lane), asynq .. "scheduled"
	redis.call("LLEN", asynq .. "pending") -- fails where that is no list: before a task is taken from where it is
	while steps > 0 do
		local found = redis.call("ZRANGEBYSCORE", later, "-inf", math.floor(now / 1000), "WITHSCORES", "LIMIT", 0, 100)
		for i = 1, #found, 2 do
			local seat, id = string.match(found[i], "^(%d+):(.*)$")
			local task = read(id, "state", "seat", "msg")
			-- Else somebody deleted it, or ran it by hand.
			if task[1] == "scheduled" and task[2] == seat and task[3] and redis.call("ZSCORE", scheduled, id) == found[i + 1] then
				enter_due(lane, id, scheduled, found[i + 1], since)
			end
			redis.call("ZREM", later, found[i])
			steps = steps - 1
		end
		if #found < 200 then
			return true
		end
	end
	unfinished = true
	return false
end

-- leave takes a task with a seat, or none, out of its lane, and lets the next one run.
local function leave(lane, id, seat, since)
	if redis.call("HGET", heads, lane) ~= id then
		redis.call("LREM", own .. "lane:" .. lane, 1, place(id, seat))
		return
	end
	local next, state = advance(lane)
	if next then
		run(next, state, since)
	end
end
