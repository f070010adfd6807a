-- Notes that a delivery waits for its permit, or that it does so no more. A worker that dies meanwhile has made no call.
--
-- KEYS[1] the task's hash
-- ARGV[1] the token of the delivery
-- ARGV[2] "1" if it waits
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then
	return 0
end
redis.call("HDEL", KEYS[1], "waits") -- also where memory is full: see take.lua
if ARGV[2] == "1" then
	redis.call("HSET", KEYS[1], "waits", ARGV[1])
end
return 1
