-- Build a view in several calls, a slice of its children in each. Sums that are applied meanwhile
-- are added to it, too.
--
-- KEYS[1] views   KEYS[2..4] the view's keys (see views.lua)   KEYS[5..] the children's hashes of cells
-- ARGV[1] its name   ARGV[2] metric   ARGV[3] width   ARGV[4] now, epoch seconds
-- ARGV[5] seconds until it expires   ARGV[6] begin, fill or end   ARGV[7] to begin, a unique new
-- token; otherwise the token that begin returned   ARGV[8..] to fill, labels of the children
-- returns the token of the view that is being built; 0 if it was deleted meanwhile

local name, metric, width, now, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function begin()
  local known = redis.call('HGETALL', KEYS[1])
  for i = 1, #known, 2 do  -- remove expired views
    if known[i] ~= '\31generation' and tonumber(known[i + 1]) < now then
      redis.call('HDEL', KEYS[1], known[i])
    end
  end
  redis.call('HSET', KEYS[1], name, now + ttl)
  redis.call('HSET', KEYS[1], '\31generation', ARGV[7])
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('HSET', KEYS[2], '\31#', 0, '\31asked', ARGV[4], '\31token', ARGV[7])
    redis.call('SET', KEYS[3], '')
    redis.call('SET', KEYS[4], '')
  end
  for i = 2, 4 do redis.call('EXPIRE', KEYS[i], ttl) end
end

local function fill()
  local labels, bucket_of, ops = {}, {}, {}
  for i = 8, #ARGV do labels[#labels + 1] = ARGV[i] end
  for index = 0, width - 1 do bucket_of[index .. ':' .. metric] = index end
  local rows = view_rows(KEYS, 2, labels)
  for i = 1, #labels do
    local cells = redis.call('HGETALL', KEYS[4 + i])  -- faster than HMGET of the fields
    for at = 1, #cells, 2 do
      local index = bucket_of[cells[at]]
      if index then
        local units = view_units(cells[at + 1])
        if not units then redis.call('HSET', KEYS[2], '\31rough', 1) end
        ops[#ops + 1] = string.format('%.0f', rows[i] * width + index)
        ops[#ops + 1] = units or '0'
      end
    end
  end
  if #ops > 0 then view_write(KEYS, 2, 'SET', ops) end
end

if ARGV[6] == 'begin' then
  begin()
elseif redis.call('HGET', KEYS[2], '\31token') ~= ARGV[7] then
  return 0
elseif ARGV[6] == 'fill' then
  fill()
else
  redis.call('HSET', KEYS[2], '\31ready', ARGV[7])
end
return redis.call('HGET', KEYS[2], '\31token')
