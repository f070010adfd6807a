-- Returns what the hashes KEYS[1..] hold, false for one that is no task, in their order: until they have
-- ARGV[1] bytes, one at least. ARGV[2..] are the ids.
local found, bytes = {}, 0
for i, key in ipairs(KEYS) do
	local there = record(key, ARGV[i + 1]) or false
	found[i] = there
	if there then
		bytes = bytes + #there[1] + #(there[3] or "")
	end
	if bytes >= tonumber(ARGV[1]) then
		break
	end
end
return found
