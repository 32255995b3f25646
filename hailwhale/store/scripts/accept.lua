-- Take hits into a shard's buffer, each at most once by its id.
--
-- KEYS[1] buffer   KEYS[2] stats   KEYS[3..] ids of the root pks that give ids
-- ARGV[1] most hits the buffer may hold     ARGV[2] now, epoch seconds
-- ARGV[3] seconds an id is remembered       ARGV[4..] triples: hit, id or '', index of its ids key
-- returns one status a hit: 1 accepted, 0 a duplicate, -1 the buffer is full

local room = tonumber(ARGV[1]) - redis.call('LLEN', KEYS[1])
local now, remembered = tonumber(ARGV[2]), tonumber(ARGV[3])
local statuses, hits, duplicates = {}, {}, 0

for i = 3, #KEYS do  -- forget what is past, a few at a time so that no call is long
  local old = redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', now - remembered, 'LIMIT', 0, 100)
  if #old > 0 then redis.call('ZREM', KEYS[i], unpack(old)) end
end

for i = 4, #ARGV, 3 do
  local hit, id, key = ARGV[i], ARGV[i + 1], KEYS[tonumber(ARGV[i + 2])]
  local seen = id ~= '' and redis.call('ZSCORE', key, id)
  if seen and tonumber(seen) > now - remembered then
    statuses[#statuses + 1] = 0
    duplicates = duplicates + 1
  elseif #hits >= room then
    statuses[#statuses + 1] = -1
  else
    if id ~= '' then redis.call('ZADD', key, now, id) end
    hits[#hits + 1] = hit
    statuses[#statuses + 1] = 1
  end
end

if #hits > 0 then
  redis.call('RPUSH', KEYS[1], unpack(hits))
  redis.call('HINCRBY', KEYS[2], 'accepted', #hits)
  for i = 3, #KEYS do redis.call('EXPIRE', KEYS[i], remembered) end
end
if duplicates > 0 then redis.call('HINCRBY', KEYS[2], 'duplicate', duplicates) end
return statuses
