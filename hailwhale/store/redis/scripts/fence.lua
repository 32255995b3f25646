-- The fence of a shard's buffer, put in front of every script that asks for it.
--
-- fence(key)   key: the shard's position, the number of hits ever taken off its buffer
-- returns      '<the server's run id>:<position>'; it changes whenever hits leave the buffer
--
-- The run id is in it because a server that died may come back with a little less than it had: then
-- the same position can be reached again over other hits.

local function fence(key)
  local info = redis.pcall('INFO', 'server')  -- an engine without it has no log to roll back
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
  return run .. ':' .. (redis.call('GET', key) or '')
end
