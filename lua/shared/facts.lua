-- facts: the sparse, changeable facts of a job, a MessagePack map in `state`. Most jobs never have any.
--   am attempts made · as attempts started before this one · sc stalls · su handed out but never confirmed started
--   pr priority · de deduplication id · pk parent [prefix, queue, id] · po what its failure means for the parent: fail,
--   continue, ignore or remove · df failure deferred from a child · pd ms to wait once its children have ended
--   rj schedule it came from
--   dl dead letter of [prefix, queue, when, attempts made, reason]
-- Facts that cannot be read count as none: one damaged job never holds up its neighbours.
local function readFacts(packed)
  local readable, known = pcall(cmsgpack.unpack, packed or '')
  return readable and type(known) == 'table' and known or {}
end

local function facts(id)
  return readFacts(redis.call('HGET', state, id))
end

local function remember(id, known)
  if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
