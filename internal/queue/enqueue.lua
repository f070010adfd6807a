-- Stores one task unless its id is there already.
--
-- KEYS[1]   the task's hash
-- KEYS[2]   the pending list, or the scheduled set
-- KEYS[3..] the hashes of the same id in the other queues
-- ARGV[1]   the message
-- ARGV[2]   the id
-- ARGV[3]   when to run it, in Unix seconds; empty for now
-- ARGV[4]   now in Unix nanoseconds
-- ARGV[5]   the channel to tell waiting workers of the time on; empty if they find out early enough
-- ARGV[6]   what to tell them
--
-- Returns 0 when the task was stored, else what was there.
if redis.call("EXISTS", KEYS[1], unpack(KEYS, 3)) > 0 then
	for i = 1, #KEYS do
		local there = i ~= 2 and record(KEYS[i], ARGV[2])
		if there then
			return there
		end
	end
	-- A leftover without a message would lend its result to the new task.
	redis.call("DEL", KEYS[1])
end
if ARGV[3] == "" then
	redis.call("HSET", KEYS[1], "msg", ARGV[1], "state", "pending", "pending_since", ARGV[4])
	redis.call("LPUSH", KEYS[2], ARGV[2])
else
	redis.call("HSET", KEYS[1], "msg", ARGV[1], "state", "scheduled")
	redis.call("ZADD", KEYS[2], ARGV[3], ARGV[2])
	if ARGV[5] ~= "" then
		redis.pcall("PUBLISH", ARGV[5], ARGV[6]) -- a user without the permission is served a little later
	end
end
return 0
