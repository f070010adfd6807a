-- Finds out a limit that nobody knows, for the whole fleet: in the manner of TCP's
-- CUBIC (RFC 9438), with a refused call in the place of a lost packet. It doubles until
-- it is refused. After the cut it rises fast at first, lingers where it was refused before, goes
-- on from there faster and faster if it is not refused again, and doubles again.
-- Time counts only while the limit is used up.
--
-- Fields of the state: low, the limit after the last cut; top, where it was refused, 0 if it
-- never was; used, for how many windows it was used up since; seen, when that was counted
-- last; busy, until when it is taken to be used up; cut, when the last cut was;
-- ok and no, how many calls begun after it were accepted and refused.

local start = 10 -- the limit to begin with
local double = 5 -- windows in which it doubles before it was ever refused
local keep = 0.93 -- what a cut leaves
local linger = 12 -- windows from a cut to where it was refused
local beyond = 1.1 -- so far above what was refused once, that no longer counts
local most = 1000000

-- used_up marks the limit as used up until a time: somebody waits.
local function used_up(state, till)
	redis.call("HSET", state, "busy", string.format("%.0f", till))
end

-- limit_after returns the limit after so many windows in which it was used up.
local function limit_after(low, top, used)
	if top == 0 then
		return math.min(most, low * 2 ^ (used / double))
	end
	-- The curve reaches top after linger windows, from whatever low is.
	local rise = (used - linger) / linger
	return math.max(1, math.min(most, top + math.max(top - low, 0.25) * rise ^ 3))
end

-- find returns the limit in whole permits.
local function find(state, now, window, accepted, refused)
	local f = redis.call("HMGET", state, "low", "top", "used", "seen", "busy", "cut", "ok", "no")
	local low, top, used = tonumber(f[1] or start), tonumber(f[2] or 0), tonumber(f[3] or 0)
	local seen, busy, cut = tonumber(f[4] or now), tonumber(f[5] or 0), tonumber(f[6] or 0)
	local ok, no = tonumber(f[7] or 0), tonumber(f[8] or 0)

	local counted = math.min(now, busy)
	if counted > seen then
		used = used + (counted - seen) / window
	end
	local limit = limit_after(low, top, used)

	-- Calls that began less than a window after the last cut belong to the burst that it
	-- answered: the server still counts what came before it.
	for _, began in ipairs(accepted) do
		if began >= cut + window then
			ok = ok + 1
		end
	end
	for _, began in ipairs(refused) do
		if began >= cut + window then
			no = no + 1
		end
	end
	if no > 0 and now - cut >= 2 * window then
		-- One refused among very many: just too high. Else what was accepted says by how much.
		top = math.max(1, limit * math.max(ok, no / 3) / (ok + no))
		low, used, cut, ok, no = math.max(1, top * keep), 0, now, 0, 0
		limit = limit_after(low, top, used)
	elseif top > 0 and limit > top * beyond then
		low, top, used = limit, 0, 0 -- the limit has moved up: search as in the beginning
	end
	redis.call("HSET", state, "low", low, "top", top, "used", used, "seen", string.format("%.0f", now),
		"cut", string.format("%.0f", cut), "ok", ok, "no", no)
	return math.floor(limit)
end

