-- facts: the sparse, changeable facts of a job, a MessagePack map in `state`. Most jobs never have any.
--   am attempts made · as attempts started before this one · sc stalls · su handed out but never confirmed started
--   pr priority · de deduplication id · pk parent [prefix, queue, id] · po what its failure means for the parent: fail,
--   continue, ignore or remove · df failure deferred from a child · pd ms to wait once its children have ended
--   rj schedule it came from · mv when its due time was last moved · rd when it was last redriven: earlier failures are past
--   dl dead letter of [prefix, queue, when, attempts made, reason]
-- Facts that cannot be read count as none: one damaged job never holds up its neighbours.
local COUNTS, TEXTS, LISTS = { 'am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd' }, { 'de', 'po', 'df', 'rj' }, { pk = 3, dl = 5 }
local function readFacts(packed)
  local readable, known = pcall(cmsgpack.unpack, packed or '')
  if not readable or type(known) ~= 'table' then return {} end
  for _, name in ipairs(COUNTS) do
    local count = known[name]
    if count and not (type(count) == 'number' and count >= 0 and count < 9007199254740992) then known[name] = nil end
  end
  for _, name in ipairs(TEXTS) do
    if type(known[name]) ~= 'string' then known[name] = nil end
  end
  for name, size in pairs(LISTS) do
    if type(known[name]) ~= 'table' or #known[name] ~= size then known[name] = nil end
  end
  if known.pr and known.pr > 2097151 then known.pr = nil end
  return known
end

local function facts(id)
  return readFacts(redis.call('HGET', state, id))
end

local function remember(id, known)
  if next(known) == nil then redis.call('HDEL', state, id) else redis.call('HSET', state, id, cmsgpack.pack(known)) end
end
