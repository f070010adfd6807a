-- Takes one task off a queue, in the place of asynq's dequeue script. lane.lua and suspect.lua stand before this
-- file.
--
-- KEYS[1] the pending list
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] for how many seconds the task is the worker's
-- ARGV[4] "probe": the task probes whether a hold may end, so the hold does not count; "any": the same, and it is
--   any of those that wait; "look": nothing is taken
-- ARGV[5] from how many crashes on a task runs alone among its kind
-- ARGV[6] when nobody waits for the answer any more, in milliseconds of Redis' clock; empty if that is not known
--
-- Returns
--   { "task", dropped, now, id, message, result, attempts, failures, deliveries, crashes, lane, retries, token }
--   { "idle", dropped, now, milliseconds until the next task is due, or the next look, -1 if none is known }
--   { "paused" or "held", dropped, now, milliseconds until that ends, -1 if it has no end }
-- where dropped lists ids that had no task and were removed, and now is Redis' clock in milliseconds.

local pending, active, leases = KEYS[1], asynq .. "active", asynq .. "lease"
local now, since = clock()
local dropped = {}

-- look_every is how often, in milliseconds, somebody looks for what went wrong: expired leases,
-- lanes whose head is gone, dead letters that somebody else trimmed away.
local look_every = 500
-- Nobody looked for so long: Redis was away, or there was no worker.
local absence = 10000
-- After that, workers that live get as long as this to renew their leases; they do every 5 s.
local grace = 7000
-- A lease that was not renewed for so many seconds is nobody's: that is two renewals, and time for a third.
local not_renewed = 12
-- A suspect that waits is called by whoever settles the one that runs. It comes by itself after so many seconds.
local uncalled = 60
-- All lanes are looked at within this time, if somebody looks: many at a time where there are many, and where
-- workers are idle and look seldom. One that finds nothing to do looks again as soon as the most at a time demand it.
-- Above some 80,000 lanes it takes longer (10 s with 100,000), so as not to stop Redis for long.
local lap = 8000
local lanes_at_least, lanes_at_most = 1000, 5000
-- In how many milliseconds somebody shall look at the next lanes, -1 if whoever looks anyway will do.
local pace = -1

-- has_message returns 1 for a task. Where that cannot be told the script ends: ask before a task is taken from where it is.
local function has_message(id)
	local there = redis.pcall("HEXISTS", task_key(id), "msg")
	return is_failure(there) and redis.call("HEXISTS", task_key(id), "msg") or there
end

-- drop removes what is left of a task that is gone: what came too late for it, a result, a state.
local function drop(id)
	if has_message(id) == 0 then
		redis.call("DEL", task_key(id))
	end
	table.insert(dropped, id)
end

-- is_in tells whether a task is where its state says. Entries of the same id in other places are leftovers then: somebody has deleted
-- the task by hand, but for them, and it was enqueued again. It must not run twice at a time.
local function is_in(state, id)
	if state == "pending" then
		return redis.call("LPOS", pending, id, "MAXLEN", 10000) -- where it is beyond, it is twice there, and found out when it is taken
	elseif state == "active" then
		return redis.call("ZSCORE", leases, id)
	elseif state == "scheduled" or state == "retry" or state == "archived" or state == "completed" then
		return redis.call("ZSCORE", asynq .. state, id)
	end
	return false
end

-- forward makes up to 100 due tasks of a set pending, as asynq's forwarder does. It returns how many
-- milliseconds there are until the next one is due, -1 if the set is empty.
local function forward(set)
	local head = redis.call("ZRANGE", set, 0, 0, "WITHSCORES")
	if #head == 0 then
		return -1
	end
	local left = head[2] * 1000 - now
	if left > 0 then
		-- Not more than a week: the worker looks again long before.
		return math.ceil(math.min(left, 604800000))
	end
	redis.call("LLEN", pending) -- fails where that is no list: before a task is taken from where it is
	local found = redis.call("ZRANGEBYSCORE", set, "-inf", now / 1000, "WITHSCORES", "LIMIT", 0, 100)
	for i = 1, #found, 2 do
		local id, score = found[i], found[i + 1]
		if redis.call("ZSCORE", set, id) ~= score then
			-- It joined its lane with another one, and waits there, or runs.
		elseif has_message(id) ~= 1 then
			redis.call("ZREM", set, id)
			drop(id)
		else
			local task = read(id, "lane", "state", "crashes")
			if task[2] and asynq .. task[2] ~= set and is_in(task[2], id) then
				redis.call("ZREM", set, id)
			elseif not task[1] or task[2] ~= "scheduled" then
				local put = task[3] and to_front or make_pending -- a suspect was at the front
				put(id, since)
				redis.call("ZREM", set, id)
			elseif not join_due(task[1], now, since) then
				return 0
			elseif redis.call("ZSCORE", set, id) == score then -- somebody changed its time
				enter_due(task[1], id, set, score, since)
			end
		end
	end
	return 0
