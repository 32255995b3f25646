-- Postpone the expiry of a view that was read.
--
-- KEYS[1] views   KEYS[2..4] the view's keys (see views.lua)
-- ARGV[1] its name   ARGV[2] now, epoch seconds   ARGV[3] seconds until it expires

if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], '\31asked', ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] + ARGV[3])
for i = 2, 4 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return 1
