-- Stores one task unless its id is there already. lane.lua and record.lua stand before this file.
--
-- KEYS[1]   the task's hash
-- KEYS[2..] the hashes of the same id in the other queues
-- ARGV[1]   what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3]   the message
-- ARGV[4]   the id
-- ARGV[5]   when to run it, in Unix seconds; empty for now
-- ARGV[6]   the channel to tell waiting workers of the time on; empty if they find out early enough
-- ARGV[7]   what to tell them
-- ARGV[8]   the lane; empty for none
-- ARGV[9]   "1": the lane stops if the task is archived
-- ARGV[10]  the id before it in its lane that was sent with it; empty if there is none
--
-- Returns 0 when the task was stored, 1 when it was and waits for its turn, else what was there.
local id, lane, before = ARGV[4], ARGV[8], ARGV[10]
local waits_for_due = false
local there = lane == "" and redis.call("EXISTS", unpack(KEYS)) or redis.call("EXISTS", later_key(lane), unpack(KEYS))
if there > 0 then
	for i = 1, #KEYS do
		local there = record(KEYS[i], id)
		if there then
			return there
		end
	end
	waits_for_due = lane ~= "" and redis.call("EXISTS", later_key(lane)) == 1
	if redis.call("EXISTS", KEYS[1]) == 1 then
		-- A leftover without a message would lend its result to the new task.
		redis.call("DEL", KEYS[1])
	end
end
if before ~= "" then
	-- Where that one was refused, this one must not go before it when both are enqueued again.
	there = redis.pcall("HEXISTS", task_key(before), "msg")
	for i = 2, #KEYS do
		if there ~= 1 then
			there = redis.pcall("HEXISTS", string.sub(KEYS[i], 1, -#id - 1) .. before, "msg")
		end
	end
	if there ~= 1 then
		return redis.error_reply("BEHIND a task of its lane that was refused")
	end
end

-- store writes the task down, and returns what the script does.
local function store()
	if lane == "" then
		redis.call("HSET", KEYS[1], "msg", ARGV[3])
	elseif ARGV[9] == "1" then
		redis.call("HSET", KEYS[1], "msg", ARGV[3], "lane", lane, "stop", "1")
	else
		redis.call("HSET", KEYS[1], "msg", ARGV[3], "lane", lane)
	end
	-- What is left of one whose hash was deleted by hand: asynq deletes a hash when its time there is over, whosever it is.
	redis.call("ZREM", asynq .. "completed", id)
	redis.call("ZREM", asynq .. "archived", id)
	local at = ARGV[5]
	local now, since = clock()
	if at == "" then
		-- Those whose time has come are before this one, also where no worker has looked since.
		if not waits_for_due or join_due(lane, now, since) then
			return enter(lane, id, since) and 1 or 0
		end
		at = math.floor(now / 1000)
	end
	if lane == "" then
		redis.call("HSET", KEYS[1], "state", "scheduled")
		redis.call("ZADD", asynq .. "scheduled", at, id)
	else
		defer(lane, id, at, since)
	end
	if ARGV[6] ~= "" then
		redis.pcall("PUBLISH", ARGV[6], ARGV[7]) -- a user without the permission is served a little later
	end
	return 0
end

local stored, answer = pcall(store)
if stored then
	return answer
end
-- Redis undoes nothing: the hash alone would be a task that nobody runs, and that is there already when it is enqueued again. Its
-- place in a lane may stay, and is passed over.
local undone = redis.pcall("DEL", KEYS[1])
redis.pcall("ZREM", asynq .. "scheduled", id)
local text = type(answer) == "table" and answer.err or tostring(answer)
-- Redis 6 and the embedded one say of some errors where in the script they happened.
text = string.gsub(text, "^@?[%w_<>]+: ?%d+: %-?", "")
if type(undone) == "table" then
	text = "HALF of the task may be stored: " .. text
end
return { err = text }
