-- Make some of a large step's labels known, ahead of the step itself.
--
-- KEYS[1] position   KEYS[2] stats   KEYS[3..] sets of known labels
-- ARGV[1] the fence the step was read at (see fence.lua), or '' when it takes nothing off the buffer
-- ARGV[2] JSON: the sets, as know() takes them   ARGV[3] the room there is for them
-- returns {'known'}; {'stale'} when the step will come to nothing; or know()'s {'overflow', …}

if ARGV[1] ~= '' and ARGV[1] ~= fence(KEYS[1]) then return {'stale'} end
return know(KEYS, 3, cjson.decode(ARGV[2]), tonumber(ARGV[3]), KEYS[2]) or {'known'}
