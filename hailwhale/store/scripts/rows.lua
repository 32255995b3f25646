-- Apply rows of increments to cells, put in front of every script that does.
--
-- apply_rows(keys, first, rows)
--   keys   the script's KEYS; row i belongs to keys[first + i - 1], a hash of cells
--   rows   decoded JSON, a list of {ttl in seconds or 0 for never, field, amount, field, amount, …}
--
-- A chunk gets its expiry when its first cells are written and keeps it.

local AT_ONCE = 1000  -- fields: Lua can unpack only some thousand values

local function add_fields(key, row, from, to)
  local fields, changes, fresh = {}, {}, true
  for j = from, to, 2 do fields[#fields + 1] = row[j] end
  local cells = redis.call('HMGET', key, unpack(fields))
  for i, field in ipairs(fields) do
    if cells[i] then fresh = false end
    changes[2 * i - 1] = field
    changes[2 * i] = add(cells[i], row[from + 2 * i - 1])
  end
  redis.call('HSET', key, unpack(changes))
  return fresh
end

local function apply_rows(keys, first, rows)
  for i, row in ipairs(rows) do
    local key, fresh = keys[first + i - 1], false
    for j = 2, #row, 2 * AT_ONCE do
      fresh = add_fields(key, row, j, math.min(j + 2 * AT_ONCE - 1, #row)) or fresh
    end
    if fresh and row[1] > 0 then redis.call('EXPIRE', key, row[1], 'NX') end
  end
end
