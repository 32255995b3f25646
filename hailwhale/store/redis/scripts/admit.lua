-- Add names to a set up to its maximum size.
--
-- KEYS[1] set   ARGV[1] maximum size   ARGV[2..] names
-- returns the names that did not fit

local refused = {}
for i = 2, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then
    if redis.call('SCARD', KEYS[1]) < tonumber(ARGV[1]) then
      redis.call('SADD', KEYS[1], ARGV[i])
    else
      refused[#refused + 1] = ARGV[i]
    end
  end
end
return refused
