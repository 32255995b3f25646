-- Take the first chunk off a shard's plan and add it to the cells, in one atomic step.
--
-- KEYS[1] plan   KEYS[2] views   KEYS[3..] the hashes of cells that the chunk changes, in its order,
-- and then the keys of the views to update
-- ARGV[1] the name of the chunk expected at the head of the plan
-- ARGV[2] the generation of the shard's views that the caller read   ARGV[3] JSON: updates of views
-- (see views.lua)
-- returns 1 if the chunk was applied, 0 if another process has applied it already, -1 (and nothing
-- is changed) if views were built since the caller read them
--
-- A chunk is '<name>\n<its keys, for the caller>\n<rows in the format of rows.lua>'. Instead of rows
-- it may hold 'V' and visits in the format of visits.lua.

local chunk = redis.call('LINDEX', KEYS[1], 0)
local name = ARGV[1] .. '\n'
if not chunk or string.sub(chunk, 1, #name) ~= name then return 0 end
if views_changed(KEYS[2], ARGV[2]) then return -1 end
local keys_end = string.find(chunk, '\n', #name + 1, true)
local rows = string.sub(chunk, keys_end + 1)
if string.sub(rows, 1, 1) == 'V' then
  apply_visits(KEYS, 3, string.sub(rows, 2))
else
  update_views(KEYS, cjson.decode(ARGV[3]), apply_rows(KEYS, 3, rows))
end
redis.call('LTRIM', KEYS[1], 1, -1)
return 1
