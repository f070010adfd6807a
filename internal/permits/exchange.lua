-- Tells Redis what became of a worker's permits and takes new ones, in one step.
-- find.lua stands before this file.
--
-- KEYS[1] held: sorted set of every permit, by the time at which it is over, in microseconds of Redis' clock
-- KEYS[2] others: those of them that count against what queues other than critical may use;
--         kept only while something is reserved
-- KEYS[3] waiting: hash of the workers that wait: "until when that is believed:critical:other"
-- KEYS[4] workers: sorted set of the workers by when they were last heard
-- KEYS[5] state: hash
-- ARGV[1] the worker
-- ARGV[2] news: "" none, "away": the worker had lost Redis and its own limiter stood in, "lost": Redis had
--         forgotten the script, so what was written last may be lost, "leave": the worker ends
-- ARGV[3] 1: the worker is to be counted, and what is over is to be swept up; a few times a second is enough
-- ARGV[4] limit of permits at a time, 0: it is found out
-- ARGV[5] per cent of the limit that only queue critical may use
-- ARGV[6] the window; [7] for how long a permit may be taken without news of it; [8] for how long these ones are;
--         [9] how far ahead permits are given; [10] for how long a permit is left to workers that have less
--         than their share; in microseconds
-- ARGV[11] how many permits the worker has, ARGV[12] how many workers it knows of, ARGV[13] the epoch that it knows of, or 0
-- ARGV[14] permits wanted for queue critical, ARGV[15] for others, ARGV[16] the number of the first
-- ARGV[17...] permits of the worker: number, microseconds until it is over, 1 if it counts
--         against others, 1 accepted or 2 refused, when it began
--
-- Returns
--   { now, limit, permits taken or -1, workers, waiting critical, waiting others, epoch,
--     microseconds until asking again is worth it, other workers that wait,
--     { microseconds until each permit of queue critical begins }, { ... of the others } }

local held, others, waiting, workers, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local me, news, count = ARGV[1], ARGV[2], ARGV[3] == "1"
local limit, reserve = tonumber(ARGV[4]), tonumber(ARGV[5])
local window, life, lease = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local ahead, yield = tonumber(ARGV[9]), tonumber(ARGV[10])
local mine, known, been = tonumber(ARGV[11]), tonumber(ARGV[12]), ARGV[13] ~= "0"
local want_critical, want_other, number = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local first_told = 17

local second = 1000000
local gather = 3 * second -- how long the fleet waits for workers that come back
local fresh = 2 * second -- how long a worker that waits is believed to wait
local alive = 15 * second -- how long a worker is known after it was heard
local minute, month = 60, 30 * 24 * 3600
local sweep = 5000 -- how much of what is over goes at a time

-- Where memory is full, Redis refuses what may need more as the first write of a script; this needs none.
redis.call("DEL", KEYS[1] .. ":room")
local time = redis.call("TIME")
local now = time[1] * second + time[2]

-- int writes a time so that no digit is lost.
local function int(n)
	return string.format("%.0f", n)
end

local fleet = known
if news == "leave" then
	redis.call("ZREM", workers, me)
elseif count then
	redis.call("ZADD", workers, int(now), me)
	redis.call("ZREMRANGEBYSCORE", workers, "-inf", int(now - alive))
	redis.call("EXPIRE", workers, minute)
	redis.call("EXPIRE", state, month)
	fleet = redis.call("ZCARD", workers)
end

-- After a gap the fleet gathers. Those who were away made calls on their own, each
-- within its share: until all are back nobody gets more than that. If Redis may
-- have lost permits, nobody gets any until all have told theirs again.
local gathering = redis.call("HMGET", state, "epoch", "closed", "settle", "fleet")
local epoch, closed, settle = gathering[1], tonumber(gathering[2] or 0), tonumber(gathering[3] or 0)
local just = epoch and now - epoch < second -- several workers notice the same at once
local forgot = (been and not epoch) or (news == "lost" and epoch and not just)
if forgot or news == "away" then
	local before = settle > now and tonumber(gathering[4] or 0) or 0
	settle = now + gather
	gathering[4] = math.max(1, fleet, known, before)
	redis.call("HSET", state, "settle", int(settle), "fleet", gathering[4])
	if forgot then
		epoch, closed = nil, settle
		redis.call("HSET", state, "closed", int(closed))
	end
end
if not epoch then
	epoch = int(now)
	redis.call("HSET", state, "epoch", epoch)
end

-- put adds permits with the times at which they are over. A command takes some
-- thousand arguments only; a request tells and takes fewer than that.
local function put(set, permits)
	if #permits > 0 then
		redis.call("ZADD", set, unpack(permits))
	end
end

-- What became of permits.
local over, accepted, refused = {}, {}, {}
local told = { {}, {} }
for i = first_told, #ARGV, 5 do
	local permit, left = me .. ":" .. ARGV[i], tonumber(ARGV[i + 1])
	if left > 0 then
		local till = int(now + left)
		table.insert(told[1], till)
		table.insert(told[1], permit)
		if ARGV[i + 2] == "1" then
			table.insert(told[2], till)
			table.insert(told[2], permit)
		end
	else
		table.insert(over, permit)
	end
	if ARGV[i + 3] == "1" then
		table.insert(accepted, tonumber(ARGV[i + 4]))
	elseif ARGV[i + 3] == "2" then
		table.insert(refused, tonumber(ARGV[i + 4]))
	end
