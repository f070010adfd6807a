-- record returns what the hash of a task holds, or nil if it holds no message:
-- then it is what something that came too late left behind, and no task.
local function record(key, id)
	local fields = redis.call("HMGET", key, "msg", "state", "result", "attempts", "done_at", "lane", "code")
	if not fields[1] then
		return nil
	end
	fields[8] = false
	if fields[2] == "scheduled" or fields[2] == "retry" or fields[2] == "archived" then
		-- asynq:{queue}:t:id to asynq:{queue}:scheduled
		fields[8] = redis.call("ZSCORE", string.sub(key, 1, -#id - 3) .. fields[2], id)
	end
	return fields
end
