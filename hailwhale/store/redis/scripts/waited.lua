-- Return how long the hits of a shard have waited, by the server's clock.
--
-- KEYS[1] stats
-- returns seconds: how long the marked hit waits (see commit.lua), or the last one did if that is
-- longer

local last = tonumber(redis.call('HGET', KEYS[1], 'lag') or 0)
local mark = redis.call('HGET', KEYS[1], 'mark')
if not mark then return last end
return math.max(last, tonumber(redis.call('TIME')[1]) - tonumber(string.match(mark, ':(%d+)')))