end
if #over > 0 then
	redis.call("ZREM", held, unpack(over))
	redis.call("ZREM", others, unpack(over))
end
put(held, told[1])
if reserve > 0 then
	put(others, told[2])
end

local taken = -1
if count then
	for _, set in ipairs({ held, others }) do
		local gone = redis.call("ZCOUNT", set, "-inf", int(now - yield))
		if gone > 0 then
			redis.call("ZREMRANGEBYRANK", set, 0, math.min(gone, sweep) - 1)
		end
		-- What was given up may be told as held for longer than life.
		redis.call("PEXPIRE", set, math.ceil((2 * life + minute * second) / 1000))
	end
	taken = redis.call("ZCOUNT", held, "(" .. int(now), "+inf")
end

local finding = limit == 0
if finding then
	limit = find(state, now, window, accepted, refused)
end
local for_others = math.max(1, math.floor(limit * (100 - reserve) / 100))

-- Who else waits.
local critical_elsewhere, others_elsewhere, rivals, waited = 0, 0, 0, false
local entries = redis.call("HGETALL", waiting)
for i = 1, #entries, 2 do
	local till, critical, other = string.match(entries[i + 1], "^(%d+):(%d+):(%d+)$")
	if entries[i] == me then
		waited = true
	elseif tonumber(till) < now then
		redis.call("HDEL", waiting, entries[i])
	else
		critical_elsewhere = critical_elsewhere + critical
		others_elsewhere = others_elsewhere + other
		rivals = rivals + 1
	end
end

-- ends returns a function that tells how long until the n-th permit, counted from 0, may begin
-- so that never more than most of the set overlap: until all but the last most - 1 - n of
-- the set are over. Negative: it could have begun so long ago.
local function ends(set, most, want)
	local low, high = math.max(0, most - 1 - want), most - 1
	if high < 0 then
		return function()
			return life
		end
	end
	local range = redis.call("ZREVRANGE", set, low, high, "WITHSCORES")
	return function(n)
		local rank = high - n
		if rank < 0 then
			return life
		end
		local score = range[2 * (rank - low) + 2]
		return score and score - now or -life
	end
end

-- A worker with more than its share leaves a permit to the others for a
-- moment: otherwise the one with the shortest way to Redis gets them all.
local horizon, delay = ahead, -ahead
local elsewhere = critical_elsewhere + others_elsewhere
if elsewhere > 0 then
	local want = want_critical + want_other
	local share = math.ceil(limit * want / (want + elsewhere))
	if mine > share + math.floor(share / 8) + 1 then
		horizon, delay = -yield, yield
	end
end
local most = limit
if settle > now then
	most = math.floor(limit / math.max(fleet, tonumber(gathering[4] or 1))) - mine
end
if closed > now then
	most = 0
end

local again = 0
local function later(wait)
	if again == 0 or wait < again then
		again = math.max(1, wait)
	end
end

local new = { {}, {} }

-- take gives up to want permits, and tells how long until the next.
local function take(want, within, wait, of_others, room)
	local given = {}
	if want == 0 then
		return given
	end
	local total = ends(held, room, want)
	local bounded = of_others and reserve > 0 and ends(others, for_others, want)
	while #given < want do
		local begin = total(#given)
		if bounded then
			begin = math.max(begin, bounded(#given))
		end
		if most < 1 then
			later(math.min(math.max(closed, settle) - now, second / 4))
			break
		end
		if begin > within then
			later(begin + wait)
			break
		end
		begin = math.max(0, begin)
		local permit, till = me .. ":" .. int(number), int(now + begin + lease)
		table.insert(new[1], till)
		table.insert(new[1], permit)
		if of_others then
			table.insert(new[2], till)
			table.insert(new[2], permit)
		end
		table.insert(given, begin)
		number, most = number + 1, most - 1
	end
	return given
end

-- Critical first: also what waits in other workers comes before others here.
local critical = take(want_critical, ahead, -ahead, false, limit)
local other = take(want_other, horizon, delay, true, limit - critical_elsewhere - #critical)
put(held, new[1])
if reserve > 0 then
	put(others, new[2])
end

local unserved_critical, unserved_other = want_critical - #critical, want_other - #other
if unserved_critical + unserved_other > 0 and news ~= "leave" then
	redis.call("HSET", waiting, me, int(now + fresh) .. ":" .. unserved_critical .. ":" .. unserved_other)
	redis.call("EXPIRE", waiting, minute)
elseif waited then
	redis.call("HDEL", waiting, me)
end
if finding and unserved_critical + unserved_other > 0 then
	used_up(state, now + window)
end

return {
	int(now), limit, taken, fleet,
	critical_elsewhere + unserved_critical, others_elsewhere + unserved_other, epoch,
	again, rivals, critical, other,
}
