-- Remove known labels: all labels of some sets, or one label of one set.
--
-- KEYS[1] stats   KEYS[2..] sets of known labels
-- ARGV[1] a label to remove from KEYS[2]; if absent, all sets are deleted
-- returns how many labels were removed

local gone = 0
if ARGV[1] then
  gone = redis.call('SREM', KEYS[2], ARGV[1])
else
  for i = 2, #KEYS do
    gone = gone + redis.call('SCARD', KEYS[i])
    redis.call('UNLINK', KEYS[i])
  end
end
if gone > 0 then redis.call('HINCRBY', KEYS[1], 'series', -gone) end
return gone
