-- Deletes a task that no worker has. lane.lua stands before this file.
--
-- KEYS[1] the task's hash
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] the id
-- ARGV[4] a name for this removal
-- ARGV[5...] the states in which it may be deleted
--
-- Returns the state that it was in, whether or not that is one of these; "" if there is no task. Repeated under
-- the same name, as clients do when an answer is lost, it returns what it did the first time.
local id = ARGV[3]
local note = own .. "removed:" .. ARGV[4]
local before = redis.call("GET", note)
if before then
	return before
end
local task = redis.call("HMGET", KEYS[1], "state", "lane", "msg", "unique_key", "group", "seat")
if not task[3] then
	return ""
end
local state = task[1] or ""
local set = asynq .. state
if state == "scheduled" and tonumber(redis.call("ZSCORE", set, id) or 0) >= parked then
	state = "waiting"
end
local may = false
for i = 5, #ARGV do
	may = may or ARGV[i] == state
end
if not may then
	return state
end
if state == "pending" then
	redis.call("LREM", set, 1, id)
elseif state == "aggregating" then
	redis.call("ZREM", asynq .. "g:" .. (task[5] or ""), id)
else
	redis.call("ZREM", set, id)
end
if state == "scheduled" and task[2] then
	redis.call("ZREM", later_key(task[2]), (task[6] or "") .. ":" .. id)
end
redis.call("ZREM", own .. "dead", id)
redis.call("DEL", KEYS[1])
unlock(id, task[4])
if task[2] then
	local _, since = clock()
	leave(task[2], id, task[6], since)
end
redis.call("SET", note, state, "EX", 60) -- after the deletion: a Redis whose memory is full takes it then
return state
