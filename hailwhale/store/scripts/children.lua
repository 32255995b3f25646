-- Labels become known below a path, put in front of every script that makes some known.
--
-- know(keys, first, sets)
--   sets   list of {most labels the set may hold or 0, label, label, …}; that of the first is
--          keys[first], and so on
-- returns nil when all are known now; or, nothing changed, {'overflow', number of a set, label,
--         number, label, …}: those that do not fit

local OTHER = '_other'
local SLICE = 1000  -- Lua can unpack only some thousand values at once

local function refuse(key, set, number, refused)
  local size = redis.call('SCARD', key)
  if size + #set - 1 <= set[1] then return end
  for j = 2, #set do
    if set[j] ~= OTHER and redis.call('SISMEMBER', key, set[j]) == 0 then
      size = size + 1
      if size > set[1] then
        refused[#refused + 1] = number
        refused[#refused + 1] = set[j]
      end
    end
  end
end

local function know(keys, first, sets)
  local refused = {'overflow'}
  for i, set in ipairs(sets) do
    if set[1] > 0 then refuse(keys[first + i - 1], set, i, refused) end
  end
  if #refused > 1 then return refused end
  for i, set in ipairs(sets) do
    for j = 2, #set, SLICE do
      redis.call('SADD', keys[first + i - 1], unpack(set, j, math.min(j + SLICE - 1, #set)))
    end
  end
end
