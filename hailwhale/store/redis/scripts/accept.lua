-- Take hits into a shard's buffer, each at most once by its id and by its sender's number.
--
-- KEYS[1] buffer   KEYS[2] stats   KEYS[3] sender   KEYS[4..] ids of the root pks that give ids
-- ARGV[1] most hits the buffer may hold     ARGV[2] now, epoch seconds
-- ARGV[3] seconds an id is remembered       ARGV[4] seconds a sender is, 0 when none is named
-- ARGV[5..] fours: hit, its number (they rise), id or '', index of its ids key
-- returns one status a hit: 1 accepted, 0 a duplicate, -1 the buffer is full
--
-- KEYS[3] holds the number below which all hits of the sender are settled: a call that is made again
-- because its answer got lost adds only what the first one left. That this is one number is why past
-- a hit that finds the buffer full nothing more is settled.

local room = tonumber(ARGV[1]) - redis.call('LLEN', KEYS[1])
local now, id_remembered, sender_remembered = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local before = sender_remembered > 0 and tonumber(redis.call('GET', KEYS[3]) or 0) or 0
local settled = before
local statuses, hits, duplicates, full = {}, {}, 0, false

for i = 4, #KEYS do  -- forget what is past, a few at a time so that no call is long
  local old = redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', now - id_remembered, 'LIMIT', 0, 100)
  if #old > 0 then redis.call('ZREM', KEYS[i], unpack(old)) end
end

for i = 5, #ARGV, 4 do
  local hit, number, id, key = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], KEYS[tonumber(ARGV[i + 3])]
  local status = 1
  if number >= before then
    local seen = id ~= '' and redis.call('ZSCORE', key, id)
    if full then
      status = -1
    elseif seen and tonumber(seen) > now - id_remembered then
      status = 0
      duplicates = duplicates + 1
    elseif #hits >= room then
      status, full = -1, true
    else
      if id ~= '' then redis.call('ZADD', key, now, id) end
      hits[#hits + 1] = hit
    end
    if not full then settled = number + 1 end
  end
  statuses[#statuses + 1] = status
end

if #hits > 0 then
  redis.call('RPUSH', KEYS[1], unpack(hits))
  local accepted = redis.call('HINCRBY', KEYS[2], 'accepted', #hits)
  redis.call('HSETNX', KEYS[2], 'mark', string.format('%.0f:%.0f', accepted, now))  -- see commit.lua
  for i = 4, #KEYS do redis.call('EXPIRE', KEYS[i], id_remembered) end
end
if duplicates > 0 then redis.call('HINCRBY', KEYS[2], 'duplicate', duplicates) end
if sender_remembered > 0 then  -- nothing new, too: who waits for replicas waits for a write
  redis.call('SET', KEYS[3], string.format('%.0f', settled), 'EX', sender_remembered)
end
return statuses
