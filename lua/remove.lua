-- remove: takes jobs out of the queue, whatever state they are in, unless a worker holds them.
-- KEYS  meta · job · wait · delayed · active · parents · completed · failed · run · state · outcome · history · progress · logs · expire · dedup · outbox · pending · orphans · sessions · marker · events
-- ARGV  ids (MessagePack) · only ('childless': no job that has children · 'unfinished': none that has ended · '': any) · session · seq
-- REPLY per id: 1 removed, 0 no such job, -1 held by a worker, -2 spared as `only` says · letters [id, letter, …]
-- COST  O(ids · log n), at most 1,000
local meta, job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, sessions, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
  KEYS[21], KEYS[22]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/forget.lua
-- include shared/once.lua
-- include shared/typed.lua
local moved = {}
-- include shared/release.lua

if earlier then return earlier end
local ids, flags, gone, only = cmsgpack.unpack(ARGV[1]), {}, {}, ARGV[2]
local function isSpared(id)
  if only == 'childless' then return redis.call('HEXISTS', pending, id) == 1 end
  return only == 'unfinished' and (redis.call('ZSCORE', completed, id) or redis.call('ZSCORE', failed, id))
end
local function stateOf(id)
  local at = redis.call('ZSCORE', wait, id)
  if at then return tonumber(at) < 0 and 'waiting' or 'prioritized' end
  if redis.call('ZSCORE', delayed, id) then return 'delayed' end
  if redis.call('ZSCORE', parents, id) then return 'waiting-children' end
  if redis.call('ZSCORE', completed, id) then return 'completed' end
  return redis.call('ZSCORE', failed, id) and 'failed' or nil
end
for i, id in ipairs(ids) do
  if redis.call('HEXISTS', run, id) == 1 then flags[i] = -1
  elseif redis.call('HEXISTS', job, id) == 0 then flags[i] = 0
  elseif isSpared(id) then flags[i] = -2
  else
    flags[i] = 1
    gone[#gone + 1] = id
    moved[#moved + 1] = { 'removed', id, stateOf(id) }
  end
end
if #gone > 0 then
  typed({ meta, state, outcome, history, progress, logs, dedup, outbox, pending }, { wait, delayed, parents, completed, failed, expire, marker }, events, orphans)
  for _, set in ipairs({ wait, delayed, parents, completed, failed }) do redis.call('ZREM', set, unpack(gone)) end
  release(gone, 'removed')
  forget(gone)
  publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #gone, 'moved', cmsgpack.pack(moved))
end
return told({ flags, letters })
