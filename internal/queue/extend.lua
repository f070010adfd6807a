-- Renews the leases of a worker's deliveries, by Redis' clock. lane.lua stands before this file.
--
-- KEYS[1] the leases
-- ARGV[1] what asynq's keys of the queue begin with, ARGV[2] what ours do
-- ARGV[3] for how many seconds
-- ARGV[4...] id and token of each delivery
--
-- Returns those ids that are no longer the worker's.
redis.call("ZREM", KEYS[1], "") -- also where memory is full: see take.lua
local now = clock()
local till = now / 1000 + ARGV[3]
local lost = {}
for i = 4, #ARGV, 2 do
	local id = ARGV[i]
	if read(id, "token")[1] == ARGV[i + 1] and redis.call("ZSCORE", KEYS[1], id) then
		redis.call("ZADD", KEYS[1], "XX", till, id)
	else
		table.insert(lost, id)
	end
end
return lost