end

-- recover puts the tasks of workers that are gone to the front of the line.
local function recover()
	for _, id in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", now / 1000, "LIMIT", 0, 100)) do
		local there = has_message(id)
		redis.call("ZREM", leases, id)
		if redis.call("LREM", active, 0, id) == 0 then
			-- Settled, and a renewal came late.
		elseif there ~= 1 then
			drop(id)
		else
			local task = read(id, "state", "token", "waits")
			if not is_in(task[1], id) then
				if not task[3] or task[3] ~= task[2] then -- else it waited for its permit, and does its worker no harm
					redis.call("HINCRBY", task_key(id), "crashes", 1)
				end
				to_front(id, since)
			end
		end
	end
end

-- is_in_hand tells whether a worker has a task. One whose lease was not renewed for so long is in the hands of the dead: it harms nobody
-- until it is taken again.
local function is_in_hand(id)
	local till = redis.call("ZSCORE", leases, id)
	return till and till - now / 1000 > ARGV[3] - not_renewed
end

-- call_suspect sees to it that suspects which wait are called, where nobody settles the one before them.
local function call_suspect()
	local id = redis.call("EXISTS", suspects) == 1 and (redis.call("GET", suspect) or "")
	if id and not is_in_hand(id) and read(id, "state")[1] ~= "pending" then
		next_suspect(since)
	end
end

-- adopt gives a lease to active tasks that have none: their worker died between two steps of another
-- program's, or Redis lost one of the two keys.
local function adopt()
	if redis.call("LLEN", active) > redis.call("ZCARD", leases) then
		for _, id in ipairs(redis.call("LRANGE", active, 0, -1)) do
			redis.call("ZADD", leases, "NX", now / 1000 + ARGV[3], id)
		end
	end
end

-- dissolve makes the tasks of asynq's aggregation groups pending: here each is run by itself.
local function dissolve()
	for _, group in ipairs(redis.call("SMEMBERS", asynq .. "groups")) do
		local members = asynq .. "g:" .. group
		for _, id in ipairs(redis.call("ZRANGE", members, 0, 99)) do
			if has_message(id) == 1 then
				redis.call("HDEL", task_key(id), "group")
				make_pending(id, since)
			end
			redis.call("ZREM", members, id)
		end
		if redis.call("EXISTS", members) == 0 then
			redis.call("SREM", asynq .. "groups", group)
		end
	end
end

