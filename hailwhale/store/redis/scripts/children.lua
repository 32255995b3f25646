-- Labels become known below a path, put in front of every script that makes some known.
--
-- know(keys, first, sets, room, stats)
--   sets   list of {most labels the set may hold or 0, label, label, …}; that of the first is
--          keys[first], and so on. One without a most takes all.
--   room   how many labels, and so series, the store has room for; or -1: for as many as come
--   stats  the shard's, which have the number of its series
-- returns nil when all are known now; or, nothing changed, {'overflow', number of a set, label,
--         number, label, …}: those that do not fit

local OTHER = '_other'
local SLICE = 1000  -- Lua can unpack only some thousand values at once

-- What does not fit of one set; returns the room that is left after it.
local function refuse(key, set, number, room, refused)
  local size = redis.call('SCARD', key)
  if room < 0 and size + #set - 1 <= set[1] then return room end
  for j = 2, #set do
    if set[j] ~= OTHER and redis.call('SISMEMBER', key, set[j]) == 0 then
      if size >= set[1] or room == 0 then
        refused[#refused + 1] = number
        refused[#refused + 1] = set[j]
      else
        size = size + 1
        room = room - 1
      end
    end
  end
  return room
end

local function know(keys, first, sets, room, stats)
  local refused, left = {'overflow'}, room
  for i, set in ipairs(sets) do
    if set[1] > 0 then left = refuse(keys[first + i - 1], set, i, left, refused) end
  end
  if #refused > 1 then return refused end
  local new = 0
  for i, set in ipairs(sets) do
    for j = 2, #set, SLICE do
      new = new + redis.call('SADD', keys[first + i - 1], unpack(set, j, math.min(j + SLICE - 1, #set)))
    end
  end
  if new > 0 then redis.call('HINCRBY', stats, 'series', new) end
end
