-- Write a value down only where the one that is there is the one expected.
--
-- KEYS[1] hash: name -> value
-- ARGV[1] name   ARGV[2] value expected, '' where none is there yet   ARGV[3] value to write
-- returns 1 when it was written, 0 when another value is there

local found = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
