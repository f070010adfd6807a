-- Forgets those of asynq's servers, or of what they are at, that have not shown a sign of life in time, as its Inspector does.
--
-- KEYS[1] the set of them, by the second until which they live
return redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", redis.call("TIME")[1] - 1)
