-- Give a visitor the options it was given before, as far as they are still offered.
--
-- KEYS[1] hash of this term: visitor -> JSON [[option, propensity], …]   KEYS[2] that of the last
-- ARGV[1] visitor   ARGV[2] JSON of what to give where nothing was given before, each option once
-- ARGV[3] JSON list of all options offered   ARGV[4] seconds that a term's hash lives
-- returns JSON of what is given now, as long as ARGV[2]
--
-- What was given in the last term is written down in this one, so a hash may expire as a whole and
-- whoever comes again within a term is remembered.

local offered, given, taken = {}, {}, {}
for _, option in ipairs(cjson.decode(ARGV[3])) do offered[option] = true end
local candidates = cjson.decode(ARGV[2])

local function give(entry)
  local option = entry[1]
  if #given < #candidates and offered[option] and not taken[option] then
    taken[option] = true
    given[#given + 1] = entry
  end
end

local kept = redis.call('HGET', KEYS[1], ARGV[1])
local known = kept or redis.call('HGET', KEYS[2], ARGV[1])
if known then
  for _, entry in ipairs(cjson.decode(known)) do give(entry) end
end
for _, entry in ipairs(candidates) do give(entry) end

local text = cjson.encode(given)
if text ~= kept then
  redis.call('HSET', KEYS[1], ARGV[1], text)
  redis.call('EXPIRE', KEYS[1], ARGV[4], 'NX')
end
return text
