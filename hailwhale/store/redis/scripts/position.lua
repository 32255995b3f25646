-- Return the fence of a shard's buffer (see fence.lua), to be read before a window of hits.
--
-- KEYS[1] position
-- returns the fence
--
-- A position starts at the server's clock, not at 0. So a store that lost its data cannot repeat a
-- position that a drain may still hold.

if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]))
end
return fence(KEYS[1])
