-- Take the first chunk off a shard's plan and add it to the cells: one atomic step.
--
-- KEYS[1] plan   KEYS[2] views   KEYS[3..] the hashes of cells that the chunk touches, in its order,
-- and then the keys of the views that are kept
-- ARGV[1] the name of the chunk expected at the head of the plan
-- ARGV[2] the generation of the shard's views as known   ARGV[3] JSON: updates of views (views.lua)
-- returns 1 when it was applied, 0 when another process has applied it already, -1 when views were
-- made since: nothing is done
--
-- A chunk is '<name>\n<its keys, for who calls this>\n<rows as rows.lua takes them>', or 'V' and what
-- visits.lua takes in place of the rows.

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
