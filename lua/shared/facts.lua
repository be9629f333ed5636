-- facts: the sparse, changeable facts of a job, a MessagePack map in `state`. Most jobs never have any.
--   am attempts made · as attempts started before this one · sc stalls · su handed out but never confirmed started
--   pr priority · de deduplication id · pk parent · df failure deferred from a child · rj schedule it came from
local function facts(id)
  local packed = redis.call('HGET', state, id)
  return packed and cmsgpack.unpack(packed) or {}
end

local function remember(id, known)
  if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
