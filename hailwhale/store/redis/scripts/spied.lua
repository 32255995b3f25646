-- Read the last hits of a root pk's spy log, together with how many hits it ever received.
--
-- KEYS[1] spied   KEYS[2] the list   ARGV[1] root pk   ARGV[2] limit
-- returns {number, {hit, …}}, the oldest first

return {
  tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0),
  redis.call('LRANGE', KEYS[2], -tonumber(ARGV[2]), -1),
}
