-- Assign options to a visitor: the previous ones that are still offered, then new ones.
--
-- KEYS[1] hash of this term: visitor -> JSON [[option, propensity], …]   KEYS[2] that of the last
-- ARGV[1] visitor   ARGV[2] JSON of the options for a new visitor, each option once
-- ARGV[3] JSON list of all options offered   ARGV[4] seconds until a term's hash expires
-- returns JSON of the options assigned now, as many as ARGV[2] has
--
-- Assignments of the last term are copied to this one when their visitor returns. So a hash can
-- expire as a whole, and visitors that return within a term keep their options.

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
