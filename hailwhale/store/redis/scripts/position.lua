-- Where a shard's buffer stands: what a window that is read from now on was read at.
--
-- KEYS[1] position
-- returns the fence
--
-- A position starts at the server's clock, never at 0: a store that lost its data cannot repeat a
-- position that a drain may still hold.

if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  redis.call('SET', KEYS[1], time[1] .. string.format('%06d', time[2]))
end
return fence(KEYS[1])
