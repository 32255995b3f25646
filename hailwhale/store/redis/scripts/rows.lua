-- Functions that add rows of increments to cells. Prepended to every script that uses them.
--
-- apply_rows(keys, first, text)    returns the decoded text: {metrics = …, shapes = …, rows = …}
--   keys   the script's KEYS; those of the rows begin at `first`, in order
--   text   JSON: [frames, metrics, shapes, rows]
--     frames   lists of seconds to live, one for each chunk of the frame; 0 is for ever
--     metrics  lists of names
--     shapes   lists of moments; a moment is a list of bucket indices, one for each chunk
--     rows     [frame, metrics, shape, amount, …]. The first three are indices of the lists above.
--              The amounts are one per metric for each moment of the shape. An amount is added to
--              every bucket of its moment.
--   A row has one key, a hash of cells, for each chunk of its frame.
--
-- The expiry of a hash is set when its first cells are written. Commands and string building take
-- most of the time here. So there are two commands for each hash, their arguments are built once for
-- all rows of a shape, and the sums of moments that share a bucket are computed once for all chunks
-- with the same pattern.

local AT_ONCE = 1000  -- fields: unpack() is limited to a few thousand values
local HEAD = 3  -- values of a row before its amounts
local call = redis.call

-- Prepare the commands for the rows of one shape in one chunk. `slices` holds the arguments of HMGET
-- and HSET, without key and amounts. `groups` lists the moments that are added to each bucket;
-- `pattern` is the same as text. Both are absent if each moment has its own bucket.
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

-- Sum a row's amounts by groups of moments; sums start at the same index as the amounts of a row.
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
