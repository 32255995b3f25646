-- Functions that add visitors to HyperLogLogs. Prepended to every script that uses them.
--
-- apply_visits(keys, first, text)
--   keys   the script's KEYS; those of the rows begin at `first`, in order
--   text   JSON: [frames, visitors, rows]
--     frames    lists of seconds to live, one for each chunk of the frame; 0 is for ever
--     visitors  list of hashes
--     rows      [frame, visitor, …], all as indices
--   A row has one key, a HyperLogLog, for each chunk of its frame.
--
-- Idempotent: adding a visitor again changes nothing.

local VISITORS_AT_ONCE = 1000  -- unpack() is limited to a few thousand values

local function apply_visits(keys, first, text)
  local frames, visitors, rows = unpack(cjson.decode(text))
  local key = first
  for _, row in ipairs(rows) do
    local found = {}
    for at = 2, #row do found[at - 1] = visitors[row[at]] end
    for _, ttl in ipairs(frames[row[1]]) do
      for from = 1, #found, VISITORS_AT_ONCE do
        redis.call('PFADD', keys[key], unpack(found, from, math.min(from + VISITORS_AT_ONCE - 1, #found)))
      end
      if ttl > 0 then redis.call('EXPIRE', keys[key], ttl, 'NX') end
      key = key + 1
    end
  end
end
