-- Changes one field of a task that is there: a write to one that was deleted
-- meanwhile would leave a hash behind that nobody ever removes.
--
-- KEYS[1] the task's hash
-- ARGV[1] the field
-- ARGV[2] its new value; empty to add 1 to it
--
-- Returns the field's new number, 0 for a value, or -1 if the task is gone.
if redis.call("HEXISTS", KEYS[1], "msg") == 0 then
	return -1
end
if ARGV[2] == "" then
	return redis.call("HINCRBY", KEYS[1], ARGV[1], 1)
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return 0
