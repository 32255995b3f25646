-- Add some labels of a large step to the known labels, before the step is committed.
--
-- KEYS[1] position   KEYS[2] stats   KEYS[3..] sets of known labels
-- ARGV[1] the fence at which the step was read (see fence.lua); '' if it takes no hits
-- ARGV[2] JSON: the sets for know()   ARGV[3] room for new labels
-- returns {'known'}; {'stale'} if the step can no longer be committed; or the result of know()

if ARGV[1] ~= '' and ARGV[1] ~= fence(KEYS[1]) then return {'stale'} end
return know(KEYS, 3, cjson.decode(ARGV[2]), tonumber(ARGV[3]), KEYS[2]) or {'known'}