-- keep_dead_letters puts back into the archive what asynq's Inspector or asynqmon trimmed away, and notes
-- what they put there: some hundred at a time, and some thousand while there is something to do.
local function keep_dead_letters()
	local archived, dead = asynq .. "archived", own .. "dead"
	local looked = redis.call("HMGET", own .. "look", "dead", "archive", "missing")

	local before = tonumber(looked[1] or 0)
	local cursor = before
	-- Until all were looked at: what is not noted yet may be as many as what is missing in the end.
	local missing = looked[3] or redis.call("ZCARD", dead) > redis.call("ZCARD", archived)
	local at_once = missing and 5000 or 200
	local noted = redis.call("ZRANGE", dead, cursor, cursor + at_once - 1, "WITHSCORES")
	local gone = 0
	for i = 1, #noted, 2 do
		local id = noted[i]
		if not redis.call("ZSCORE", archived, id) then
			if has_message(id) == 1 and read(id, "state")[1] == "archived" then
				redis.call("ZADD", archived, noted[i + 1], id)
			else
				redis.call("ZREM", dead, id)
				gone = gone + 1
			end
		end
	end
	cursor = cursor + #noted / 2 - gone
	if #noted < 2 * at_once then
		cursor = 0
	end
	if cursor ~= before then
		redis.call("HSET", own .. "look", "dead", cursor)
	end
	if missing and not looked[3] then
		redis.call("HSET", own .. "look", "missing", 1)
	elseif looked[3] and cursor == 0 then
		redis.call("HDEL", own .. "look", "missing")
	end

	-- What was archived by hand is as safe as the rest once it is noted. It is among the newest, most times.
	before = tonumber(looked[2] or 0)
	cursor = 0
	if redis.call("ZCARD", archived) > redis.call("ZCARD", dead) then
		at_once = before == 0 and 200 or 5000
		local found = redis.call("ZREVRANGE", archived, before, before + at_once - 1, "WITHSCORES")
		for i = 1, #found, 2 do
			redis.call("ZADD", dead, "NX", found[i + 1], found[i])
		end
		if #found == 2 * at_once then
			cursor = before + at_once
		end
	end
	if cursor ~= before then
		redis.call("HSET", own .. "look", "archive", cursor)
	end
end

-- watch_lanes lets the next task run where the head of a lane was deleted or archived by hand. The last
-- look was so many milliseconds ago.
local function watch_lanes(cursor, ago)
	local lanes = redis.call("HLEN", heads)
	local count = math.ceil(lanes * math.min(ago / lap, 1))
	count = math.max(lanes_at_least, math.min(count, lanes_at_most))
	if lanes > lanes_at_most then
		pace = math.ceil(math.max(look_every, lap * lanes_at_most / lanes))
	end
	local found = redis.call("HSCAN", heads, cursor, "COUNT", count)
	for i = 1, #found[2], 2 do
		local task = read(found[2][i + 1], "state", "lane")
		local state = task[1]
		if (state ~= "pending" and state ~= "active" and state ~= "retry") or task[2] ~= found[2][i] then
			promote(found[2][i], since)
		end
	end
	if found[1] ~= cursor then
		redis.call("HSET", own .. "look", "lanes", found[1])
	end
end

-- shorten ends leases that last longer than one given now: by another clock.
local function shorten()
	local till = now / 1000 + ARGV[3]
	for _, id in ipairs(redis.call("ZRANGEBYSCORE", leases, "(" .. till, "+inf")) do
		redis.call("ZADD", leases, till, id)
	end
end

-- look is what somebody does now and then on behalf of all.
local function look()
	local last = redis.call("HMGET", own .. "look", "at", "wait", "lanes", "lane")
	if last[4] then -- a script passed over many that are gone, and did not come to the next one
		redis.call("HDEL", own .. "look", "lane")
		promote(last[4], since)
	end
	local at, wait = tonumber(last[1] or 0), tonumber(last[2] or 0)
	local ago = now - at
	if ago >= 0 and ago < look_every then
		return
	end
	if ago < 0 then -- the clock was set back, or the replica that took over has another one
		shorten()
	end
	if ago < 0 or (ago > absence and at > 0) then
		wait = now + grace
		redis.call("HSET", own .. "look", "wait", wait)
	end
	redis.call("HSET", own .. "look", "at", now)
	redis.call("LLEN", pending) -- as in forward
	if now >= wait then
		recover() -- recovery
		adopt() -- recovery
	end
	call_suspect()
	if redis.call("EXISTS", asynq .. "groups") == 1 then
		dissolve()
	end
	watch_lanes(last[3] or "0", math.abs(ago))
	keep_dead_letters() -- dead letters
end

-- is_turn makes sure that a task is the head of its lane. Somebody may have run another one by hand.
local function is_turn(lane, id)
	if redis.call("HGET", heads, lane) == id then
		return true
	end
	local seat = read(id, "seat")[1]
	if not redis.call("LPOS", own .. "lane:" .. lane, place(id, seat)) and join(lane, id, since) then
		return true
	end
	park(id)
	promote(lane, since)
	return false
end

