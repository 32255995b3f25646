-- Delete dead letters, or move them back to the buffer, atomically.
--
-- KEYS[1] dead   KEYS[2] buffer   KEYS[3] stats
-- ARGV[1] 'retry' or 'drop'   ARGV[2..] pairs: a letter as it is stored, and its hit
-- returns how many of the letters existed

local found = 0
for i = 2, #ARGV, 2 do
  if redis.call('LREM', KEYS[1], 1, ARGV[i]) == 1 then
    found = found + 1
    if ARGV[1] == 'retry' then
      redis.call('RPUSH', KEYS[2], ARGV[i + 1])
      redis.call('HINCRBY', KEYS[3], 'bytes', #ARGV[i + 1])
    end
  end
end
if ARGV[1] == 'retry' then redis.call('HINCRBY', KEYS[3], 'accepted', found) end
return found
