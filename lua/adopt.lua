-- adopt: makes jobs that were in the queue already children of a parent whose books expect them. One that has ended
-- writes to it at once.
-- KEYS  meta · job · completed · failed · state · outcome · outbox
-- ARGV  prefix · queue · parent · policy · ids (MessagePack)
--       parent  '': they are to be nobody's children any more
-- REPLY per id: 1 it is that parent's, 0 it has another, -1 there is no such job · letters [id, letter, …]
-- COST  O(ids), at most 1,000
local meta, job, completed, failed, state, outcome, outbox =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
-- include shared/now.lua
-- include shared/facts.lua
-- include shared/letters.lua
-- include shared/typed.lua

local function isHis(parent)
  return parent[1] == ARGV[1] and parent[2] == ARGV[2] and parent[3] == ARGV[3]
end

typed({ meta, state, outcome, outbox }, { completed, failed })
local flags = {}
for i, id in ipairs(cmsgpack.unpack(ARGV[5])) do
  local known = facts(id)
  if redis.call('HEXISTS', job, id) == 0 then flags[i] = -1
  elseif ARGV[3] == '' then
    flags[i], known.pk, known.po = 1, nil, nil
    remember(id, known)
  elseif known.pk and not isHis(known.pk) then flags[i] = 0
  else
    flags[i] = 1
    known.pk, known.po = { ARGV[1], ARGV[2], ARGV[3] }, ARGV[4] ~= '' and ARGV[4] or known.po
    remember(id, known)
    local result = redis.call('HGET', outcome, id) or ''
    if redis.call('ZSCORE', completed, id) then write(id, known, 'completed', result)
    elseif redis.call('ZSCORE', failed, id) then write(id, known, 'failed', result) end
  end
end
post()
return { flags, letters }
