-- Stops a queue, lets it go on, marks it as held, and takes the mark away, so that none
-- undoes what another did: a pause by hand has no end, the mark in its place is ours and has one.
--
-- KEYS[1] asynq's pause, [2] the hold, [3] the number of the last "hold" or "release"
-- ARGV[1] what is asked: "pause", "resume", "hold" or "release"
-- ARGV[2] what a pause by hand holds, ARGV[3] what our mark holds
-- ARGV[4] the hold, ARGV[5] for how many milliseconds
-- ARGV[6] the number of a "hold" or "release": one that is lower than the last comes late, and does nothing;
-- [7] for how many milliseconds that is remembered
--
-- Returns { 1 if the queue was paused by hand before, milliseconds that the hold still lasts, -2 if there is none, the hold }
-- Where memory is full, Redis refuses what may need more as the first write of a script; this needs none.
redis.call("DEL", KEYS[1] .. ":room")
local paused = redis.call("GET", KEYS[1])
local by_hand = paused and paused ~= ARGV[3]
local before = by_hand and 1 or 0

local what = ARGV[1]
if what == "hold" or what == "release" then
	if tonumber(ARGV[6]) < (tonumber(redis.call("GET", KEYS[3])) or 0) then
		what = "late"
	else
		redis.call("SET", KEYS[3], ARGV[6], "PX", ARGV[7])
	end
end

-- mark shows a hold to asynq, unless the queue is paused by hand.
local function mark(ms)
	if not by_hand and ms > 0 then
		redis.call("SET", KEYS[1], ARGV[3], "PX", ms)
	end
end

if what == "hold" then
	redis.call("SET", KEYS[2], ARGV[4], "PX", ARGV[5])
	mark(tonumber(ARGV[5]))
elseif what == "release" then
	redis.call("DEL", KEYS[2])
	if paused and not by_hand then
		redis.call("DEL", KEYS[1])
	end
elseif what == "pause" then
	if not by_hand then
		redis.call("SET", KEYS[1], ARGV[2])
	end
elseif what == "resume" then
	if by_hand then
		redis.call("DEL", KEYS[1])
		by_hand = false
		mark(redis.call("PTTL", KEYS[2]))
	end
end
return { before, redis.call("PTTL", KEYS[2]), redis.call("GET", KEYS[2]) or "" }
