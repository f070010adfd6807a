-- Suspects: tasks whose workers died again and again. One of a queue runs at a time, so that an innocent one is not in
-- hand when the guilty one kills the next worker. lane.lua stands before this file.
--
-- suspect is the id of the one that runs, or is called to. The others wait in suspects, by since when; to asynq they are between two
-- attempts.

local suspect, suspects = own .. "suspect", own .. "suspects"

-- next_suspect calls the one that waits longest: to the front of the line. What somebody has deleted, archived or run by hand
-- meanwhile does not wait any more: it is in another state, or its crashes are not counted any more.
local function next_suspect(since)
	redis.call("LLEN", asynq .. "pending") -- fails where that is no list: before a task is taken from where it is
	while true do
		local id = redis.call("ZPOPMIN", suspects)[1]
		if not id then
			return
		end
		local task = read(id, "state", "crashes")
		if task[1] == "retry" and task[2] and redis.call("ZREM", asynq .. "retry", id) == 1 then
			to_front(id, since)
			redis.call("SET", suspect, id, "EX", 3600)
			return
		end
	end
end
