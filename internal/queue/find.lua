-- Returns what the first of the hashes KEYS[1..] that is a task holds, or nil. ARGV[1] is the id.
for _, key in ipairs(KEYS) do
	local there = record(key, ARGV[1])
	if there then
		return there
	end
end
return false
