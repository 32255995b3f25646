-- Return the fencing token of a shard's buffer. Prepended to every script that needs it.
--
-- fence(key)   key: the shard's position, the number of hits ever taken off its buffer
-- returns      '<the server's run id>:<position>'; it changes whenever hits leave the buffer
--
-- The run id is part of it because a server that crashed may restart without its last writes. It can
-- then reach the same position again with other hits.

local function fence(key)
  local info = redis.pcall('INFO', 'server')  -- an engine without INFO has no log that it could lose
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
  return run .. ':' .. (redis.call('GET', key) or '')
end
