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
if redis.call("EXISTS", unpack(KEYS)) > 0 then
	for i = 1, #KEYS do
		local there = record(KEYS[i], id)
		if there then
			return there
		end
	end
	-- A leftover without a message would lend its result to the new task.
	redis.call("DEL", KEYS[1])
end
if before ~= "" then
	-- Where that one was refused, this one must not go before it when both are enqueued again.
	local there = redis.pcall("HEXISTS", task_key(before), "msg")
	for i = 2, #KEYS do
		if there ~= 1 then
			there = redis.pcall("HEXISTS", string.sub(KEYS[i], 1, -#id - 1) .. before, "msg")
		end
	end
	if there ~= 1 then
		return redis.error_reply("BEHIND a task of its lane that was refused")
	end
end
if lane == "" then
	redis.call("HSET", KEYS[1], "msg", ARGV[3])
elseif ARGV[9] == "1" then
	redis.call("HSET", KEYS[1], "msg", ARGV[3], "lane", lane, "stop", "1")
else
	redis.call("HSET", KEYS[1], "msg", ARGV[3], "lane", lane)
end
if ARGV[5] == "" then
	local _, since = clock()
	return enter(lane, id, since) and 1 or 0
end
redis.call("HSET", KEYS[1], "state", "scheduled")
redis.call("ZADD", asynq .. "scheduled", ARGV[5], id)
if lane ~= "" then
	redis.call("LREM", due_key(lane, ARGV[5]), 1, id) -- of another one of this id, which was deleted by hand
	redis.call("RPUSH", due_key(lane, ARGV[5]), id)
	redis.call("EXPIREAT", due_key(lane, ARGV[5]), ARGV[5] + 604800) -- should nobody forward them
end
if ARGV[6] ~= "" then
	redis.pcall("PUBLISH", ARGV[6], ARGV[7]) -- a user without the permission is served a little later
end
return 0
