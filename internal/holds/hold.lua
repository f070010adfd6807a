-- Tells what a worker learned, asks for the probe, and returns how things stand.
--
-- KEYS[1] the hold of the whole fleet, and what is known of failures
-- KEYS[2] the hold of those who have the worker's credentials
-- ARGV[1] what is asked:
--   "tell"   only what follows
--   "probe"  the probe, or more time for it
--   "ok"     the probe was answered: the hold is over
--   "failed" the probe failed: the hold is prolonged
--   "back"   the probe was not made
-- ARGV[2] the worker, ARGV[3] its pass, if it has the probe or asks for it
-- ARGV[4] its credentials, ARGV[5] a random number from 0 to 1
-- ARGV[6] how many milliseconds ago the API answered it last, -1 if it does not say
-- ARGV[7] how many failures the worker takes for an outage, ARGV[8] for how many milliseconds the fleet is then asked
-- ARGV[9] how many milliseconds a probe has, ARGV[10] the channel for news
-- ARGV[11] what it found: a reason to hold, or empty
-- ARGV[12] the code of that, ARGV[13] "1" if it concerns only workers with the same credentials
-- ARGV[14] how long the API asked to wait, 0 if it did not
-- ARGV[15] and [16] the shortest and the longest pause otherwise
-- ARGV[17] how many milliseconds ago the attempt began
-- ARGV[18] the same for a hold because of an outage: the code, ARGV[19] and [20] its pauses
-- ARGV[21] "1" if other calls were answered since the last hold
-- ARGV[22] how many failures the busiest worker takes for one, ARGV[23] how many that with the least to do
-- ARGV[24]... how many milliseconds ago each failure was since the API answered the worker last
--
-- Returns
--   { reason, code, milliseconds left, milliseconds for which somebody else probes,
--     "1" if the pass has the probe, milliseconds to wait for the fleet's word on an outage,
--     the reason of a hold that began by this,
--     milliseconds for which the queues are to be marked as held, -1 if the mark is to be taken away, 0 for neither,
--     the number of that: whoever marks the queues after this may be late, and the higher number counts,
--     how many probes of the hold failed, about }
-- with an empty reason if the worker is not held.

local ask, worker, pass, credentials = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
-- Where memory is full, Redis refuses what may need more as the first write of a script; this needs none.
redis.call("DEL", KEYS[1] .. ":room")
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local memory = 60000 -- for how long a hold that is over makes the next one longer
local forget = 900000 -- for how long anything is remembered that nobody touches
local among = -2 -- the first level of a hold among calls that are answered: a quarter of the shortest pause
local mark_grace = 30000 -- for how long queues stay marked when the time is over and nobody probes

local changed, began, mark, nth = false, "", 0, 0

local function read(key)
	local v = redis.call("HMGET", key, "reason", "code", "until", "level", "wait", "began", "pass", "pass_until",
		"wanted", "ended", "last")
	return {
		key = key, reason = v[1] or "", code = v[2] or "", till = tonumber(v[3]) or 0, level = tonumber(v[4]) or 0,
		wait = tonumber(v[5]) or 0, began = tonumber(v[6]) or 0, pass = v[7] or "", pass_until = tonumber(v[8]) or 0,
		wanted = v[9] == "1", ended = tonumber(v[10]) or 0, last = v[11] or "",
	}
end

local function number(x)
	return string.format("%.0f", x)
end

local function keep(key, till)
	redis.call("PEXPIRE", key, number(math.max(till - now, 0) + forget))
end

local function write(h)
	redis.call("HSET", h.key, "reason", h.reason, "code", h.code, "until", number(h.till), "level", number(h.level),
		"wait", number(h.wait), "began", number(h.began), "pass", h.pass, "pass_until", number(h.pass_until),
		"wanted", h.wanted and "1" or "0", "ended", number(h.ended), "last", h.last)
	keep(h.key, h.till)
	h.dirty = false
end

