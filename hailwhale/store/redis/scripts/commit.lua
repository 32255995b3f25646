-- Turn hits into increments: one atomic step from "buffered" to "to be applied".
--
-- Removes the hits from the buffer, moves unparsable ones to the dead letters, adds new labels to
-- the known ones and stores the increments as the shard's plan: all or nothing. A plan of a single
-- chunk is applied at once instead.
--
-- The stats hold a mark: the number of an accepted hit and the server's time. When that hit is taken, the time
-- that it waited becomes the lag. The next hit to be accepted is then marked.
--
-- KEYS[1] buffer  KEYS[2] position  KEYS[3] plan  KEYS[4] dead  KEYS[5] stats
-- KEYS[6] imports  KEYS[7] views
-- KEYS[8..7+children] sets of known labels; then, if given, ids; then the cells of an inline chunk
-- and the keys of the views to update
-- ARGV[1] JSON:
--   position   the fence at which the hits were read (see fence.lua); '' if none is taken
--   taken      how many hits to remove from the head of the buffer
--   taken_bytes  the sum of their lengths
--   dead       dead letters to store
--   children   the sets of labels for know(); a large step has added its labels before
--   room       how many of them may be new, or -1
--   id         {id, seconds to remember it} or absent: count only if this id is new
--   block      {name of an import, number} or absent: count only if the last number was lower
--   guard      {index in KEYS of a hash of cells, field, text} or absent: count only if the field has
--              this text
--   folded     number of hits counted under _other, for the statistics
--   latest     the latest time of an event, epoch seconds; 0 if there is none
--   writer     {format, number of rollups}: what the caller writes, and counts in (see schema.py)
--   spied      {index in KEYS, limit, seconds kept, {{root pk or '', hit, …}, …}} or absent: hits for
--              the spy log. The index is that of the key spied; the keys of the lists follow it
--   inline     {generation of the shard's views that the caller read, updates of views (views.lua)}
--              to apply the increments at once, or absent
-- ARGV[2..] chunks of the plan; or, inline, rows in the format of rows.lua
-- returns {'committed'}. Otherwise nothing is changed: {'outdated'} if the store has rollups or a
--         format that the caller does not know, {'stale'}, {'duplicate'}, {'changed'}, {'views'} if
--         views were built since the caller read them, or the {'overflow', …} of know()

local step = cjson.decode(ARGV[1])

local known = redis.call('HMGET', KEYS[5], 'format', 'rollups', 'latest')
if tonumber(known[1] or 0) > step.writer[1] or tonumber(known[2] or 0) > step.writer[2] then
  return {'outdated'}
end
if step.position ~= '' and step.position ~= fence(KEYS[2]) then
  return {'stale'}
end
if step.inline and views_changed(KEYS[7], step.inline[1]) then return {'views'} end
if step.guard then
  local held = redis.call('HGET', KEYS[step.guard[1]], step.guard[2]) or '0'
  if held ~= step.guard[3] then return {'changed'} end
end
if step.block then
  local last = redis.call('HGET', KEYS[6], step.block[1])
  if last and tonumber(last) >= step.block[2] then
    redis.call('HSET', KEYS[6], step.block[1], last)  -- a caller that waits for replicas needs a write
    return {'duplicate'}
  end
end
local ids = KEYS[8 + #step.children]
local clock = tonumber(redis.call('TIME')[1])  -- the server's: those of callers may be hours apart
if step.id then
  local seen = redis.call('ZSCORE', ids, step.id[1])
  if seen and tonumber(seen) > clock - step.id[2] then
    redis.call('HINCRBY', KEYS[5], 'duplicate', 1)
    return {'duplicate'}
  end
end

local refused = know(KEYS, 8, step.children, step.room, KEYS[5])
if refused then return refused end

if step.latest > tonumber(known[3] or 0) then redis.call('HSET', KEYS[5], 'latest', step.latest) end
if step.block then redis.call('HSET', KEYS[6], step.block[1], step.block[2]) end
if step.id then
  redis.call('ZADD', ids, clock, step.id[1])
  redis.call('EXPIRE', ids, step.id[2])
end
if step.position ~= '' then
  redis.call('LTRIM', KEYS[1], step.taken, -1)
  redis.call('INCRBY', KEYS[2], step.taken)
  local drained = redis.call('HINCRBY', KEYS[5], 'drained', step.taken)
  local mark = redis.call('HGET', KEYS[5], 'mark')
  if mark then
    local accepted, at = string.match(mark, '(%d+):(%d+)')
    if drained >= tonumber(accepted) then
      redis.call('HSET', KEYS[5], 'lag', string.format('%.0f', math.max(0, clock - at)))
      redis.call('HDEL', KEYS[5], 'mark')
    end
  end
  if redis.call('LLEN', KEYS[1]) == 0 then
    -- A lag describes the hits behind it: without any the next hit starts from none. Neither are there
    -- bytes, whatever was counted of them: earlier versions did not.
    redis.call('HDEL', KEYS[5], 'lag', 'bytes')
  else
    redis.call('HINCRBY', KEYS[5], 'bytes', -(step.taken_bytes or 0))
  end
end
if #step.dead > 0 then
  for _, letter in ipairs(step.dead) do redis.call('RPUSH', KEYS[4], letter) end
  redis.call('HINCRBY', KEYS[5], 'dead', #step.dead)
end
if step.folded > 0 then redis.call('HINCRBY', KEYS[5], 'folded', step.folded) end
if step.spied then
  local first, most, kept, lists = unpack(step.spied)
  for i, list in ipairs(lists) do
    redis.call('RPUSH', KEYS[first + i], unpack(list, 2))
    redis.call('LTRIM', KEYS[first + i], -most, -1)
    redis.call('EXPIRE', KEYS[first + i], kept)
    if list[1] ~= '' then redis.call('HINCRBY', KEYS[first], list[1], #list - 1) end
  end
end
if step.inline then
  local applied = apply_rows(KEYS, 8 + #step.children + (step.id and 1 or 0), ARGV[2])
  update_views(KEYS, step.inline[2], applied)
else
  for i = 2, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end
end
return {'committed'}
