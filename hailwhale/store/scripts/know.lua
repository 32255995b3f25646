-- Make some of a large step's labels known, ahead of the step itself.
--
-- KEYS[1] position   KEYS[2..] sets of known labels
-- ARGV[1] the fence the step was read at (see fence.lua), or '' when it takes nothing off the buffer
-- ARGV[2] JSON: the sets, as know() takes them
-- returns {'known'}; {'stale'} when the step will come to nothing; or know()'s {'overflow', …}

if ARGV[1] ~= '' and ARGV[1] ~= fence(KEYS[1]) then return {'stale'} end
return know(KEYS, 2, cjson.decode(ARGV[2])) or {'known'}
