-- Append hits to a shard's buffer. Ids and sequence numbers reject duplicates.
--
-- KEYS[1] buffer   KEYS[2] stats   KEYS[3] sender   KEYS[4..] the ids of each root pk that has ids
-- ARGV[1] maximum length of the buffer      ARGV[2] its maximum bytes
-- ARGV[3] seconds to remember an id         ARGV[4] seconds to remember the sender, 0 without one
-- ARGV[5..] fours: hit, ascending sequence number, id or '', index in KEYS of its set of ids
-- returns one status per hit: 1 accepted, 0 duplicate, -1 buffer full
--
-- KEYS[3] holds the next sequence number: all lower ones are done. A call that is repeated because
-- its answer got lost adds only the rest. Because this is a single number, hits after the first one
-- that does not fit are refused, too. Ids are remembered, and hits wait, by the server's clock: one
-- sender whose clock is ahead would make it forget the ids of all, and hide how long hits wait.

local buffered = redis.call('LLEN', KEYS[1])
local bytes = buffered > 0 and tonumber(redis.call('HGET', KEYS[2], 'bytes') or 0) or 0
local room, bytes_left = tonumber(ARGV[1]) - buffered, tonumber(ARGV[2]) - bytes
local id_remembered, sender_remembered = tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = tonumber(redis.call('TIME')[1])
local before = sender_remembered > 0 and tonumber(redis.call('GET', KEYS[3]) or 0) or 0
local settled = before
local statuses, hits, hits_bytes, duplicates, full = {}, {}, 0, 0, false

for i = 4, #KEYS do  -- remove expired ids, a few at a time so that no call takes long
  local old = redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', clock - id_remembered, 'LIMIT', 0, 100)
  if #old > 0 then redis.call('ZREM', KEYS[i], unpack(old)) end
end

for i = 5, #ARGV, 4 do
  local hit, number, id, key = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], KEYS[tonumber(ARGV[i + 3])]
  local status = 1
  if number >= before then
    local seen = id ~= '' and redis.call('ZSCORE', key, id)
    if full then
      status = -1
    elseif seen and tonumber(seen) > clock - id_remembered then
      status = 0
      duplicates = duplicates + 1
    elseif #hits >= room or hits_bytes + #hit > bytes_left then
      status, full = -1, true
    else
      if id ~= '' then redis.call('ZADD', key, clock, id) end
      hits[#hits + 1] = hit
      hits_bytes = hits_bytes + #hit
    end
    if not full then settled = number + 1 end
  end
  statuses[#statuses + 1] = status
end

if #hits > 0 then
  redis.call('RPUSH', KEYS[1], unpack(hits))
  redis.call('HSET', KEYS[2], 'bytes', string.format('%.0f', bytes + hits_bytes))
  local accepted = redis.call('HINCRBY', KEYS[2], 'accepted', #hits)
  redis.call('HSETNX', KEYS[2], 'mark', string.format('%.0f:%.0f', accepted, clock))  -- see commit.lua
  for i = 4, #KEYS do redis.call('EXPIRE', KEYS[i], id_remembered) end
end
if duplicates > 0 then redis.call('HINCRBY', KEYS[2], 'duplicate', duplicates) end
if sender_remembered > 0 then  -- even if unchanged: callers that wait for replicas need a write
  redis.call('SET', KEYS[3], string.format('%.0f', settled), 'EX', sender_remembered)
end
return statuses
