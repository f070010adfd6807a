-- Looks at some of a queue's lanes for the one with the most tasks behind its head. lane.lua stands before this file.
--
-- KEYS[1] the lanes' heads
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] where to go on, "0" to begin; ARGV[4] about how many lanes to look at
--
-- Returns where to go on, "0" when these were the last; the lane's name, how many are behind its head, the id
-- of the head and its state. The name is empty if none has any behind it.
local found = redis.call("HSCAN", KEYS[1], ARGV[3], "COUNT", ARGV[4])
local longest, head, most = "", "", 0
for i = 1, #found[2], 2 do
	local behind = redis.call("LLEN", own .. "lane:" .. found[2][i])
	if behind > most then
		longest, head, most = found[2][i], found[2][i + 1], behind
	end
end
local state = most > 0 and read(head, "state")[1] or ""
return { found[1], longest, most, head, state or "" }
