-- Renews the leases of a worker's deliveries, by Redis' clock.
--
-- KEYS[1] the leases
-- ARGV[1] what the key of a task begins with
-- ARGV[2] for how many seconds
-- ARGV[3...] id and token of each delivery
--
-- Returns those ids that are no longer the worker's.
redis.call("ZREM", KEYS[1], "") -- also where memory is full: see take.lua
local time = redis.call("TIME")
local till = time[1] + time[2] / 1000000 + ARGV[2]
local lost = {}
for i = 3, #ARGV, 2 do
	local id = ARGV[i]
	if redis.call("HGET", ARGV[1] .. id, "token") == ARGV[i + 1] and redis.call("ZSCORE", KEYS[1], id) then
		redis.call("ZADD", KEYS[1], "XX", till, id)
	else
		table.insert(lost, id)
	end
end
return lost
