-- Functions that add labels to the sets of known children. Prepended to every script that uses them.
--
-- know(keys, first, sets, room, stats)
--   sets   list of {maximum size of the set or 0 for no limit, label, label, …}; the first set is
--          keys[first], the second keys[first + 1] and so on
--   room   how many new labels, which are series, the store has room for; -1 for no limit
--   stats  key of the shard's stats, which hold its number of series
-- returns nil if all labels were added; otherwise nothing is changed, and the labels that do not fit
--         are returned: {'overflow', index of a set, label, index, label, …}

local OTHER = '_other'
local SLICE = 1000  -- Lua can unpack only some thousand values at once

-- Collect the labels of one set that do not fit; return the room that is left.
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