local fleet, own = read(KEYS[1]), read(KEYS[2])
local more = redis.call("HMGET", KEYS[1], "answered", "failures", "suspicion", "good", "marked", "nth")
local answered, doubt, good, marked = tonumber(more[1]) or 0, tonumber(more[3]) or 0, more[4] or "", tonumber(more[5]) or 0
-- It rises also where the clock went back, and where Redis forgot the last one.
local next_nth = math.max((tonumber(more[6]) or 0) + 1, time[1] * 1000000 + time[2])

-- pause_of is how long a hold lasts: as the API says, which it may say again and again; and longer with each level, a
-- tenth more or less.
local function pause_of(asked, level, least, most)
	if asked > 0 and level <= 0 then
		return asked
	end
	return math.max(asked, math.floor(math.min(most, least * 2 ^ math.min(level, 20)) * (0.9 + 0.2 * tonumber(ARGV[5]))))
end

-- hold begins a hold, or goes on with one whose probe failed.
local function hold(h, reason, code, asked, least, most)
	if h.reason ~= "" then
		h.level = h.level + 1
	else
		local soon = h.last == reason and now - h.ended < math.max(memory, 2 * h.wait)
		h.level = reason == "rate_limit" and ARGV[21] == "1" and among or soon and asked == 0 and h.level + 1 or 0
		h.began, began = now, reason
	end
	h.reason, h.code, h.pass, h.pass_until, h.wanted = reason, code, "", 0, false
	h.wait = pause_of(asked, h.level, least, most)
	h.till = now + h.wait
	h.dirty, h.news, changed = true, true, true
end

local function finish(h)
	h.last, h.ended = h.reason, now
	h.reason, h.code, h.pass, h.pass_until, h.till, h.wanted = "", "", "", 0, 0, false
	h.dirty, changed = true, true
end

-- has says that the pass is the probe of a hold.
local function has(h)
	return h.reason ~= "" and pass ~= "" and h.pass == pass
end

local function give_back(h)
	if has(h) then
		changed = changed or h.wanted
		h.pass, h.pass_until, h.wanted, h.dirty = "", 0, false, true
	end
end

-- found does what a reason to hold asks for.
local function found(h, other)
	local reason, code, asked = ARGV[11], ARGV[12], tonumber(ARGV[14])
	local least, most = tonumber(ARGV[15]), tonumber(ARGV[16])
	if ask == "failed" and reason == "outage" and has(fleet) and fleet.reason == "rate_limit" then
		finish(fleet) -- whatever failed, it was not the limit; and one failure is no outage
		if not has(own) then
			return
		end
	end
	if ask == "failed" and reason == "outage" and not has(fleet) and has(own) then
		h, reason, code = own, own.reason, own.code -- one failure is no outage, and no end of this hold
	elseif ask == "failed" and has(other) then
		-- The API answered the probe, if with a refusal of these credentials.
		if h == own then finish(other) else give_back(other) end
	end
	if h.reason == "" then
		-- What was under way before the last hold ended says nothing new.
		if asked > 0 or now - tonumber(ARGV[17]) >= h.ended then
			hold(h, reason, code, asked, least, most)
		end
	elseif ask == "failed" and has(h) then
		hold(h, reason, code, asked, least, most)
	elseif asked > 0 and now + asked > h.till then
		-- Calls that were under way when the hold began.
		h.till, h.dirty, h.news = now + asked, true, true
	end
	if h == own and h.reason ~= "" and good == credentials then
		good = ""
		redis.call("HDEL", KEYS[1], "good")
	end
end

