-- Apply rows of increments to cells, put in front of every script that does.
--
-- apply_rows(keys, first, text)    returns them decoded: {metrics = …, moments = …, rows = …}
--   keys   the script's KEYS; those of the rows begin at `first`, in order
--   text   JSON: [frames, metrics, moments, rows]
--     frames   lists of seconds to live, one for each chunk of the frame; 0 is for ever
--     metrics  lists of names
--     moments  lists of indices of buckets, one for each chunk of a frame
--     rows     [frame, metrics, moment, amount, …, moment, amount, …], all by number; the amounts
--              are one a metric, and are added in each bucket of their moment
--   A row has a key, a hash of cells, for each chunk of its frame.
--
-- A chunk gets its expiry when its first cells are written and keeps it. A call of the engine costs
-- more than all that is done here, so there are two for a hash, and fields are made once for all
-- rows of one moment.

local AT_ONCE = 1000  -- fields: Lua can unpack only some thousand values
local call = redis.call

-- amounts[i + shift] is added in fields[i].
local function add_slice(key, fields, amounts, shift, from, to)
  local cells, changes, fresh = call('HMGET', key, unpack(fields, from, to)), {}, true
  local at = 0
  for i = from, to do
    local cell = cells[i - from + 1]
    changes[at + 1] = fields[i]
    if cell then
      fresh = false
      changes[at + 2] = add(cell, amounts[i + shift])
    else
      changes[at + 2] = amounts[i + shift]
    end
    at = at + 2
  end
  call('HSET', key, unpack(changes))
  return fresh
end

local function add_to_hash(key, fields, amounts, shift, ttl)
  local fresh, count = false, #fields
  for from = 1, count, AT_ONCE do
    local to = math.min(from + AT_ONCE - 1, count)
    fresh = add_slice(key, fields, amounts, shift, from, to) or fresh
  end
  if fresh and ttl > 0 then call('EXPIRE', key, ttl, 'NX') end
end

local function fields_of(index, names)
  local fields = {}
  for i, name in ipairs(names) do fields[i] = index .. ':' .. name end
  return fields
end

-- The fields and amounts of a row of several moments: those of one bucket are summed up first.
local function merged(row, names, moments, chunk)
  local fields, amounts, known = {}, {}, {}
  for at = 3, #row, #names + 1 do
    local index = moments[row[at]][chunk]
    local before = known[index]
    if before then
      for i = 1, #names do amounts[before + i] = add(amounts[before + i], row[at + i]) end
    else
      known[index] = #fields
      for i, field in ipairs(fields_of(index, names)) do
        fields[#fields + 1] = field
        amounts[#amounts + 1] = row[at + i]
      end
    end
  end
  return fields, amounts
end

local function apply_rows(keys, first, text)
  local frames, metrics, moments, rows = unpack(cjson.decode(text))
  local known = {}  -- fields by metrics, moment and chunk
  for m = 1, #metrics do
    known[m] = {}
    for at = 1, #moments do known[m][at] = {} end
  end
  local key = first
  for _, row in ipairs(rows) do
    local ttls, names, moment = frames[row[1]], metrics[row[2]], row[3]
    local alone = #row == 3 + #names
    for chunk = 1, #ttls do
      if alone then
        local fields = known[row[2]][moment][chunk]
        if not fields then
          fields = fields_of(moments[moment][chunk], names)
          known[row[2]][moment][chunk] = fields
        end
        add_to_hash(keys[key], fields, row, 3, ttls[chunk])
      else
        local fields, amounts = merged(row, names, moments, chunk)
        add_to_hash(keys[key], fields, amounts, 0, ttls[chunk])
      end
      key = key + 1
    end
  end
  return {metrics = metrics, moments = moments, rows = rows}
end
