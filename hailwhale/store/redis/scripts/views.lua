-- Functions for views. Prepended to every script that builds or updates views.
--
-- A view has three consecutive keys:
--   ordinals   hash: label -> its row, from 0; '\31#' -> the number of rows; '\31token' -> the token
--              of this view; '\31ready' -> that token, once the view is built; '\31rough' -> 1 if an
--              amount does not fit and the view is unusable; '\31asked' -> when its expiry was last
--              postponed, epoch seconds
--   names      the labels in the order of their rows, each followed by a newline
--   units      64-bit integers: `width` per row, one for each bucket of the chunk; amounts times 10^4
--
-- view_units(text)                        return an amount as such an integer; nil if it does not fit
-- view_rows(keys, first, labels)          return the rows of labels; add new ones
-- view_write(keys, first, how, ops)       ops: {index, units, …}; how: 'INCRBY' or 'SET'
-- update_views(keys, updates, chunk)      add the rows that are being applied to the views of a shard
--   updates   list of {first key, width, metric, {row, …}, {chunk of its frame, …}, {label, …}}
--   chunk     result of apply_rows
-- views_changed(key, generation)          say whether views were built since `generation` was read

local DIGITS, DECIMALS, SCALE = 11, 4, 10000  -- 15 digits in all: doubles are exact
local OPS = 1000  -- Lua can unpack only some thousand values at once

local function view_units(text)
  local dot = string.find(text, '.', 1, true) or #text + 1
  local digits = string.sub(text, 1, 1) == '-' and dot - 2 or dot - 1
  if digits > DIGITS or #text - dot > DECIMALS then return nil end
  return string.format('%.0f', tonumber(text) * SCALE)
end

local function view_rows(keys, first, labels)
  local rows, new, row_of = {}, {}, {}
  for from = 1, #labels, OPS do
    local to = math.min(from + OPS - 1, #labels)
    local known = redis.call('HMGET', keys[first], unpack(labels, from, to))
    for i = from, to do
      local label = labels[i]
      local row = known[i - from + 1]
      rows[i] = row and tonumber(row)
      if not rows[i] and not row_of[label] then
        new[#new + 1] = label
        row_of[label] = #new
      end
    end
  end
  if #new > 0 then  -- all at once: a call for each takes longer than reading its cells
    local before = redis.call('HINCRBY', keys[first], '\31#', #new) - #new
    for from = 1, #new, OPS do
      local args = {}
      for i = from, math.min(from + OPS - 1, #new) do
        row_of[new[i]] = before + i - 1
        args[#args + 1], args[#args + 2] = new[i], before + i - 1
      end
      redis.call('HSET', keys[first], unpack(args))
    end
    redis.call('APPEND', keys[first + 1], table.concat(new, '\n') .. '\n')
  end
  for i = 1, #labels do rows[i] = rows[i] or row_of[labels[i]] end
  return rows
end

local function view_write(keys, first, how, ops)
  for from = 1, #ops, 2 * OPS do
    local args = {}
    for i = from, math.min(from + 2 * OPS - 1, #ops), 2 do
      local at = #args
      args[at + 1], args[at + 2], args[at + 3], args[at + 4] = how, 'i64', '#' .. ops[i], ops[i + 1]
    end
    local done = redis.call('BITFIELD', keys[first + 2], 'OVERFLOW', 'FAIL', unpack(args))
    for i = 1, #done do
      if not done[i] then redis.call('HSET', keys[first], '\31rough', 1) end
    end
  end
end

local function update_view(keys, first, width, metric, rows, labels, chunk)
  local places, ops = view_rows(keys, first, labels), {}
  for i, row in ipairs(rows.numbers) do
    row = chunk.rows[row]
    local names = chunk.metrics[row[2]]
    for m = 1, #names do
      if names[m] == metric then
        for at, moment in ipairs(chunk.shapes[row[3]]) do
          local units = view_units(row[3 + (at - 1) * #names + m])
          if not units then redis.call('HSET', keys[first], '\31rough', 1) end
          ops[#ops + 1] = string.format('%.0f', places[i] * width + moment[rows.chunks[i]])
          ops[#ops + 1] = units or '0'
        end
      end
    end
  end
  if #ops > 0 then view_write(keys, first, 'INCRBY', ops) end
end

local function update_views(keys, updates, chunk)
  for _, update in ipairs(updates) do
    local first, width, metric, numbers, chunks, labels = unpack(update)
    if redis.call('EXISTS', keys[first]) == 1 then  -- otherwise it has expired
      update_view(keys, first, width, metric, {numbers = numbers, chunks = chunks}, labels, chunk)
    end
  end
end

local function views_changed(key, generation)
  return (redis.call('HGET', key, '\31generation') or '') ~= generation
end
