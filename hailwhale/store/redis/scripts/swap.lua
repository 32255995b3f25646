-- Compare and set: write a value only if the present value is the expected one.
--
-- KEYS[1] hash: name -> value
-- ARGV[1] name   ARGV[2] expected value, '' for none   ARGV[3] value to write
-- returns 1 if it was written, 0 if there is another value

local found = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
