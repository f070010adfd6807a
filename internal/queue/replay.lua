-- Runs an archived task again. lane.lua stands before this file.
--
-- KEYS[1] the task's hash
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] the id
-- ARGV[4] a name for this replay
--
-- Returns 1, or 0 if the task is not archived (any more). Repeated under the same name, as clients do when an answer
-- is lost, it returns 1 and runs nothing a second time.
local id = ARGV[3]
local task = redis.call("HMGET", KEYS[1], "state", "lane", "msg", "seat", "code", "replay")
if task[3] and task[6] == ARGV[4] then
	return 1
end
if not task[3] or task[1] ~= "archived" then
	return 0
end
redis.call("LLEN", asynq .. "pending") -- fails where that is no list: before anything is changed
redis.call("HDEL", KEYS[1], "failures", "retries", "crashes", "code")
if task[5] == "not_found" then
	-- A deletion that found nothing took no effect: should it find nothing again, it is no repetition of one that did.
	redis.call("HDEL", KEYS[1], "deliveries")
end
local _, since = clock()
local lane = task[2] or ""
if lane ~= "" and redis.call("HGET", heads, lane) == id then
	make_pending(id, since) -- its lane stands still and waits for it
else
	if lane ~= "" then
		-- One that was archived by hand before its turn is in the lane still.
		redis.call("LREM", own .. "lane:" .. lane, 1, place(id, task[4]))
	end
	enter(lane, id, since)
end
redis.call("ZREM", asynq .. "archived", id)
redis.call("ZREM", own .. "dead", id)
redis.call("HSET", KEYS[1], "replay", ARGV[4])
return 1
