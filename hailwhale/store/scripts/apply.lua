-- Take the first chunk off a shard's plan and add it to the cells: one atomic step.
--
-- KEYS[1] plan   KEYS[2..] the hashes of cells that the chunk touches, in its order
-- ARGV[1] the name of the chunk expected at the head of the plan
-- returns 1 when it was applied, 0 when another process has applied it already
--
-- A chunk is '<name>\n<JSON list of keys>\n<JSON list of rows>' (rows as rows.lua takes them).

local chunk = redis.call('LINDEX', KEYS[1], 0)
local name = ARGV[1] .. '\n'
if not chunk or string.sub(chunk, 1, #name) ~= name then return 0 end
local keys_end = string.find(chunk, '\n', #name + 1, true)
apply_rows(KEYS, 2, cjson.decode(string.sub(chunk, keys_end + 1)))
redis.call('LPOP', KEYS[1])
return 1