-- count adds failures to those since the API answered anybody last, and says how
-- long to wait for the fleet's word whether that is an outage.
local function count()
	local times = {}
	for t in string.gmatch(more[2] or "", "%d+") do
		table.insert(times, tonumber(t))
	end
	local before = #times
	for i = 24, #ARGV do
		table.insert(times, now - tonumber(ARGV[i]))
	end
	local since = {}
	for _, t in ipairs(times) do
		if t > answered and t > fleet.ended then
			table.insert(since, t)
		end
	end
	table.sort(since)
	while #since > tonumber(ARGV[22]) do
		table.remove(since, 1)
	end
	local wait = 0
	if answered > doubt then
		doubt = 0
	end
	if #since < tonumber(ARGV[23]) then
		doubt = 0
	elseif doubt == 0 and #since < tonumber(ARGV[7]) then
		wait = 0
	elseif doubt == 0 then
		doubt, changed, wait = now, true, tonumber(ARGV[8])
	elseif now - doubt < tonumber(ARGV[8]) then
		wait = tonumber(ARGV[8]) - (now - doubt)
	else
		hold(fleet, "outage", ARGV[18], 0, tonumber(ARGV[19]), tonumber(ARGV[20]))
		since, doubt = {}, 0
	end
	if before > 0 or #since > 0 or fleet.dirty then
		for i, t in ipairs(since) do
			since[i] = number(t)
		end
		redis.call("HSET", KEYS[1], "failures", table.concat(since, ","), "suspicion", number(doubt))
		keep(KEYS[1], fleet.till)
	end
	return wait
end

local quiet = tonumber(ARGV[6])
if quiet >= 0 and now - quiet > answered then
	answered, good = now - quiet, credentials
	redis.call("HSET", KEYS[1], "answered", number(answered), "good", good)
	keep(KEYS[1], fleet.till)
end

local target, other = fleet, own
if ARGV[13] == "1" then
	target, other = own, fleet
end

local wait = 0
if ask == "ok" then
	for _, h in ipairs({ fleet, own }) do
		if has(h) then
			finish(h)
		end
	end
elseif ARGV[11] ~= "" then
	found(target, other)
elseif fleet.reason == "" then
	wait = count()
end
if ask == "failed" or ask == "back" then
	give_back(fleet)
	give_back(own)
end

-- The probe of all holds, or of none.
local probes = false
if ask == "probe" then
	probes = fleet.reason ~= "" or own.reason ~= ""
	for _, h in ipairs({ fleet, own }) do
		if h.reason ~= "" and h.till > now then
			probes = false
		elseif h.reason ~= "" and h.pass ~= "" and h.pass ~= pass and h.pass_until > now then
			probes, h.wanted, h.dirty = false, true, true
		end
	end
	for _, h in ipairs({ fleet, own }) do
		if probes and h.reason ~= "" then
			h.pass, h.pass_until, h.dirty = pass, now + tonumber(ARGV[9]), true
		end
	end
end

-- What the worker sees: the hold that lasts longer.
local seen = fleet
if own.reason ~= "" and (fleet.reason == "" or own.till > fleet.till) then
	seen = own
end
local probing = 0
for _, h in ipairs({ fleet, own }) do
	if h.reason ~= "" and h.pass ~= "" and h.pass ~= pass and h.pass_until > now then
		probing = math.max(probing, h.pass_until - now)
	end
end

-- The queues are marked by whoever changes something. A hold of refused credentials is not shown while
-- others' are good; who is not held takes away the mark that is left of somebody else's, also if another one was
-- to do so: that may have failed.
local marks = fleet.news or (own.news and (good == "" or good == credentials))
if marks and seen.reason ~= "" then
	mark = seen.till - now + mark_grace
	marked = now + mark
elseif seen.reason == "" and marked > now then
	mark = -1
end
if mark ~= 0 then
	nth = next_nth
	redis.call("HSET", KEYS[1], "marked", number(marked), "nth", number(nth))
	keep(KEYS[1], marked)
end

for _, h in ipairs({ fleet, own }) do
	if h.dirty then
		write(h)
	end
end
if changed then
	redis.pcall("PUBLISH", ARGV[10], worker) -- where the user has not the permission, others learn when they ask
end
return {
	seen.reason, seen.code, seen.reason ~= "" and math.max(seen.till - now, 0) or 0, probing, probes and "1" or "0", wait,
	began, mark, nth, seen.level,
}
