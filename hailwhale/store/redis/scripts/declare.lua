-- Record a list of rollups, only if the present list is the expected one.
--
-- KEYS[1] hash of the schema
-- ARGV[1] expected list   ARGV[2] list to write   ARGV[3] the rollups being added, '' if none is
-- returns 1 if it was written, 0 if there is another list

if redis.call('HGET', KEYS[1], 'rollups') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'rollups', ARGV[2])
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'adding')
else
  redis.call('HSET', KEYS[1], 'adding', ARGV[3])
end
return 1
