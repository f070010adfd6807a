-- Tries every command that layerq and asynq run on keys, on some that nothing
-- else uses and that are gone when this ends.
--
-- KEYS[1] a hash, [2] a list, [3] a sorted set, [4] a set, [5] a string
--
-- Returns a line for each refusal: the command, a space, and what Redis says.
local hash, list, zset, set, text = unpack(KEYS)
local refusals = {}
for _, try in ipairs({
	{ "HSET", hash, "f", "1" }, { "HSETNX", hash, "f", "1" }, { "HSCAN", hash, "0" }, { "HLEN", hash }, { "HGET", hash, "f" }, { "HMGET", hash, "f" }, { "HGETALL", hash }, { "HVALS", hash },
	{ "HEXISTS", hash, "f" }, { "HINCRBY", hash, "f", "1" }, { "HDEL", hash, "f" },
	{ "LPUSH", list, "x" }, { "RPUSH", list, "x" }, { "LLEN", list }, { "LINDEX", list, "0" }, { "LRANGE", list, "0", "-1" },
	{ "LREM", list, "1", "x" }, { "RPOPLPUSH", list, list }, { "LPOS", list, "x" }, { "LPOP", list }, { "RPOP", list },
	{ "ZADD", zset, "1", "x" }, { "ZCARD", zset }, { "ZCOUNT", zset, "-inf", "+inf" }, { "ZSCORE", zset, "x" }, { "ZRANGE", zset, "0", "-1" },
	{ "ZRANGEBYSCORE", zset, "-inf", "+inf" }, { "ZREVRANGE", zset, "0", "-1" }, { "ZREM", zset, "x" }, { "ZPOPMIN", zset },
	{ "ZUNIONSTORE", zset, "1", zset }, { "ZREMRANGEBYRANK", zset, "0", "-1" }, { "ZREMRANGEBYSCORE", zset, "-inf", "+inf" },
	{ "SADD", set, "x" }, { "SISMEMBER", set, "x" }, { "SMEMBERS", set }, { "SREM", set, "x" },
	{ "SET", text, "1" }, { "SETEX", text, "9", "1" }, { "GET", text }, { "INCR", text }, { "EXPIRE", text, "9" }, { "PEXPIRE", text, "9999" },
	{ "EXPIREAT", text, "4102444800" }, { "TTL", text }, { "PTTL", text }, { "EXISTS", text }, { "DEL", text },
	{ "SET", text, "1", "PX", "9999" }, { "TIME" },
}) do
	local answer = redis.pcall(unpack(try))
	if type(answer) == "table" and answer.err then
		refusals[#refusals + 1] = try[1] .. " " .. answer.err
	end
end
redis.pcall("DEL", hash, list, zset, set, text)
return refusals
