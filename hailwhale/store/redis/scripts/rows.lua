-- Apply rows of increments to cells, put in front of every script that does.
--
-- apply_rows(keys, first, text)    returns them decoded: {metrics = …, shapes = …, rows = …}
--   keys   the script's KEYS; those of the rows begin at `first`, in order
--   text   JSON: [frames, metrics, shapes, rows]
--     frames   lists of seconds to live, one for each chunk of the frame; 0 is for ever
--     metrics  lists of names
--     shapes   lists of moments; a moment is a list of indices of buckets, one for each chunk
--     rows     [frame, metrics, shape, amount, …], the first three by number; the amounts are one a
--              metric for each moment of the shape, and are added in each bucket of their moment
--   A row has a key, a hash of cells, for each chunk of its frame.
--
-- A chunk gets its expiry when its first cells are written and keeps it. Calls of the engine and
-- texts cost the most here: there are two calls for a hash, their words are made once for all rows
-- of one shape, and moments that share a bucket are summed up once for all chunks where they do.

local AT_ONCE = 1000  -- fields: Lua can unpack only some thousand values
local HEAD = 3  -- of a row, before its amounts
local call = redis.call

-- How the rows of one shape lie in one of their chunks: `slices` are the words of the two calls, in
-- which key and amounts are to be filled in; `groups` says which moments are summed up into each
-- bucket, `pattern` the same as text, and neither is there where each has a bucket of its own.
local function layout_of(shape, names, chunk)
  local places, groups, slices = {}, {}, {}
  local shared, slice = false, nil
  for number, moment in ipairs(shape) do
    local index = moment[chunk]
    local group = places[index]
    if group then
      group[#group + 1] = number
      shared = true
    else
      places[index] = {number}
      groups[#groups + 1] = places[index]
      for _, name in ipairs(names) do
        if not slice or slice.count == AT_ONCE then
          slice = {count = 0, ask = {'HMGET', ''}, put = {'HSET', ''}}
          slices[#slices + 1] = slice
        end
        slice.count = slice.count + 1
        slice.ask[slice.count + 2] = index .. ':' .. name
        slice.put[2 * slice.count + 1] = index .. ':' .. name
      end
    end
  end
  if not shared then return {slices = slices} end
  local pattern = {}
  for i, group in ipairs(groups) do pattern[i] = table.concat(group, ',') end
  return {slices = slices, groups = groups, pattern = table.concat(pattern, ' ')}
end

-- A row's amounts summed up by groups of moments, at the same places as in a row.
local function summed(row, groups, count)
  local sums = {}
  for g, group in ipairs(groups) do
    for m = 1, count do
      local sum = row[HEAD + (group[1] - 1) * count + m]
      for i = 2, #group do sum = add(sum, row[HEAD + (group[i] - 1) * count + m]) end
      sums[HEAD + (g - 1) * count + m] = sum
    end
  end
  return sums
end

local function add_to_hash(key, slices, amounts, ttl)
  local fresh, at = false, HEAD
  for s = 1, #slices do
    local slice = slices[s]
    local ask, put, count, found = slice.ask, slice.put, slice.count, false
    ask[2], put[2] = key, key
    local cells = call(unpack(ask))
    for i = 1, count do
      local cell = cells[i]
      if cell then
        found = true
        put[2 * i + 2] = add(cell, amounts[at + i])
      else
        put[2 * i + 2] = amounts[at + i]
      end
    end
    call(unpack(put))
    fresh = fresh or not found
    at = at + count
  end
  if fresh and ttl > 0 then call('EXPIRE', key, ttl, 'NX') end
end

local function apply_rows(keys, first, text)
  local frames, metrics, shapes, rows = unpack(cjson.decode(text))
  local known = {}  -- layouts by metrics, shape and chunk
  for m = 1, #metrics do
    known[m] = {}
    for shape = 1, #shapes do known[m][shape] = {} end
  end
  local key = first
  for r = 1, #rows do
    local row = rows[r]
    local ttls, names, layouts, sums = frames[row[1]], metrics[row[2]], known[row[2]][row[3]], nil
    for chunk = 1, #ttls do
      local layout = layouts[chunk]
      if not layout then
        layout = layout_of(shapes[row[3]], names, chunk)
        layouts[chunk] = layout
      end
      local amounts, pattern = row, layout.pattern
      if pattern then
        sums = sums or {}
        amounts = sums[pattern] or summed(row, layout.groups, #names)
        sums[pattern] = amounts
      end
      add_to_hash(keys[key], layout.slices, amounts, ttls[chunk])
      key = key + 1
    end
  end
  return {metrics = metrics, shapes = shapes, rows = rows}
end
