-- Apply rows of increments to cells, put in front of every script that does.
--
-- apply_rows(keys, first, rows)
--   keys   the script's KEYS; row i belongs to keys[first + i - 1], a hash of cells
--   rows   decoded JSON, a list of {ttl in seconds or 0 for never, field, amount, field, amount, …}
--
-- A chunk gets its expiry when its first cells are written and keeps it.

local function apply_rows(keys, first, rows)
  for i, row in ipairs(rows) do
    local key, fields = keys[first + i - 1], {}
    for j = 2, #row, 2 do fields[#fields + 1] = row[j] end
    local cells, changes, fresh = redis.call('HMGET', key, unpack(fields)), {}, true
    for j, field in ipairs(fields) do
      if cells[j] then fresh = false end
      changes[2 * j - 1] = field
      changes[2 * j] = add(cells[j], row[2 * j + 1])
    end
    redis.call('HSET', key, unpack(changes))
    if fresh and row[1] > 0 then redis.call('EXPIRE', key, row[1], 'NX') end
  end
end