-- is_alone sends a suspect away while another one runs.
local function is_alone(id)
	local other = redis.call("GET", suspect)
	if other and other ~= id and is_in_hand(other) then
		redis.call("ZADD", suspects, "NX", since, id)
		redis.call("HSET", task_key(id), "state", "retry")
		redis.call("HDEL", task_key(id), "pending_since")
		redis.call("ZADD", asynq .. "retry", math.ceil(now / 1000) + uncalled, id)
		return false
	end
	redis.call("SET", suspect, id, "EX", 3600)
	redis.call("ZREM", suspects, id)
	return true
end

-- A Redis that was frozen carries out what has piled up in its connections. A task taken for nobody would wait
-- for the end of its lease, and be counted as a crash.
if ARGV[6] ~= "" and now > tonumber(ARGV[6]) then
	return { "idle", dropped, now, 0 }
end

-- Most looks of an idle worker find a queue in which there is nothing at all, but what is done.
if redis.call("EXISTS", pending, active, leases, asynq .. "scheduled", asynq .. "retry", asynq .. "archived", asynq .. "groups",
	asynq .. "paused", own .. "held", own .. "heads", own .. "dead", suspects) == 0 then
	return { "idle", dropped, now, -1 }
end

-- Redis whose memory is full refuses what may need more, but only as the first write of a script. What
-- empties the queue must go on: so it begins with a write that needs none.
redis.call("DEL", own .. "room")

look()
-- sooner returns the lesser of two times, of which -1 is none.
local function sooner(a, b)
	return (a < 0 or (b >= 0 and b < a)) and b or a
end

local due = sooner(pace, forward(asynq .. "scheduled"))
due = sooner(due, forward(asynq .. "retry"))

if ARGV[4] == "look" then
	return { "idle", dropped, now, unfinished and 1 or due }
end
if redis.call("EXISTS", asynq .. "paused", own .. "held") > 0 then
	local hold, pause = redis.call("PTTL", own .. "held"), redis.call("PTTL", asynq .. "paused")
	if pause == -1 then
		return { "paused", dropped, now, -1 }
	elseif ARGV[4] ~= "probe" and ARGV[4] ~= "any" and hold >= 0 then
		return { "held", dropped, now, hold }
	elseif pause >= 0 and hold < 0 then
		return { "paused", dropped, now, pause }
	end
end

-- next_pending makes a task active.
local function next_pending()
	local waiting = ARGV[4] == "any" and redis.call("LLEN", pending) or 0
	if waiting > 1 then
		-- To the end that is taken from.
		local id = redis.call("LINDEX", pending, now % waiting)
		redis.call("LREM", pending, -1, id)
		redis.call("RPUSH", pending, id)
	end
	return redis.call("RPOPLPUSH", pending, active)
end

for _ = 1, 100 do
	local id = next_pending()
	if not id then
		return { "idle", dropped, now, unfinished and 1 or due }
	end
	local key = task_key(id)
	local task = redis.pcall("HMGET", key, "msg", "result", "attempts", "failures", "deliveries", "crashes", "lane", "retries", "state")
	if is_failure(task) then
		redis.call("RPUSH", pending, id)
		redis.call("LPOP", active)
		return task
	end
	if task[1] and task[9] ~= "pending" and is_in(task[9], id) then
		redis.call("LPOP", active)
	elseif task[1] then
		local lane, crashes = task[7] or "", tonumber(task[6]) or 0
		if (lane == "" or is_turn(lane, id)) and (crashes < tonumber(ARGV[5]) or is_alone(id)) then
			local count = (tonumber(task[5]) or 0) + 1
			local token = since .. "-" .. count
			redis.call("HSET", key, "state", "active", "deliveries", count, "token", token)
			redis.call("HDEL", key, "pending_since")
			redis.call("ZADD", leases, now / 1000 + ARGV[3], id) -- recovery
			return { "task", dropped, now, id, task[1], task[2], task[3], task[4], count, crashes, lane, task[8], token }
		end
		redis.call("LPOP", active)
	else
		-- A ghost: its hash was deleted or evicted. asynq would keep it among the active tasks for ever.
		redis.call("LPOP", active)
		drop(id)
	end
end
return { "idle", dropped, now, 0 }
