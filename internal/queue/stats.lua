-- Counts what one queue holds.
--
-- KEYS[1] pending, [2] active, [3] scheduled, [4] retry, [5] archived, [6] completed, [7] paused
-- ARGV[1] what the key of a task begins with
--
-- Returns the six sizes, how many milliseconds the pause still lasts (-1: no
-- end, -2: not paused), what the pause holds, and since when the task that is
-- next is pending.
local sizes = { redis.call("LLEN", KEYS[1]), redis.call("LLEN", KEYS[2]) }
for i = 3, 6 do
	sizes[i] = redis.call("ZCARD", KEYS[i])
end
sizes[7] = redis.call("PTTL", KEYS[7])
sizes[8] = ""
if sizes[7] > -2 then
	local reason = redis.pcall("GET", KEYS[7])
	if type(reason) == "string" then
		sizes[8] = reason
	end
end
local next = redis.call("LINDEX", KEYS[1], -1)
sizes[9] = next and redis.call("HGET", ARGV[1] .. next, "pending_since")
return sizes
